"""What was asked: raw values as they came, and what is wanted of them."""

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from app.errors import invalid
from app.prediction.sessions import Array

Raw = npt.NDArray[Any]  # (n, *shape), integers or floating-point numbers of any width

LARGEST = float(np.finfo(np.float32).max)
PART_VALUES = 2**17
PART_ROWS = 2**10


class Read(NamedTuple):
    """What a body says, before it is checked."""

    parts: Sequence[Raw]
    top_k: int | None = None
    raw_scores: bool = False


class Asked(NamedTuple):
    """`parts` hold the inputs in order, n >= 1 of them in all; as float32 they are finite, and
    `least` and `largest` are their extremes. `top_k`: 1..classes, or None."""

    parts: Sequence[Raw]
    least: float
    largest: float
    top_k: int | None
    raw_scores: bool

    @classmethod
    def of(cls, read: Read, classes: int) -> Self:
        """Raises Invalid."""
        if read.top_k is not None and read.top_k > classes:
            detail = f"expected at most {classes}, the number of classes, got {read.top_k}"
            raise invalid("invalid_value", detail, "#/top_k")
        at, least, largest = 0, math.inf, -math.inf
        for part in read.parts:
            low, high = float(np.minimum.reduce(part, None)), float(np.maximum.reduce(part, None))
            if not (low >= -LARGEST and high <= LARGEST):  # a NaN is both, and neither
                _check_finite(part, at)
            least, largest = min(least, low), max(largest, high)
            at += len(part)
        extremes = float(np.float32(least)), float(np.float32(largest))
        return cls(read.parts, *extremes, read.top_k, read.raw_scores)

    @property
    def rows(self) -> int:
        return sum(map(len, self.parts))

    @property
    def scores(self) -> int:
        """How many the answer holds."""
        return self.rows * (self.top_k or 1)


def cut(values: Raw) -> list[Raw]:
    """Parts small enough that each costs a fraction of a millisecond; they share the memory."""
    rows = min(PART_ROWS, max(1, PART_VALUES // math.prod(values.shape[1:])))
    return [values[at : at + rows] for at in range(0, len(values), rows)]


def float32(values: Raw) -> Array:
    """C-contiguous; the values fit, as those of `Asked` do."""
    return np.ascontiguousarray(values, np.float32)


def numbered(parts: Sequence[Raw]) -> Iterator[tuple[int, Array]]:
    """Each part as float32, with the number of its first input."""
    at = 0
    for part in parts:
        yield at, float32(part)
        at += len(part)


def pointer_to_first(wrong: npt.NDArray[np.bool_], at: int = 0) -> str:
    """To the first value that is true in `wrong` (rows, *shape), at least one; its first row is
    the input `at`."""
    row, *rest = np.unravel_index(int(wrong.argmax()), wrong.shape)
    return f"#/inputs/{'/'.join(map(str, (at + row, *rest)))}"


def _check_finite(part: Raw, at: int) -> None:
    """Raises Invalid."""
    with np.errstate(over="ignore", invalid="ignore"):  # what does not fit becomes infinite
        wrong = ~np.isfinite(float32(part))
    if wrong.any():
        more = " in this part of the inputs" if at else ""
        detail = f"expected finite float32 values, got {int(wrong.sum())} that are not{more}"
        raise invalid("not_finite", detail, pointer_to_first(wrong, at))
