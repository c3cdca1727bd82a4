"""Means over seeds as the report has them."""

from collections.abc import Sequence
from dataclasses import asdict

from app.spec.intervals import Interval
from worker.evaluation.arrays import Floats
from worker.evaluation.statistics import RATE, Range, mean_interval


def interval(
    values: Sequence[float] | Floats,
    confidence: float,
    within: Range = RATE,
    items: int | None = None,
) -> Interval:
    """The t-interval of worker.evaluation.statistics.mean_interval as a part of the report."""
    return Interval(**asdict(mean_interval(values, confidence, within, items)))
