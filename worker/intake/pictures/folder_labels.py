"""Names of folders -> labels as an upload of arrays would hold them."""

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from worker.intake.raw import Array

PLAIN = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d{1,3})?", re.ASCII)


def label_array(names: Sequence[str | None]) -> tuple[Array, NDArray[np.bool]]:
    """(n,), numbers where all names are some, else text; and whether each is there. What stands
    where none is means nothing."""
    known = np.array([name is not None for name in names])
    texts = [name for name in names if name is not None]
    numbers = [_number(text) for text in texts]
    held: Array = np.array(texts)
    if texts and all(number is not None for number in numbers):
        is_whole = all(type(number) is int for number in numbers)
        held = np.array(numbers, np.int64 if is_whole else np.float64)
    labels = np.zeros(len(names), held.dtype)
    labels[known] = held
    return labels, known


def _number(text: str) -> int | float | None:
    """Text that is no plain number, as `007` or ` 7`, stays text."""
    if not PLAIN.fullmatch(text):
        return None
    number = float(text)
    if not np.isfinite(number):
        return None
    return int(text) if text.lstrip("-").isdecimal() and abs(number) < 2**53 else number
