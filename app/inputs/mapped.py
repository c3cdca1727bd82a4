"""Arrays that are files, mapped into memory."""

import mmap
from typing import Any

import numpy as np
from numpy.typing import NDArray


def let_go(array: NDArray[Any]) -> None:
    """Lets go of the pages of a mapped array's file that were read, which else count as this
    process's memory until all of a large file does. Other arrays, and writable ones, stay as they
    are."""
    owner: Any = array
    while isinstance(owner, np.ndarray):
        owner = owner.base
    if isinstance(owner, mmap.mmap) and not array.flags.writeable:
        owner.madvise(mmap.MADV_DONTNEED)
