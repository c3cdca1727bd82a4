"""Columns of a table: what a value of each kind means, and what training rows taught of it.

Each value becomes one float32 number, NaN where it is missing: a number itself, a category or a
flag its place among the values that training rows have, a date its days since 1970-01-01. float32
has 24 bits: whole numbers are exact up to 16,777,216, others to 7 digits, dates to the day over
all years and the time of day to a minute and a half in 2014 to 2059.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from app.tensors import Dtype

Numbers = NDArray[Any]  # (n,), NaN where a value is missing

MISSING = math.nan
ABSENT = math.inf  # of a column that a row's whole table does not have: nothing is seen of it
OTHER = "(other)"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
BINS = 16  # that numbers are cut into, by quantiles of training rows
MOST_VALUES = 256  # of a category that have a place of their own
SECONDS_A_DAY = 86_400
MARGIN = 0.1  # of a range, within which a value outside of it is no doubt
FAR = 10.0  # widths of a range
LARGEST = 1e37  # the differences of two such numbers and their inverse are finite in float32
LEAST_GAP = 1e-36  # of two edges
SKETCHED_VALUES = 8  # of a category
Bounds = tuple[float, float]
Doubt = Literal["out_of_range", "unknown_category"]


class ColumnContract(BaseModel, ABC):
    """Every member has a `kind`, the word that tells members apart in JSON."""

    model_config = ConfigDict(frozen=True)

    dtype: ClassVar[Dtype]  # of a tensor of its values alone
    doubt: ClassVar[Doubt] = "out_of_range"  # what is said of a value that is not usual

    kind: str
    name: str
    unit: str = ""
    misses: bool = Field(
        True,
        description="whether training rows lack some of its values: where none did, networks never "
        "learnt what a missing one means, and it counts as a middling number or as no category",
    )

    @property
    @abstractmethod
    def expected(self) -> str:
        """A value, in words."""

    @property
    @abstractmethod
    def width(self) -> int:
        """Numbers that a network sees of it, one of which says whether it is missing."""

    @abstractmethod
    def read(self, value: Any) -> float:
        """One value as JSON has it, but for null. Raises ValueError: it is none of the column's."""

    @property
    def usual(self) -> Bounds:
        """The least and the greatest number, as `read` makes them, of which there is no doubt."""
        return -math.inf, math.inf

    @property
    def takes_empty_text(self) -> bool:
        """Whether empty text is one of the column's values."""
        return False

    @property
    @abstractmethod
    def extremes(self) -> tuple[float, ...]:
        """Values at the edges of what clients may send, as `read` makes them."""

    @abstractmethod
    def shown(self, number: float) -> Any:
        """The value as JSON has it that `read` makes `number` of; not for NaN."""

    @abstractmethod
    def sketch(self, numbers: Numbers) -> NDArray[np.float32]:
        """A few numbers (m, d) in 0..1 of each value (m,), by which tables are compared."""


class MeasuredColumn(ColumnContract):
    """What has an order and distances."""

    edges: tuple[float, ...] = Field(
        description="values of training rows, ascending, no two alike: all of them where they are "
        "few, else the least, quantiles and the greatest; none where no training row has a value"
    )

    @property
    def usual(self) -> Bounds:
        """The training rows' range and a tenth of its width on both sides; of no rows none."""
        if not self.edges:
            return math.inf, -math.inf
        low, high = self.edges[0], self.edges[-1]
        margin = MARGIN * (high - low)
        return low - margin, high + margin

    @property
    def extremes(self) -> tuple[float, ...]:
        """The least and the greatest value, and two far outside."""
        low, high = (self.edges[0], self.edges[-1]) if self.edges else (0.0, 0.0)
        width = (high - low) or 1.0
        return low, high, low - FAR * width, high + FAR * width

    @classmethod
    def _learnt(cls, values: Numbers) -> dict[str, Any]:
        """At most BINS + 1 edges. `values` (n,), NaN where one is missing."""
        known = values[np.isfinite(values)].astype(np.float64)
        edges = np.unique(known.astype(np.float32))
        if len(edges) > BINS + 1:
            quantiles = np.quantile(known, np.linspace(0, 1, BINS + 1))
            edges = np.unique(quantiles.astype(np.float32))
        apart = np.diff(edges.astype(np.float64), prepend=-np.inf) >= LEAST_GAP
        return {"edges": tuple(edges[apart].tolist()), "misses": len(known) < len(values)}

    def sketch(self, numbers: Numbers) -> NDArray[np.float32]:
        """Where it lies between the edges, by their count (the middle where it is missing), and
        whether it is missing: (m, 2)."""
        edges = np.array(self.edges or (0.0,), np.float64)
        ranks = np.linspace(0, 1, len(edges)) if len(edges) > 1 else np.array([0.5])
        is_missing = np.isnan(numbers)
        place = np.interp(np.where(is_missing, edges[0], numbers), edges, ranks)
        return np.stack([np.where(is_missing, 0.5, place), is_missing], 1).astype(np.float32)


class NumberColumn(MeasuredColumn):
    dtype: ClassVar[Dtype] = "float32"

    kind: Literal["number"] = "number"

    @classmethod
    def fit(cls, name: str, values: Numbers, unit: str = "") -> Self:
        """`values` (n,): of training rows, NaN where one is missing."""
        return cls(name=name, unit=unit, **cls._learnt(values))

    @property
    def expected(self) -> str:
        return f"a number from {-LARGEST:g} to {LARGEST:g} or null"

    @property
    def width(self) -> int:
        return BINS + 1

    def read(self, value: Any) -> float:
        if type(value) not in {int, float} or not abs(value) <= LARGEST:
            raise ValueError
        return float(value)

    def shown(self, number: float) -> float:
        """The shortest decimal that float32 has the number for."""
        return float(str(np.float32(number)))


class DateColumn(MeasuredColumn):
    dtype: ClassVar[Dtype] = "string"

    kind: Literal["date"] = "date"
    format: str | None = Field(
        None, description="of the values, as strptime has it, where they are not as ISO 8601 says"
    )

    @property
    def expected(self) -> str:
        if self.format is not None:
            return f"a date as text in the form {self.format}, or null"
        return "a date as text, such as 2026-11-26 or 2026-11-26T08:30:00Z, or null"

    @classmethod
    def fit(cls, name: str, days: Numbers, format: str | None = None) -> Self:
        """`days` (n,): of training rows since 1970-01-01, NaN where one is missing."""
        return cls(name=name, format=format, **cls._learnt(days))

    @property
    def width(self) -> int:
        return BINS + 1 + 4  # sine and cosine of the year's and of the week's phase

    def read(self, value: Any) -> float:
        if not isinstance(value, str):
            raise ValueError
        if self.format is None:
            return days_of(datetime.fromisoformat(value))
        return days_of(datetime.strptime(value, self.format))

    def shown(self, number: float) -> str:
        seconds = round(float(number) * SECONDS_A_DAY)
        moment = EPOCH + timedelta(seconds=seconds)
        if self.format is not None:
            return moment.strftime(self.format)
        is_day = seconds % SECONDS_A_DAY == 0
        return moment.date().isoformat() if is_day else f"{moment:%Y-%m-%dT%H:%M:%S}Z"


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

    def shown(self, number: float) -> bool:
        return bool(number)

    def sketch(self, numbers: Numbers) -> NDArray[np.float32]:
        """One-hot over false, true and missing: (m, 3)."""
        place = np.where(np.isnan(numbers), 2, numbers)
        return _one_hot(place, 3)


Column = Annotated[
    NumberColumn | CategoryColumn | FlagColumn | DateColumn, Field(discriminator="kind")
]


def _one_hot(places: Numbers, width: int) -> NDArray[np.float32]:
    hot: NDArray[np.float32] = (places[:, None] == np.arange(width)).astype(np.float32)
    return hot


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
