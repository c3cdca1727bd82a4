"""Letters of one case, and full-width forms as ASCII: the same in a graph and beside it."""

import numpy as np
from numpy.typing import NDArray

FOLDED = 0x0590  # Latin, Greek, Cyrillic and Armenian stand before it
WIDE, WIDE_END, TO_ASCII = 0xFF01, 0xFF5E, 0xFEE0  # full-width forms of ASCII


def lower_case() -> NDArray[np.int32]:
    """(FOLDED,), of each code point that of its lower case, where that is one."""
    lower = [chr(code).lower() for code in range(FOLDED)]
    return np.array(
        [ord(low) if len(low) == 1 else code for code, low in enumerate(lower)], np.int32
    )


def folded(codes: NDArray[np.int32]) -> NDArray[np.int32]:
    """Code points of any shape."""
    codes = np.where((codes >= WIDE) & (codes <= WIDE_END), codes - TO_ASCII, codes)
    lower = lower_case()[np.minimum(codes, FOLDED - 1)]
    found: NDArray[np.int32] = np.where(codes < FOLDED, lower, codes).astype(np.int32)
    return found
