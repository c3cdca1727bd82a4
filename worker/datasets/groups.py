"""Items of a stored dataset that belong together, as rows of one patient."""

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from app.datasets.schemas import Schema
from app.datasets.stored import array_path
from app.storage import Storage
from app.tables.datasets import DatasetRow
from worker.datasets.stored_rows import StoredRows


def groups_of(
    storage: Storage, dataset: DatasetRow, schema: Schema, split: str
) -> NDArray[np.int64] | None:
    """Numbers the groups of a split's items, (n,), by the column with the role `group`; one
    without a value is a group of its own. None where no column has the role. Raises
    DamagedArtifact."""
    name = next((column.name for column in schema.columns if column.role == "group"), None)
    if name is None or "rows" not in dataset.arrays:
        return None
    column = StoredRows(array_path(storage, dataset, "rows")).column(name)
    first = schema.splits["train"]  # test rows stand behind these
    own = column.slice(0, first) if split == "train" else column.slice(first)
    encoded = own.combine_chunks().dictionary_encode()
    codes: NDArray[np.int64] = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False)
    codes = codes.astype(np.int64)
    alone = codes < 0
    codes[alone] = len(encoded.dictionary) + np.arange(int(alone.sum()))
    return codes
