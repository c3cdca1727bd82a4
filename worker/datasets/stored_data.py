"""Stored datasets as arrays."""

from tempfile import TemporaryFile

import numpy as np

from app.datasets.schemas import Schema
from app.datasets.stored import array_path
from app.inputs.joint_columns import Adoption, Rows
from app.inputs.table import ROW, TableInputs
from app.storage import Storage
from app.tables.datasets import DatasetRow
from worker.training.data import Split
from worker.training.items import Items

BLOCK_ROWS = 65_536
MOST_BYTES = 256 * 2**20  # of rewritten rows that are held in memory


def dataset_split(
    storage: Storage, dataset: DatasetRow, split: str, adoption: Adoption | None = None
) -> Split:
    """`train` or `test`: items memory-mapped, labels in memory.

    `adoption`: how rows of its table become the network's.
    """
    schema = Schema.model_validate(dataset.schema)
    names = schema.inputs.arrays(split)
    columns = {
        tensor: np.load(array_path(storage, dataset, name), mmap_mode="r")
        for tensor, name in names.items()
    }
    labels = np.load(array_path(storage, dataset, f"y_{split}"))
    key = " ".join(dataset.arrays[name] for name in names.values())
    items = Items.of(columns, key)
    if adoption and isinstance(schema.inputs, TableInputs):
        items = _adopted(items, schema.inputs, adoption)
    return Split.stored(items, labels)


def _adopted(items: Items, own: TableInputs, adoption: Adoption) -> Items:
    """Rows in the columns of the job's network; those that are so already stay where they are.
    Many are written to a file without a name, which ends with them."""
    if adoption.is_plain(own):
        return items
    shape = len(items), len(adoption.joint.columns)
    rows = _room(shape)
    for start in range(0, len(items), BLOCK_ROWS):
        block = slice(start, start + BLOCK_ROWS)
        adoption.rows(own, items.read(start, start + BLOCK_ROWS)[ROW], rows[block])
    return Items.of({ROW: rows}, f"{items.key} {adoption.key}")


def _room(shape: tuple[int, int]) -> Rows:
    if 4 * shape[0] * shape[1] <= MOST_BYTES:
        return np.empty(shape, np.float32)
    with TemporaryFile() as file:
        return np.memmap(file, np.float32, "w+", shape=shape)
