"""Datasets as an intake leaves them: arrays in the store, a row that is ready."""

from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

import numpy as np

from app.datasets.schemas import Schema
from app.identifiers import new_id
from app.tables.datasets import DatasetRow
from worker.machine.context import WorkerContext


def add_stored(
    context: WorkerContext,
    folder: Path,
    name: str,
    arrays: Mapping[str, np.ndarray],
    schema: Schema,
    project: str = "p",
) -> str:
    """Its id; datasets of one name have one content. `folder`: for files on their way."""
    refs: dict[str, str] = {}
    for array, values in arrays.items():
        path = folder / f"{uuid4().hex}.npy"
        np.save(path, values)
        refs[array] = context.storage.put(path)
    row = DatasetRow(
        id=new_id("ds"),
        project=project,
        name=name,
        origin="upload",
        spec={},
        status="ready",
        arrays=refs,
        schema=schema.model_dump(mode="json"),
        content_hash=f"content of {name}",
    )
    with context.database.write() as session:
        session.add(row)
    return row.id
