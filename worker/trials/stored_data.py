"""Stored datasets as arrays."""

import numpy as np

from app.datasets.stored import array_path
from app.storage import Storage
from app.tables.datasets import DatasetRow
from worker.training.data import Split


def dataset_split(storage: Storage, dataset: DatasetRow, split: str) -> Split:
    """`train` or `test`: items memory-mapped, labels in memory."""
    x, y = (
        np.load(array_path(storage, dataset, f"{axis}_{split}"), mmap_mode="r") for axis in "xy"
    )
    return Split(x, np.asarray(y))
