"""The part of each item, where items are cut in an order and not by classes."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def codes_in_order(key: NDArray[Any], sizes: Sequence[int], seed: int) -> NDArray[np.int64]:
    """Numbers the parts from 0 on, (n,), in the order of rising `key` (n,).

    Args:
        sizes: items of each part, n in all.
        seed: says which of equal items come first.
    """
    ties = np.random.default_rng(seed).permutation(len(key))
    codes = np.empty(len(key), np.int64)
    codes[np.lexsort((ties, key))] = np.repeat(np.arange(len(sizes)), sizes)
    return codes
