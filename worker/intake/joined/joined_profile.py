"""Facts of items of several parts that a user should know before training on them."""

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.datasets.schemas import Schema
from app.inputs.joined import JoinedInputs
from app.tensors import Tensors
from worker.intake.duplicates import duplicates
from worker.intake.joined.upload import JoinedUpload
from worker.intake.tables.dividing import Divided
from worker.intake.tables.features import Feature
from worker.intake.tables.table_profile import told_of_rows, twin_warnings

BLOCK = 1024  # items that are read at once


def profile(
    schema: Schema,
    inputs: JoinedInputs,
    upload: JoinedUpload,
    features: Sequence[Feature],
    divided: Divided,
    items: Mapping[str, Tensors],
) -> dict[str, Any]:
    told = told_of_rows(schema, upload.records, divided)
    hashes = {split: _hashes(tensors) for split, tensors in items.items()}
    twins = duplicates(hashes, divided.target.codes(divided.y))
    parts, sentences = _parts(inputs, items)
    pictures = upload.findings
    return {
        **told,
        "parts": parts,
        "columns": {each.info.name: {"missing": dict(each.missing)} for each in features},
        "duplicates": twins,
        **({"pictures": dict(pictures.facts)} if pictures else {}),
        "warnings": [
            *told["warnings"],
            *(pictures.warnings if pictures else ()),
            *upload.sentences,
            *sentences,
            *twin_warnings(twins, "items", ", alike in all parts"),
        ],
    }


def _parts(inputs: JoinedInputs, items: Mapping[str, Tensors]) -> tuple[dict[str, Any], list[str]]:
    """What each part is and how many items lack it, and sentences."""
    told: dict[str, Any] = {}
    sentences = []
    for part in inputs.parts:
        missing = {split: int((~part.known(own)).sum()) for split, own in items.items()}
        told[part.name] = {
            "modality": part.inputs.modality,
            "summary": part.inputs.summary,
            "missing": missing,
        }
        if any(missing.values()):
            counts = " and ".join(f"{count} of {split}" for split, count in missing.items())
            sentences.append(f"The part `{part.name}` is missing in {counts} items.")
    return told, sentences


def _hashes(tensors: Tensors) -> NDArray[np.uint64]:
    """(items,), equal for items that are alike in all parts."""
    count = len(next(iter(tensors.values())))
    found = np.empty(count, np.uint64)
    for start in range(0, count, BLOCK):
        blocks = [np.ascontiguousarray(each[start : start + BLOCK]) for each in tensors.values()]
        for row in range(len(blocks[0])):
            digest = blake2b(digest_size=8)
            for block in blocks:
                digest.update(np.ascontiguousarray(block[row]).tobytes())
            found[start + row] = int.from_bytes(digest.digest(), "little")
    return found
