"""Columns of a table: what a value of each kind means, and what training rows taught of it.

Each value becomes one float32 number, NaN where it is missing: a number itself, a category or a
flag its place among the values that training rows have, a date its days since 1970-01-01.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

MISSING = math.nan
ABSENT = math.inf  # of a column that a row's whole table does not have: nothing is seen of it
BINS = 16  # that numbers are cut into, by quantiles of training rows
MOST_VALUES = 256  # of a category that have a place of their own
SECONDS_A_DAY = 86_400
LARGEST = float(np.finfo(np.float32).max)


class ColumnContract(BaseModel, ABC):
    """Every member has a `kind`, the word that tells members apart in JSON."""

    model_config = ConfigDict(frozen=True)

    expected: ClassVar[str]  # a value, in words

    kind: str
    name: str
    unit: str = ""

    @property
    @abstractmethod
    def width(self) -> int:
        """Numbers that a network sees of it, one of which says whether it is missing."""

    @abstractmethod
    def read(self, value: Any) -> float:
        """One value as JSON has it, but for null. Raises ValueError: it is none of the column's."""

    @abstractmethod
    def shown(self, number: float) -> Any:
        """The value as JSON has it that `read` makes `number` of; not for NaN."""


class _Measured(ColumnContract):
    """What has an order and distances."""

    edges: tuple[float, ...] = Field(
        description="least value, quantiles and greatest value of training rows, ascending, no two "
        "alike; none where no training row has a value"
    )

    @staticmethod
    def _edges(values: NDArray[Any]) -> tuple[float, ...]:
        """At most BINS + 1 of them. `values` (n,), NaN where one is missing."""
        known = values[np.isfinite(values)].astype(np.float64)
        if not len(known):
            return ()
        quantiles = np.quantile(known, np.linspace(0, 1, BINS + 1))
        return tuple(np.unique(quantiles.astype(np.float32)).tolist())


class NumberColumn(_Measured):
    expected: ClassVar[str] = "a number or null"

    kind: Literal["number"] = "number"

    @classmethod
    def fit(cls, name: str, values: NDArray[Any], unit: str = "") -> Self:
        """`values` (n,): of training rows, NaN where one is missing."""
        return cls(name=name, unit=unit, edges=cls._edges(values))

    @property
    def width(self) -> int:
        return BINS + 1

    def read(self, value: Any) -> float:
        if type(value) not in {int, float} or not abs(value) <= LARGEST:
            raise ValueError
        return float(value)

    def shown(self, number: float) -> float:
        return float(number)


class DateColumn(_Measured):
    expected: ClassVar[str] = "a date as text, such as 2026-11-26 or 2026-11-26T08:30:00Z, or null"

    kind: Literal["date"] = "date"
    format: str | None = Field(
        None, description="of the values, as strptime has it, where they are not as ISO 8601 says"
    )

    @classmethod
    def fit(cls, name: str, days: NDArray[Any], format: str | None = None) -> Self:
        """`days` (n,): of training rows since 1970-01-01, NaN where one is missing."""
        return cls(name=name, format=format, edges=cls._edges(days))

    @property
    def width(self) -> int:
        return BINS + 1 + 4  # sine and cosine of the year's and of the week's phase

    def read(self, value: Any) -> float:
        if not isinstance(value, str):
            raise ValueError
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            if self.format is None:
                raise
            moment = datetime.strptime(value, self.format)
        return days_of(moment)

    def shown(self, number: float) -> str:
        seconds = round(float(number) * SECONDS_A_DAY)
        moment = np.datetime64(0, "s") + np.timedelta64(seconds, "s")
        return str(moment.astype("datetime64[D]")) if seconds % SECONDS_A_DAY == 0 else f"{moment}Z"


class CategoryColumn(ColumnContract):
    expected: ClassVar[str] = "text, a whole number or null"

    kind: Literal["category"] = "category"
    values: tuple[str, ...] = Field(
        description="those that training rows have, the commonest first, at most 256: all others "
        "are `other`"
    )

    @classmethod
    def fit(cls, name: str, values: Sequence[str], counts: Sequence[int]) -> Self:
        """`values`: each once, with how many training rows have it."""
        order = sorted(zip(values, counts, strict=True), key=lambda each: (-each[1], each[0]))
        return cls(name=name, values=tuple(value for value, _ in order[:MOST_VALUES]))

    @cached_property
    def places(self) -> dict[str, int]:
        return {value: place for place, value in enumerate(self.values)}

    @property
    def width(self) -> int:
        return len(self.values) + 2  # `other`, and whether it is missing

    def read(self, value: Any) -> float:
        return float(self.places.get(category_text(value), len(self.values)))

    def shown(self, number: float) -> str:
        place = int(number)
        return self.values[place] if place < len(self.values) else "(other)"


class FlagColumn(ColumnContract):
    expected: ClassVar[str] = "true, false or null, or one of the column's two values"

    kind: Literal["flag"] = "flag"
    values: tuple[str, str] = Field(("false", "true"), description="what means false and true")

    @property
    def width(self) -> int:
        return 3  # and whether it is missing

    def read(self, value: Any) -> float:
        if isinstance(value, bool):
            return float(value)
        return float(self.values.index(category_text(value)))

    def shown(self, number: float) -> bool:
        return bool(number)


Column = Annotated[
    NumberColumn | CategoryColumn | FlagColumn | DateColumn, Field(discriminator="kind")
]


def category_text(value: Any) -> str:
    """Text as it is; whole numbers as they are written without a fraction, so that 3.0 is 3.
    Raises ValueError for others."""
    if isinstance(value, str):
        return value
    if type(value) in {int, float} and float(value).is_integer():
        return str(int(value))
    raise ValueError


def days_of(moment: datetime) -> float:
    """Since 1970-01-01 UTC; a time without a zone is taken as UTC."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.timestamp() / SECONDS_A_DAY
