"""A source that holds items of the target's, through a whole job."""

from pathlib import Path

import numpy as np
import pytest

from app.datasets.schemas import Schema
from app.inputs.image import ImageInputs
from app.tasks.classification import Classification
from tests.trials.jobs import report_of, run, submit
from tests.trials.stored import add_stored
from worker.machine.context import WorkerContext
from worker.training.items import Items
from worker.trials.shared_items import hashes_of

ITEMS, SIDE = 40, 6


def pictures(seed: int) -> np.ndarray:
    """A bright row for the class of each of 40 items; classes 0 and 1 by turns."""
    x = np.random.default_rng(seed).integers(0, 120, (ITEMS, SIDE, SIDE, 1), dtype=np.uint8)
    x[np.arange(ITEMS), np.arange(ITEMS) % 2] += 90
    return x


def add(
    context: WorkerContext, folder: Path, name: str, train: np.ndarray, test: np.ndarray
) -> str:
    y = (np.arange(ITEMS) % 2).astype(np.int32)
    inputs = ImageInputs(shape=(SIDE, SIDE, 1), dtype="uint8", value_range=(0, 255))
    arrays = {"x_train": train, "y_train": y, "x_test": test, "y_test": y}
    arrays["sketch"] = inputs.sketch({"image": train})
    schema = Schema(
        inputs=inputs,
        task=Classification(classes=("a", "b")),
        splits={"train": ITEMS, "test": ITEMS},
        class_counts={"train": (20, 20), "test": (20, 20)},
    )
    return add_stored(context, folder, name, arrays, schema)


@pytest.mark.slow
def test_test_items_in_the_source_are_found_whatever_they_are_called(
    context: WorkerContext, tmp_path: Path
) -> None:
    own, held, others = pictures(1), pictures(2), pictures(3)
    target = add(context, tmp_path, "hospital", own, held)
    mixed = np.concatenate([held[:10], own[:2], others[12:]])
    leaking = add(context, tmp_path, "all hospitals", mixed, others)
    apart = add(context, tmp_path, "another", others, pictures(4))
    for source, count, seed in ((leaking, 10, 0), (leaking, 10, 3), (apart, 0, 0)):
        job, _ = run(context, submit(context, [{"dataset": source}], target, seed=seed))
        reason = report_of(job).reason
        said = "10 of 40 test items stand among the training items of the source all hospitals"
        assert (said in reason) == bool(count)
        assert "stand among" not in reason or count


def test_equal_items_have_equal_hashes() -> None:
    rows = np.array([[1, 2], [3, 4], [1, 2], [np.nan, 0]], np.float32)
    texts = np.array([[5], [5], [5], [6]], np.int32)
    items = Items.of({"row": rows, "text": texts})
    one, other, third, fourth = hashes_of(items).tolist()
    assert one == third
    assert len({one, other, fourth}) == 3
    assert hashes_of(items.select([2, 0])).tolist() == [third, one]
