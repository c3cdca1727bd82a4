"""A worker's place on both databases, without a broker: the tests call what a message wakes."""

from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest

from app.database import Database
from app.datasets.schemas import Schema
from app.datasets.tables import DatasetRow
from app.identifiers import new_id
from app.settings import Settings
from app.storage import Storage
from worker.workplace import Workplace

CLASSES, TRAIN, TEST = 3, 30, 12
AddDataset = Callable[..., str]


@pytest.fixture
def place(database: Database, settings: Settings, storage: Storage, tmp_path: Path) -> Workplace:
    slots = tmp_path / "slots"
    slots.mkdir()
    return Workplace(settings, database, storage, slots, is_draining=lambda: False)


@pytest.fixture
def add_dataset(place: Workplace, tmp_path: Path) -> AddDataset:
    """`add_dataset(seed, project="p")`: stored noise with one bright row a class; the same seed
    is the same content."""

    def add(seed: int, project: str = "p") -> str:
        rng, arrays = np.random.default_rng(seed), {}
        for split, items in (("train", TRAIN), ("test", TEST)):
            y = (np.arange(items) % CLASSES).astype(np.int32)
            x = rng.integers(0, 120, (items, 8, 8, 1), dtype=np.uint8)
            x[np.arange(items), y] += 90
            for axis, array in (("x", x), ("y", y)):
                path = tmp_path / f"{uuid4().hex}.npy"
                np.save(path, array)
                arrays[f"{axis}_{split}"] = place.storage.put(path)
        schema = Schema(
            modality="image",
            task="classification",
            shape=(8, 8, 1),
            dtype="uint8",
            value_range=(0, 255),
            classes=("a", "b", "c"),
            splits={"train": TRAIN, "test": TEST},
            class_counts={
                "train": (TRAIN // CLASSES,) * CLASSES,
                "test": (TEST // CLASSES,) * CLASSES,
            },
        )
        row = DatasetRow(
            id=new_id("ds"),
            project=project,
            name=f"rows {seed}",
            origin="upload",
            spec={},
            status="ready",
            arrays=arrays,
            schema=schema.model_dump(mode="json"),
            content_hash=f"content {seed}",
        )
        with place.database.write() as session:
            session.add(row)
        return row.id

    return add
