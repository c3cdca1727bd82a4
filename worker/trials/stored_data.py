"""Stored datasets as arrays."""

import numpy as np

from app.datasets.schemas import Schema
from app.datasets.stored import array_path
from app.storage import Storage
from app.tables.datasets import DatasetRow
from worker.training.data import Split
from worker.training.items import Items


def dataset_split(storage: Storage, dataset: DatasetRow, split: str) -> Split:
    """`train` or `test`: items memory-mapped, labels in memory."""
    schema = Schema.model_validate(dataset.schema)
    names = schema.inputs.arrays(split)
    columns = {
        tensor: np.load(array_path(storage, dataset, name), mmap_mode="r")
        for tensor, name in names.items()
    }
    labels = np.load(array_path(storage, dataset, f"y_{split}"))
    key = " ".join(dataset.arrays[name] for name in names.values())
    return Split.stored(Items.of(columns, key), labels)
