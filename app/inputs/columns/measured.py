"""Columns whose values have an order and distances: numbers and dates."""

import math
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from app.inputs.columns.contract import Bounds, ColumnContract, Numbers
from app.tensors import Dtype

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
BINS = 16  # that numbers are cut into, by quantiles of training rows
SECONDS_A_DAY = 86_400
MARGIN = 0.1  # of a range, within which a value outside of it is no doubt
FAR = 10.0  # widths of a range
LARGEST = 1e37  # the differences of two such numbers and their inverse are finite in float32
LEAST_GAP = 1e-36  # of two edges
SAMPLED = 2**17  # values, of which quantiles are taken
LOOKED_AT = 2**10  # values, before all are asked whether they are few
GOLDEN = np.uint64(0x9E3779B97F4A7C15)  # 2^64 divided by the golden ratio


class MeasuredColumn(ColumnContract):
    """Column whose values have an order and distances."""

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

    def typical(self, most: int) -> tuple[float, ...]:
        """Edges that cut training rows into about equal shares; of one, the middle one."""
        if not self.edges:
            return ()
        quantiles = (np.arange(most) + 0.5) / most
        places = np.unique(np.rint(quantiles * (len(self.edges) - 1)).astype(int))
        return tuple(self.edges[place] for place in places)

    @classmethod
    def _learnt(cls, values: Numbers) -> dict[str, Any]:
        """Learns at most BINS + 1 edges. `values` (n,), NaN where one is missing. Quantiles of more
        than 131,072 known values are those of so many of them; the least and the greatest are of
        all."""
        is_known = np.isfinite(values)
        known = (values if is_known.all() else values[is_known]).astype(np.float64, copy=False)
        some = known if len(known) <= SAMPLED else known[_spread(len(known))]
        edges = np.unique(some[:LOOKED_AT].astype(np.float32))
        for more in (some, known):
            if len(edges) <= BINS + 1 and len(more) > LOOKED_AT:
                edges = np.unique(more.astype(np.float32))
        if len(edges) > BINS + 1:
            quantiles = _quantiles(some)
            quantiles[[0, -1]] = known.min(), known.max()
            edges = np.unique(quantiles.astype(np.float32))
        apart = np.diff(edges.astype(np.float64), prepend=-np.inf) >= LEAST_GAP
        return {"edges": tuple(edges[apart].tolist()), "misses": len(known) < len(values)}

    def sketch(self, numbers: Numbers) -> NDArray[np.float32]:
        """Sketch of where a value lies between the edges, by their count (the middle where it is
        missing), and whether it is missing: (m, 2)."""
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


def days_of(moment: datetime) -> float:
    """Since 1970-01-01 UTC; a time without a zone is taken as UTC."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.timestamp() / SECONDS_A_DAY


def _quantiles(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns (BINS + 1,), what `np.quantile` does, to the bit, of a sorted copy and so in half of
    its time. `values` (n,): finite."""
    ordered = np.sort(values)
    at = np.linspace(0, 1, BINS + 1) * (len(ordered) - 1)
    low = np.floor(at).astype(np.intp)
    share = at - low
    below, above = ordered[low], ordered[np.minimum(low + 1, len(ordered) - 1)]
    apart = above - below
    from_below, from_above = below + apart * share, above - apart * (1 - share)
    return np.where(share >= 0.5, from_above, from_below)


def _spread(values: int) -> NDArray[np.uint64]:
    """Returns (SAMPLED,), places among so many values, fewer than 2^32: multiples of the golden
    ratio, modulo 1, lie evenly and in step with no period of the rows."""
    fractions = (np.arange(SAMPLED, dtype=np.uint64) * GOLDEN) >> np.uint64(32)
    places: NDArray[np.uint64] = (fractions * np.uint64(values)) >> np.uint64(32)
    return places
