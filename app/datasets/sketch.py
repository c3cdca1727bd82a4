"""A dataset in 128 kilobytes: a few numbers of some training items (`Inputs.sketch`). The intake
makes it, so that the API can say at once how far two datasets are apart.
"""

import numpy as np

from app.datasets.divergence import mmd_squared, proxy_a_distance
from app.datasets.stored import array_path
from app.inputs.contract import Sketch
from app.storage import Storage
from app.tables.datasets import DatasetRow


def stored_sketch(storage: Storage, row: DatasetRow) -> Sketch | None:
    """Returns None where the dataset is not taken in yet, or was before there were sketches."""
    if "sketch" not in row.arrays:
        return None
    loaded: Sketch = np.load(array_path(storage, row, "sketch"), allow_pickle=False)
    return loaded


def distance(one: Sketch, other: Sketch) -> dict[str, float | None]:
    """`proxy_a_distance`, 0 (alike) to 2 (apart), and `mmd`, the unbiased MMD², 0 or a little less
    to 2; None where a dataset has a single training item, or the sketches are of other columns."""
    if one.shape[1] != other.shape[1]:
        return {"proxy_a_distance": None, "mmd": None}
    return {"proxy_a_distance": proxy_a_distance(one, other), "mmd": mmd_squared(one, other)}
