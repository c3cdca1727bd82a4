"""A repository of sentence-transformers as an encoder's folder: what its files say of pooling,
lengths and padding, and the graph with these at its end."""

from typing import TypeVar

import onnx
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.errors import BadRequest, Invalid
from app.inputs.encoders import MOST_TOKENS, EncoderFacts
from app.integrity import sha256_of
from app.json_text import decode
from app.models.encoder_spec import EncoderSpec
from worker.backbones.encoders.folder import Folder
from worker.backbones.encoders.pooled_graph import pooled
from worker.importing.hub import CONFIG, TOKENIZER, HubFiles
from worker.importing.refusing import refused

KNOWN_MODULES = {"Transformer", "Pooling", "Normalize"}
POOLINGS = {"mean": "pooling_mode_mean_tokens", "cls": "pooling_mode_cls_token"}
# Whose first position is the one after the padding's.
AFTER_PADDING = {"camembert", "mpnet", "roberta", "xlm-roberta", "xlm-roberta-xl"}
LONGEST_SAID = 1_000_000  # more, in a tokenizer's configuration, means: not known


class _Said(BaseModel):
    """A file of which some members are read and no other is looked at."""

    model_config = ConfigDict(extra="ignore")


Told = TypeVar("Told", bound=_Said)


class NetworkSaid(_Said):
    hidden_size: int = Field(ge=1, le=65_536)
    max_position_embeddings: int = Field(512, ge=1)
    pad_token_id: int | None = Field(0, ge=0)
    model_type: str = Field("", max_length=100)


class PoolingSaid(_Said):
    pooling_mode: str | None = None  # in newer files
    pooling_mode_cls_token: bool = False
    pooling_mode_mean_tokens: bool = False
    pooling_mode_max_tokens: bool = False
    pooling_mode_mean_sqrt_len_tokens: bool = False
    pooling_mode_weightedmean_tokens: bool = False
    pooling_mode_lasttoken: bool = False

    @property
    def modes(self) -> set[str]:
        if self.pooling_mode is not None:
            return {self.pooling_mode}
        flags = {name for name, value in self.model_dump().items() if value is True}
        called = {flag: name for name, flag in POOLINGS.items()}
        return {called.get(flag, flag) for flag in flags}


class LengthSaid(_Said):
    max_seq_length: int | None = Field(None, ge=1)


class TokenizerSaid(_Said):
    model_max_length: float | None = Field(None, ge=1)


class ModuleSaid(_Said):
    type: str = Field(max_length=200)


def written(found: HubFiles, spec: EncoderSpec, folder: Folder) -> EncoderFacts:
    """The folder of the encoder, not yet tried. Raises WorkFailure `model_invalid`."""
    network = _read(found, CONFIG, NetworkSaid)
    modules = _modules(found)
    pooling = _pooling(found)
    normalised = "Normalize" in modules
    try:
        graph = onnx.load(found.path(found.graph), load_external_data=False)
    except Exception as error:  # protobuf's, which share no class
        raise refused("not_an_encoder", "expected an ONNX graph, got another file") from error
    onnx.save(pooled(graph, pooling, normalised), folder.graph)
    folder.tokenizer.write_bytes(found.path(TOKENIZER).read_bytes())
    facts = EncoderFacts(
        name=spec.name,
        revision=f"{found.name.repository} {found.commit}"[:200],
        licence=spec.licence,
        prefix=spec.prefix,
        max_tokens=_most_tokens(found, network),
        pad_id=network.pad_token_id or 0,
        dimension=network.hidden_size,
        model_sha256=sha256_of(folder.graph),
        tokenizer_sha256=sha256_of(folder.tokenizer),
        pooling=pooling,
        normalised=normalised,
    )
    folder.write(facts)
    return facts


def _modules(found: HubFiles) -> set[str]:
    """What the repository's parts are; without their list a network and its mean."""
    file = "modules.json"
    if file not in found.files:
        return set()
    listed = _json(found, file)
    if not isinstance(listed, list):
        raise _unreadable(file)
    try:
        said = [ModuleSaid.model_validate(each) for each in listed]
    except ValidationError as error:
        raise _unreadable(file) from error
    kinds = {each.type.rpartition(".")[2] for each in said}
    if kinds - KNOWN_MODULES:
        detail = f"expected {', '.join(sorted(KNOWN_MODULES))} in {file}, got parts beside these"
        raise refused("unknown_module", detail, file)
    return kinds


def _pooling(found: HubFiles) -> str:
    file = "1_Pooling/config.json"
    if file not in found.files:
        return "mean"
    modes = _read(found, file, PoolingSaid).modes
    if len(modes) != 1 or not modes <= POOLINGS.keys():
        detail = f"expected one pooling, {' or '.join(POOLINGS)}, in {file}, got another"
        raise refused("unknown_pooling", detail, file)
    return modes.pop()


def _most_tokens(found: HubFiles, network: NetworkSaid) -> int:
    positions = network.max_position_embeddings
    if network.model_type in AFTER_PADDING:
        positions -= (network.pad_token_id or 0) + 1
    said = [positions, MOST_TOKENS]
    if "sentence_bert_config.json" in found.files:
        length = _read(found, "sentence_bert_config.json", LengthSaid).max_seq_length
        said += [length] if length else []
    if "tokenizer_config.json" in found.files:
        longest = _read(found, "tokenizer_config.json", TokenizerSaid).model_max_length
        said += [int(longest)] if longest and longest < LONGEST_SAID else []
    if min(said) < EncoderFacts.model_fields["max_tokens"].metadata[0].ge:
        raise refused("not_an_encoder", "expected room for two tokens and more, got less", CONFIG)
    return min(said)


def _read(found: HubFiles, file: str, kind: type[Told]) -> Told:
    try:
        return kind.model_validate(_json(found, file))
    except ValidationError as error:
        raise _unreadable(file) from error


def _json(found: HubFiles, file: str) -> object:
    try:
        return decode(found.path(file).read_bytes(), file)
    except (BadRequest, Invalid) as error:
        raise _unreadable(file) from error


def _unreadable(file: str) -> Exception:
    return refused("not_an_encoder", f"expected {file} as sentence-transformers writes it", file)
