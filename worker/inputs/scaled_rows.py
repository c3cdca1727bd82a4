"""Numbers of a source's rows on the target's scale: each by the statistics of its own domain's
training rows.

moments:    x' = m_t + (x - m_s) d_t / d_s
quantiles:  x' = Q_t(F_s(x))

m, d: mean and deviation; Q, F: quantiles and the distribution, both linear between 65 quantiles. A
network that is trained on x' takes the target's rows as they are. worker/strategies/adabn.py does
so to features; here it is done to what a network sees, before clipping loses it.

Columns of few values stay as they are: codes and counts have no unit that a hospital could choose.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

from app.inputs.columns import BINS, Column, NumberColumn

Rows = NDArray[np.float32]  # (n, columns)
Vector = NDArray[np.float64]

QUANTILES = 65
MOST_CODES = BINS + 1  # different values of a column that may be codes
LARGEST = 1e37


@dataclass(frozen=True, eq=False)
class Scale:
    """Statistics of a column in both domains. `knots` (2, k): values of the source, ascending,
    and what they become; None: a line."""

    source: tuple[float, float]  # mean and deviation
    target: tuple[float, float]
    knots: NDArray[np.float64] | None = None

    def applied(self, x: Vector) -> Vector:
        """x (n,) -> x' (n,); NaN stays NaN."""
        if self.knots is not None:
            return np.where(np.isnan(x), np.nan, np.interp(x, *self.knots))
        (mean_s, spread_s), (mean_t, spread_t) = self.source, self.target
        return mean_t + (x - mean_s) * (spread_t / spread_s)


@dataclass(frozen=True)
class ScaledRows:
    """Change of rows of joint columns; `scales`: by the place of a column."""

    scales: Mapping[int, Scale] = field(default_factory=dict)

    @classmethod
    def fit(
        cls,
        columns: Sequence[Column],
        source: Rows,
        target: Rows,
        by: Literal["moments", "quantiles"],
    ) -> Self:
        """Learns the scale of each number that has more than a few values in both domains.

        Args:
            source, target: training rows of each domain in the joint columns.
        """
        scales = {}
        for place, column in enumerate(columns):
            if isinstance(column, NumberColumn):
                pair = _known(source[:, place]), _known(target[:, place])
                if all(len(np.unique(values)) > MOST_CODES for values in pair):
                    scales[place] = _scale(*pair, by)
        return cls(scales)

    def applied(self, rows: Rows) -> Rows:
        """Rows (n, columns) -> the same with these columns on the target's scale."""
        found = rows.copy()
        for place, scale in self.scales.items():
            x = scale.applied(rows[:, place].astype(np.float64))
            found[:, place] = np.clip(x, -LARGEST, LARGEST)
        return found

    @property
    def told(self) -> NDArray[np.float64]:
        """(columns, 5), as app.spec.rewritten_columns has them without the source."""
        told = [(place, *each.source, *each.target) for place, each in self.scales.items()]
        return np.array(told, np.float64).reshape(-1, 5)


def _known(values: NDArray[np.float32]) -> Vector:
    return values[np.isfinite(values)].astype(np.float64)


def _scale(source: Vector, target: Vector, by: Literal["moments", "quantiles"]) -> Scale:
    moments = (source.mean(), source.std()), (target.mean(), target.std())
    (mean_s, spread_s), (mean_t, spread_t) = ((float(m), float(d)) for m, d in moments)
    knots = None
    if by == "quantiles":
        at = np.linspace(0, 1, QUANTILES)
        of_source, of_target = np.quantile(source, at), np.quantile(target, at)
        values, places = np.unique(of_source, return_inverse=True)
        # A value that many rows have takes the mean of all places that it stands at
        knots = np.stack([values, np.bincount(places, of_target) / np.bincount(places)])
    return Scale((mean_s, spread_s), (mean_t, spread_t), knots)
