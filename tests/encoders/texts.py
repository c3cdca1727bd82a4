"""Stored datasets of texts, as an intake leaves them."""

from pathlib import Path

import numpy as np

from app.datasets.schemas import Schema
from app.inputs.text import TextInputs, coded
from app.tasks.classification import Classification
from tests.trials.stored import add_stored
from worker.machine.context import WorkerContext

GOOD = ("great food", "very good", "I love it", "excellent service", "wonderful day", "so nice")
BAD = ("awful food", "very bad", "I hate it", "terrible service", "horrible day", "so ugly")
LENGTH = 32


def add_texts(
    context: WorkerContext,
    folder: Path,
    name: str,
    good: tuple[str, ...] = GOOD,
    bad: tuple[str, ...] = BAD,
    labelled: bool = True,
) -> str:
    """Its id. The training items are all texts, half of them bad; the test items every second."""
    texts, y = [*good, *bad], np.repeat([1, 0], [len(good), len(bad)]).astype(np.int32)
    x = coded(texts, LENGTH)
    arrays = {"x_train": x, "x_test": x[::2], "y_train": y, "y_test": y[::2]}
    counts = {s: tuple(np.bincount(arrays[f"y_{s}"]).tolist()) for s in ("train", "test")}
    if not labelled:
        arrays["y_train"] = np.full_like(y, -1)
        counts["train"] = (0, 0)
    schema = Schema(
        inputs=TextInputs(length=LENGTH),
        task=Classification(classes=("bad", "good")),
        splits={"train": len(y), "test": len(y[::2])},
        class_counts=counts,
    )
    return add_stored(context, folder, name, arrays, schema)
