"""Products of an intake: files of a work folder, a schema, a profile."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any

import numpy as np
from pydantic_core import to_json

from app.datasets.schemas import Schema

TRAIN = "train"


@dataclass(frozen=True)
class IngestedDataset:
    schema: Schema
    profile: dict[str, Any]
    arrays: dict[str, Path]  # x_train, y_train, x_test, y_test, sketch; rows of a table
    content_hash: str  # sha256, hexadecimal, of the schema and the items with their labels


def content_hash(schema: Schema, arrays: Mapping[str, Path]) -> str:
    """Hash of the content and of the flat form that schemas had when the first datasets were
    hashed: equal data keep equal hashes. `arrays`: without the sketch."""
    fields = schema.model_dump(mode="json")
    if not schema.columns:
        del fields["columns"]
    inputs, task = fields.pop("inputs"), fields.pop("task")
    flat = {"modality": inputs.pop("modality"), "task": task.pop("kind"), **inputs, **task}
    if schema.columns:  # of the upload; a table's inputs have columns too
        flat["inputs"] = inputs
    digest = sha256(to_json(flat | fields))
    for name in sorted(arrays):
        with arrays[name].open("rb") as stream:
            digest.update(file_digest(stream, "sha256").digest())
    return digest.hexdigest()


def store_sketch(x_train: Path, schema: Schema, workdir: Path) -> Path:
    """Stores the sketch of items of one tensor."""
    return store_sketch_of({f"x_{TRAIN}": x_train}, schema, workdir)


def store_sketch_of(arrays: Mapping[str, Path], schema: Schema, workdir: Path) -> Path:
    """`arrays`: by the names that they are stored under."""
    target = workdir / "sketch.npy"
    items = {
        tensor: np.load(arrays[name], mmap_mode="r", allow_pickle=False)
        for tensor, name in schema.inputs.arrays(TRAIN).items()
    }
    np.save(target, schema.inputs.sketch(items), allow_pickle=False)
    return target
