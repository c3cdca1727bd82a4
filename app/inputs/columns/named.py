"""Columns whose values are names: categories and flags."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from app.inputs.columns.contract import Bounds, ColumnContract, Doubt, Numbers
from app.tensors import Dtype

OTHER = "(other)"
MOST_VALUES = 256  # of a category that have a place of their own
SKETCHED_VALUES = 8  # of a category


class CategoryColumn(ColumnContract):
    dtype: ClassVar[Dtype] = "string"
    doubt: ClassVar[Doubt] = "unknown_category"

    kind: Literal["category"] = "category"
    values: tuple[str, ...] = Field(
        description="those that training rows have, the commonest first, at most 256: all others "
        "are `other`"
    )
    others: bool = Field(
        True, description="whether training rows have others: where none did, they count as no one"
    )

    @classmethod
    def fit(
        cls, name: str, values: Sequence[str], counts: Sequence[int], misses: bool = True
    ) -> Self:
        """`values`: each once, with how many training rows have it."""
        order = sorted(zip(values, counts, strict=True), key=lambda each: (-each[1], each[0]))
        kept = tuple(value for value, _ in order[:MOST_VALUES])
        return cls(name=name, values=kept, misses=misses, others=len(order) > len(kept))

    @property
    def expected(self) -> str:
        return "text, a whole number or null"

    @cached_property
    def places(self) -> dict[str, int]:
        return {value: place for place, value in enumerate(self.values)}

    @property
    def width(self) -> int:
        return len(self.values) + 2  # `other`, and whether it is missing

    def read(self, value: Any) -> float:
        return float(self.places.get(category_text(value), len(self.values)))

    @property
    def usual(self) -> Bounds:
        """All of `values`, but not `other`."""
        return 0.0, len(self.values) - 0.5

    @property
    def takes_empty_text(self) -> bool:
        return "" in self.places

    @property
    def extremes(self) -> tuple[float, ...]:
        """The commonest and the rarest value, and `other`."""
        return 0.0, float(max(len(self.values) - 1, 0)), float(len(self.values))

    def typical(self, most: int) -> tuple[float, ...]:
        """The commonest."""
        return tuple(map(float, range(min(most, len(self.values)))))

    def shown(self, number: float) -> str:
        place = int(number)
        return self.values[place] if place < len(self.values) else OTHER

    def sketch(self, numbers: Numbers) -> NDArray[np.float32]:
        """One-hot over its commonest values, all others, and missing: (m, up to 10)."""
        known = min(len(self.values), SKETCHED_VALUES)
        place = np.where(np.isnan(numbers), known + 1, np.minimum(numbers, known))
        return _one_hot(place, known + 2)


class FlagColumn(ColumnContract):
    dtype: ClassVar[Dtype] = "bool"

    kind: Literal["flag"] = "flag"
    values: tuple[str, str] = Field(("false", "true"), description="what means false and true")

    @property
    def expected(self) -> str:
        return "true, false or null, or one of the column's two values"

    @property
    def width(self) -> int:
        return 3  # and whether it is missing

    def read(self, value: Any) -> float:
        if isinstance(value, bool):
            return float(value)
        return float(self.values.index(category_text(value)))

    @property
    def takes_empty_text(self) -> bool:
        return "" in self.values

    @property
    def extremes(self) -> tuple[float, ...]:
        return 0.0, 1.0

    def typical(self, most: int) -> tuple[float, ...]:
        return self.extremes[:most]

    def shown(self, number: float) -> bool:
        return bool(number)

    def sketch(self, numbers: Numbers) -> NDArray[np.float32]:
        """One-hot over false, true and missing: (m, 3)."""
        place = np.where(np.isnan(numbers), 2, numbers)
        return _one_hot(place, 3)


def _one_hot(places: Numbers, width: int) -> NDArray[np.float32]:
    hot: NDArray[np.float32] = (places[:, None] == np.arange(width)).astype(np.float32)
    return hot


def category_text(value: Any) -> str:
    """Text as it is; whole numbers as they are written without a fraction, so that 3.0 is 3.
    Raises ValueError for others."""
    if isinstance(value, str):
        return value
    if type(value) is int or (type(value) is float and value.is_integer()):
        return str(int(value))
    raise ValueError
