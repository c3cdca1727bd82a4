"""Memory for rows that are made when a trial begins."""

from tempfile import TemporaryFile
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST_BYTES = 256 * 2**20  # of rows that are held in memory


def room(shape: tuple[int, ...], dtype: Any = np.float32) -> NDArray[Any]:
    """An array to write to, float32 by itself. A large one is a file without a name, which ends
    with it."""
    if np.dtype(dtype).itemsize * int(np.prod(shape)) <= MOST_BYTES:
        return np.empty(shape, dtype)
    with TemporaryFile() as file:
        return np.memmap(file, dtype, "w+", shape=shape)
