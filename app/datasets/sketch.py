"""A dataset in 128 kilobytes: small grey pictures of some training items. The intake makes it, so
that the API can say at once how far two datasets are apart.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.datasets.divergence import mmd_squared, proxy_a_distance
from app.datasets.stored import array_path
from app.storage import Storage
from app.tables.datasets import DatasetRow

ITEMS = 512
SIDE = 8
SEED = 0

Sketch = NDArray[np.float32]


def sketch(images: NDArray[Any], value_range: tuple[float, float]) -> Sketch:
    """Up to 512 pictures, always the same ones, as 8 × 8 means over their area and channels.

    Args:
        images: (n, height, width, channels), raw; may be a memory map.
        value_range: the raw values that become 0 and 1.

    Returns:
        (min(n, 512), 64), in a random order.
    """
    _, height, width, _ = images.shape
    low, high = value_range
    rows = np.random.default_rng(SEED).choice(
        len(images), min(len(images), ITEMS), replace=False, shuffle=True
    )
    down, across = _areas(height), _areas(width).T
    drawn = np.empty((len(rows), SIDE, SIDE))
    for place, row in enumerate(rows):  # one at a time: pictures may be large
        drawn[place] = down @ images[row].mean(axis=2, dtype=np.float64) @ across
    return ((drawn - low) / (high - low)).astype(np.float32).reshape(len(rows), -1)


def _areas(length: int) -> NDArray[np.float64]:
    """(8, length): the pixels' shares in each of 8 equal stretches of a line; rows sum to 1."""
    edges = np.arange(SIDE + 1) * (length / SIDE)
    pixels = np.arange(length)
    overlap = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    shares: NDArray[np.float64] = np.maximum(overlap, 0) * (SIDE / length)
    return shares


def stored_sketch(storage: Storage, row: DatasetRow) -> Sketch | None:
    """None where the dataset is not taken in yet, or was before there were sketches."""
    if "sketch" not in row.arrays:
        return None
    loaded: Sketch = np.load(array_path(storage, row, "sketch"), allow_pickle=False)
    return loaded


def distance(one: Sketch, other: Sketch) -> dict[str, float | None]:
    """`proxy_a_distance`, 0 (alike) to 2 (apart), and `mmd`, the unbiased MMD², 0 or a little less
    to 2; None where a dataset has a single training item."""
    return {"proxy_a_distance": proxy_a_distance(one, other), "mmd": mmd_squared(one, other)}
