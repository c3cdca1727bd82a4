"""A tokenizer.json with fewer pieces: which may go, and what it reads like without them.

What holds without a piece that no text at hand needed:
- Unigram takes the likeliest way to cut a text. Taking away ways that were not taken leaves the
  likeliest one, so texts at hand keep their tokens. Other texts are cut into likelier of the pieces
  that are left, at worst into single characters, which all stay. The least likely piece stays too:
  what an unknown character costs is counted from it.
- WordPiece takes the longest piece that fits, from the left. Pieces that were not taken did not fit
  or were shorter, so texts at hand keep their tokens here too.
- BPE joins pairs in an order; the pieces on the way to a piece would have to stay, and no list of
  pieces says which these are. It is not pruned.
Ids stay in their order. Whoever prunes holds both against each other on the texts at hand.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

BYTE = re.compile(r"<0x[0-9A-F]{2}>")
CHARACTER = 1  # letters of a piece that stays whatever the texts hold
PAIRS = ("sep", "cls")  # of post-processors: a token and its id


class CannotPrune(Exception):
    """The message says what of the tokenizer or the graph depends on all pieces."""


@dataclass(frozen=True, eq=False)
class PrunedTokenizer:
    """`kept`: (n,) int64, ascending, the old id of each new one; `of`: how many there were."""

    content: bytes
    kept: NDArray[np.int64]
    of: int

    def new_ids(self, old: Iterable[int]) -> list[int]:
        """Raises KeyError for one that went."""
        places = {int(each): place for place, each in enumerate(self.kept)}
        return [places[each] for each in old]


def pruned(content: bytes, used: Iterable[int], pad_id: int) -> PrunedTokenizer:
    """Leaves out the pieces that are neither among the ids `used`, nor special, nor a single
    character or byte. Raises CannotPrune."""
    told = json.loads(content)
    vocabulary = _pieces(told["model"])
    added = [token["id"] for token in told.get("added_tokens") or []]
    beside = [t["id"] for t in told.get("added_tokens") or [] if t["content"] not in vocabulary]
    if sorted(beside) != [*range(len(vocabulary), len(vocabulary) + len(beside))]:
        raise CannotPrune("expected added tokens right after the pieces, got others")
    special = {pad_id, *added, *_special_ids(told.get("post_processor"))}
    kept = {*used, *special, *_always(told["model"], vocabulary)}
    size = max([*vocabulary.values(), *added], default=-1) + 1
    if max(kept) >= size:
        raise CannotPrune(f"expected ids below {size}, got {max(kept)}")
    order = sorted(kept)
    places = {old: new for new, old in enumerate(order)}
    _replace_pieces(told["model"], vocabulary, places)
    for token in told.get("added_tokens") or []:
        token["id"] = places[token["id"]]
    _replace_specials(told.get("post_processor"), places)
    written = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
    return PrunedTokenizer(written, np.array(order, np.int64), size)


def _pieces(model: dict[str, Any]) -> dict[str, int]:
    match model.get("type"):
        case "Unigram":
            return {piece: number for number, (piece, _) in enumerate(model["vocab"])}
        case "WordPiece":
            return dict(model["vocab"])
        case kind:
            raise CannotPrune(f"expected a Unigram or WordPiece tokenizer, got {kind}")


def _always(model: dict[str, Any], vocabulary: dict[str, int]) -> set[int]:
    """Single characters and bytes, a piece for each character that has none of its own, what
    unknown characters become, and what their cost is counted from."""
    start = model.get("continuing_subword_prefix") or ""
    found: set[int] = set()
    known: set[str] = set()
    for piece, number in vocabulary.items():
        text = piece.removeprefix(start)
        if len(text) == CHARACTER or BYTE.fullmatch(piece):
            found.add(number)
            known.update(text)
    for piece, number in sorted(vocabulary.items(), key=lambda each: (len(each[0]), each[1])):
        if not known.issuperset(piece):
            found.add(number)
            known.update(piece)
    if model["type"] == "Unigram":
        scores = [score for _, score in model["vocab"]]
        found.add(int(np.argmin(scores)))
        if model.get("unk_id") is not None:
            found.add(model["unk_id"])
    elif (unknown := vocabulary.get(model.get("unk_token", ""))) is not None:
        found.add(unknown)
    return found


def _replace_pieces(
    model: dict[str, Any], vocabulary: dict[str, int], places: dict[int, int]
) -> None:
    if model["type"] == "WordPiece":
        inside = {piece: places[old] for piece, old in vocabulary.items() if old in places}
        model["vocab"] = dict(sorted(inside.items(), key=lambda each: each[1]))
        return
    pairs = model["vocab"]
    model["vocab"] = [pairs[old] for old in sorted(places) if old < len(pairs)]
    if model.get("unk_id") is not None:
        model["unk_id"] = places[model["unk_id"]]


def _special_ids(processor: dict[str, Any] | None) -> set[int]:
    found: set[int] = set()
    for each in _processors(processor):
        found.update(number for token in _templates(each) for number in token["ids"])
        found.update(each[name][1] for name in PAIRS if name in each)
    return found


def _replace_specials(processor: dict[str, Any] | None, places: dict[int, int]) -> None:
    for each in _processors(processor):
        for token in _templates(each):
            token["ids"] = [places[number] for number in token["ids"]]
        for name in PAIRS:
            if name in each:
                each[name] = [each[name][0], places[each[name][1]]]


def _templates(processor: dict[str, Any]) -> list[dict[str, Any]]:
    return [*(processor.get("special_tokens") or {}).values()]


def _processors(processor: dict[str, Any] | None) -> list[dict[str, Any]]:
    if processor is None:
        return []
    if processor.get("type") == "Sequence":
        return [each for one in processor["processors"] for each in _processors(one)]
    known = {"TemplateProcessing", "BertProcessing", "RobertaProcessing", "ByteLevel"}
    if processor.get("type") not in known:
        raise CannotPrune(f"expected a known post-processor, got {processor.get('type')}")
    return [processor]
