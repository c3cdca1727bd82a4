"""A worker's context on both databases, without a broker: the tests call what a message wakes."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from app.database import Database
from app.datasets.schemas import Schema
from app.inputs.image import ImageInputs
from app.main import create_app
from app.settings import Settings
from app.storage import Storage
from app.tasks.classification import Classification
from tests.datasets.derived import House
from tests.serving import serve
from tests.trials.stored import add_stored
from worker.machine.context import WorkerContext

CLASSES, TRAIN, TEST = 3, 30, 12
AddDataset = Callable[..., str]


@pytest.fixture
def context(
    database: Database, settings: Settings, storage: Storage, tmp_path: Path
) -> WorkerContext:
    slots = tmp_path / "slots"
    slots.mkdir()
    return WorkerContext(settings, database, storage, slots, is_draining=lambda: False)


@pytest.fixture
def house(context: WorkerContext, settings: Settings) -> Iterator[House]:
    """An API over the same data, without a broker."""
    url = context.database.engine.url.render_as_string(hide_password=False)
    changed = settings.model_copy(update={"database_url": url, "broker_url": "memory://"})
    with serve(create_app(changed)) as client:
        yield House(client, context.database, context.storage, settings)


@pytest.fixture
def add_dataset(context: WorkerContext, tmp_path: Path) -> AddDataset:
    """`add_dataset(seed, project="p")`: stored noise with one bright row a class; the same seed
    is the same content. `permuted`: the training labels; `labelled`: the splits that are;
    `test_classes`: so many of the classes stand in the test; `order`: of the classes, whose
    pictures stay theirs."""

    def add(
        seed: int,
        project: str = "p",
        permuted: bool = False,
        labelled: tuple[str, ...] = ("train", "test"),
        test_classes: int = CLASSES,
        order: tuple[int, ...] = (0, 1, 2),
    ) -> str:
        rng, arrays = np.random.default_rng(seed), dict[str, np.ndarray]()
        classes = tuple("abc"[label] for label in order)
        classes = classes[: CLASSES if "train" in labelled else test_classes]
        counts: dict[str, tuple[int, ...]] = {}
        for split, items in (("train", TRAIN), ("test", TEST)):
            y = (np.arange(items) % (CLASSES if split == "train" else test_classes)).astype(
                np.int32
            )
            x = rng.integers(0, 120, (items, 8, 8, 1), dtype=np.uint8)
            x[np.arange(items), y] += 90
            if permuted and split == "train":
                y = rng.permutation(y)
            y = np.argsort(order).astype(np.int32)[y]
            if split not in labelled:
                y = np.full(items, -1, np.int32)
            counts[split] = tuple(int((y == k).sum()) for k in range(len(classes)))
            arrays |= {f"x_{split}": x, f"y_{split}": y}
        schema = Schema(
            inputs=ImageInputs(shape=(8, 8, 1), dtype="uint8", value_range=(0, 255)),
            task=Classification(classes=classes if labelled else ()),
            splits={"train": TRAIN, "test": TEST},
            class_counts=counts if labelled else {"train": (), "test": ()},
        )
        return add_stored(context, tmp_path, f"rows {seed}", arrays, schema, project)

    return add
