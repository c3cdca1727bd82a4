"""An encoder as a folder, and the checks that every folder goes through, whoever made it."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from pydantic import ValidationError

from app.inputs.encoders import EncoderFacts
from app.inputs.tokens import IDS, MASK, padded
from app.integrity import sha256_of
from worker.backbones.encoders.any_text import TOKENIZER, check_any_text
from worker.backbones.encoders.operators import GRAPH, check_operators, check_vocabulary, table_rows
from worker.backbones.encoders.refusing import refused
from worker.backbones.encoders.running import FEATURES, Encoder, Floats

FACTS = "encoder.json"
TOLERANCE = 1e-2  # of the largest feature: of a sentence alone and among longer ones
DECIMALS = 6  # of a centre
# Tried on whatever calls itself an encoder; the mean of their features is its centre.
PROBES = (
    ("a good meal", "the room was cold", "it works as described", "I will not come back"),
    ("饭菜很好", "房间很冷", "和描述的一样好用", "我不会再来了"),
    ("вкусная еда", "в номере было холодно", "работает как описано", "больше не приду"),
    ("طعام جيد", "كانت الغرفة باردة", "يعمل كما هو موصوف", "لن أعود مرة أخرى"),
    ("अच्छा खाना", "कमरा ठंडा था", "जैसा बताया वैसा काम करता है", "मैं वापस नहीं आऊँगा"),
    ("おいしい食事でした", "部屋が寒かった", "説明どおりに動きます", "もう行きません"),
    ("맛있는 식사였다", "방이 추웠다", "설명대로 작동한다", "다시는 안 간다"),
    ("una buona cena", "la stanza era fredda", "funziona come descritto", "non tornerò"),
    ("ein gutes Essen", "das Zimmer war kalt", "es läuft wie beschrieben", "nie wieder"),
)
SENTENCES = [sentence for of_language in PROBES for sentence in of_language]


@dataclass(frozen=True)
class Folder:
    path: Path

    @property
    def graph(self) -> Path:
        return self.path / GRAPH

    @property
    def tokenizer(self) -> Path:
        return self.path / TOKENIZER

    def facts(self) -> EncoderFacts:
        """Raises WorkFailure."""
        try:
            return EncoderFacts.model_validate_json((self.path / FACTS).read_bytes())
        except (OSError, ValidationError) as error:
            raise refused(f"expected the facts of an encoder in {FACTS}, got: {error}") from error

    def write(self, facts: EncoderFacts) -> None:
        content = facts.model_dump(mode="json")
        (self.path / FACTS).write_text(json.dumps(content, indent=1, ensure_ascii=False))


def checked(folder: Folder) -> EncoderFacts:
    """The facts of a folder that is what they say, with its centre: its files have their hashes,
    its graph takes tokens and gives features, its tokenizer cuts texts into the graph's own tokens.

    Raises WorkFailure `encoder_refused` with what was expected and what came.
    """
    facts = folder.facts()
    for path, expected in (
        (folder.graph, facts.model_sha256),
        (folder.tokenizer, facts.tokenizer_sha256),
    ):
        if not path.is_file():
            raise refused(f"expected the file {path.name} beside {FACTS}, got none")
        if (got := sha256_of(path)) != expected:
            raise refused(f"expected {path.name} of sha256 {expected}, got one of {got}")
    rows, tokenizer = _check_graph(folder.graph), folder.tokenizer.read_bytes()
    try:
        encoder = Encoder.load(folder.graph.read_bytes(), tokenizer, facts)
    except ValueError as error:
        raise refused(str(error)) from error
    _check_session(encoder)
    check_vocabulary(rows, encoder.tokeniser.size)
    found = _probe(encoder, tokenizer)
    if facts.are_tokens:
        return facts
    if facts.centre:
        if len(facts.centre) != facts.dimension:
            raise refused(
                f"expected a centre of {facts.dimension} numbers, got {len(facts.centre)}"
            )
        return facts
    centre = tuple(round(float(value), DECIMALS) for value in found.mean(axis=0))
    return facts.model_copy(update={"centre": centre})


def _check_graph(path: Path) -> int | None:
    """What can be read of the graph without running it: all of its data, and known operators.
    Returns the rows of its table of tokens."""
    try:
        model = onnx.load(path, load_external_data=False)
    except Exception as error:  # protobuf's, which share no class
        raise refused(f"expected {GRAPH} to be an ONNX graph, got: {error}") from error
    check_operators(model)
    return table_rows(model)


def _check_session(encoder: Encoder) -> None:
    takes = {each.name: (each.type, len(each.shape)) for each in encoder.runtime.get_inputs()}
    if takes != {IDS: ("tensor(int64)", 2), MASK: ("tensor(int64)", 2)}:
        raise refused(
            f"expected a graph that takes {IDS} and {MASK}, int64 (n, tokens), got one that takes "
            f"{_listed(takes)}"
        )
    gives = {each.name: (each.type, len(each.shape)) for each in encoder.runtime.get_outputs()}
    if gives != {FEATURES: ("tensor(float)", 2)}:
        raise refused(
            f"expected a graph that gives {FEATURES}, float32 (n, dimension), got one that gives "
            f"{_listed(gives)}"
        )


def _listed(tensors: dict[str, tuple[str, int]]) -> str:
    return ", ".join(f"{name}, {kind} of {rank} axes" for name, (kind, rank) in tensors.items())


def _probe(encoder: Encoder, tokenizer: bytes) -> Floats:
    """Runs a few sentences, whose features (n, dimension) it returns, and the last piece that the
    tokenizer knows."""
    facts, last = encoder.facts, encoder.tokeniser.last
    try:
        encoder.run(padded([[last], [last] * facts.max_tokens], facts.pad_id))
    except Exception as error:  # ONNX Runtime's share no class of their own
        raise refused(
            f"expected a graph for the {last + 1} pieces of {TOKENIZER}, got one that fails at "
            "the last: the tokenizer is another encoder's"
        ) from error
    check_any_text(encoder, tokenizer)
    together = encoder.run(encoder.tokeniser(SENTENCES))
    if together.shape != (len(SENTENCES), facts.dimension):
        got = together.shape[1]
        raise refused(f"expected features of {facts.dimension} numbers, got {got}")
    if not np.isfinite(together).all():
        raise refused("expected finite features of a few plain sentences, got others")
    if facts.normalised and not np.allclose(np.linalg.norm(together, axis=1), 1, atol=TOLERANCE):
        raise refused("expected features of length 1, as the facts say, got others")
    alone = np.concatenate([encoder.run(encoder.tokeniser([each])) for each in SENTENCES])
    if float(np.abs(alone - together).max()) > TOLERANCE * float(np.abs(together).max()):
        raise refused(
            "expected features of a sentence that do not depend on longer ones beside it, got "
            f"others: the graph does not heed {MASK}"
        )
    return together
