"""Items that were asked about: raw values as they came, and where they stand in the body."""

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Protocol, Self

import numpy as np
import numpy.typing as npt

from app.errors import invalid
from app.inputs.contract import InputsContract
from app.prediction.feeds import Array, Part
from app.tensors import TensorBatch

Raw = npt.NDArray[Any]  # (n, *shape), integers or floating-point numbers of any width

LARGEST = float(np.finfo(np.float32).max)
PART_VALUES = 2**17
PART_ROWS = 2**10
MOST_VALUES = 2**26  # of all items of a request, decoded: 256 MiB
FEW = 16  # items, whatever their size: what one alone may take, training has borne


class Places(Protocol):
    """Places in a body where the inputs and their values stand."""

    @property
    def at(self) -> str:
        """A pointer to all."""

    def of(self, row: int, *index: int) -> str:
        """A pointer to the input `row`, or to its value at `index`."""

    def of_first(self, wrong: npt.NDArray[np.bool_], first_row: int = 0) -> str:
        """A pointer to the first value that is true in `wrong` (rows, *shape), at least one; its
        first row is the input `first_row`."""


class Place(NamedTuple):
    """Place in a body where the inputs stand, so that a problem can point to one value of one of
    them.

    `at`: a JSON pointer to all. `member`: to the values within an input, where inputs are objects.
    `flat`: the shape of an input, where the values of all stand in one list.
    """

    at: str = "#/inputs"
    member: str = ""
    flat: tuple[int, ...] = ()

    def of(self, row: int, *index: int) -> str:
        if not self.flat:
            return "/".join((f"{self.at}/{row}{self.member}", *map(str, index)))
        within = int(np.ravel_multi_index(index, self.flat)) if index else 0
        return f"{self.at}/{row * math.prod(self.flat) + within}"

    def of_first(self, wrong: npt.NDArray[np.bool_], first_row: int = 0) -> str:
        row, *index = map(int, np.unravel_index(int(wrong.argmax()), wrong.shape))
        return self.of(first_row + row, *index)


class Asked(NamedTuple):
    """Arrays. `parts` hold the inputs in order, n >= 1 of them in all; as float32 they are finite,
    and `least` and `largest` are their extremes."""

    parts: Sequence[Raw]
    least: float
    largest: float
    place: Places = Place()

    @classmethod
    def of(cls, parts: Sequence[Raw], place: Places = Place()) -> Self:
        """Raises Invalid."""
        at, least, largest = 0, math.inf, -math.inf
        for part in parts:
            # A third of what numpy's reductions cost with few values; a NaN is the least as well.
            low, high = float(part.item(part.argmin())), float(part.item(part.argmax()))
            if not (low >= -LARGEST and high <= LARGEST):  # a NaN is both, and neither
                _check_finite(part, at, place)
            least, largest = min(least, low), max(largest, high)
            at += len(part)
        return cls(parts, _rounded(least), _rounded(largest), place)


def _rounded(value: float) -> float:
    """As float32, which whole numbers up to 2^24 are already."""
    is_exact = value.is_integer() and -(2**24) <= value <= 2**24
    return value if is_exact else float(np.float32(value))


def check_room(items: int, inputs: InputsContract, at: str) -> None:
    """Holds a request against the memory that it takes once it is decoded: a few bytes of a body
    may become a text's whole length, or a picture that is missing.

    Raises Invalid. `items`: how many there are at least; `at`: a pointer to what is too much.
    """
    if items > FEW and items * (values := inputs.values) > MOST_VALUES:
        most = max(FEW, MOST_VALUES // values)
        detail = f"expected at most {most} inputs a request, as each becomes {values} numbers"
        raise invalid("too_large", f"{detail}, got more: send fewer", at)


def cut(values: Raw) -> list[Raw]:
    """Parts small enough that each costs a fraction of a millisecond; they share the memory."""
    return [values[at : at + rows] for at, rows in _cuts(values, math.prod(values.shape[1:]))]


def cut_items(part: Part) -> list[Part]:
    """The same of items of one tensor or several."""
    if not isinstance(part, TensorBatch):
        return [*cut(part)]
    return [part[at : at + rows] for at, rows in _cuts(part, part.values)]


def _cuts(part: Part, values: int) -> Iterator[tuple[int, int]]:
    """Where parts begin, and how many items each has; an item has so many `values`."""
    rows = min(PART_ROWS, max(1, PART_VALUES // max(1, values)))
    for at in range(0, len(part), rows):
        yield at, rows


def float32(values: Raw) -> Array:
    """C-contiguous; the values fit, as those of `Asked` do."""
    return np.ascontiguousarray(values, np.float32)


def numbered(parts: Sequence[Raw]) -> Iterator[tuple[int, Array]]:
    """Each part as float32, with the number of its first input."""
    at = 0
    for part in parts:
        yield at, float32(part)
        at += len(part)


def _check_finite(part: Raw, at: int, place: Places) -> None:
    """Raises Invalid."""
    with np.errstate(over="ignore", invalid="ignore"):  # what does not fit becomes infinite
        wrong = ~np.isfinite(float32(part))
    if wrong.any():
        more = " in this part of the inputs" if at else ""
        detail = f"expected finite float32 values, got {int(wrong.sum())} that are not{more}"
        raise invalid("not_finite", detail, place.of_first(wrong, at))
