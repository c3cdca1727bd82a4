"""Transfer against scratch from few labels to all."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import exp, log
from typing import Literal

import numpy as np

from app.spec.figures import LabelsToReach
from app.spec.intervals import Gain
from app.spec.report import CurvePoint
from app.spec.spec import ResolvedSpec
from app.spec.strategies import BASELINE
from app.tasks.contract import Metric
from worker.evaluation.arms import metric_interval
from worker.evaluation.evidence import Evidence

_OF_MEANS = ", by the means alone: with as many labels the two are not shown to differ"


def curve_point(
    labels_per_class: int | None,
    labels: int,
    arms: Mapping[str, Evidence],
    gains: Mapping[str, Gain],
    spec: ResolvedSpec,
) -> CurvePoint:
    metric, confidence = spec.evaluation.primary_metric, spec.evaluation.confidence
    return CurvePoint(
        labels_per_class=labels_per_class,
        labels=labels,
        arms={
            name: metric_interval(evidence, metric, confidence) for name, evidence in arms.items()
        },
        gains=dict(gains),
    )


def labels_to_reach(
    arm: str,
    value: float,
    labels: int,
    curve: Sequence[CurvePoint],
    metric: Metric,
    is_shown: bool = True,
) -> LabelsToReach | None:
    """Estimates how many labels scratch needs for the mean metric that an arm reaches with its own.

    Between two budgets scratch's mean is linear in log labels. Where it is worse with more labels
    it counts as the best that it has already been, so that there is one answer.

    Args:
        value: the arm's mean on the test items.
        labels: that the arm was trained on, all classes together.
        curve: by rising budget.
        metric: how the values are read.
        is_shown: whether the arm's gain over scratch with as many labels rules 0 out; else the
            sentence says that the means alone speak.

    Returns:
        None where scratch was trained at fewer than two budgets.
    """
    points = [point for point in curve if BASELINE in point.arms]
    if len(points) < 2:
        return None
    budgets = [point.labels for point in points]
    merits = [metric.sign * point.arms[BASELINE].mean for point in points]
    reached, merit = np.maximum.accumulate(merits).tolist(), metric.sign * value
    bound: Literal["at_least", "at_most"] | None = None
    if merit > reached[-1]:
        bound, needed = "at_least", float(budgets[-1])
        than, end = "more than ", f": {budgets[-1]} are too few"
    elif merit < reached[0]:
        bound, needed = "at_most", float(budgets[0])
        than, end = "less than ", f": {budgets[0]} are more than enough"
    else:
        needed, than, end = _labels_where(merit, reached, budgets), "", ""
    ratio = needed / labels
    return LabelsToReach(
        labels=labels,
        metric=value,
        scratch_labels=None if bound else needed,
        ratio=ratio,
        bound=bound,
        sentence=f"{BASELINE} needs {than}{_times(ratio)} times the labels of {arm}{end}"
        f"{'' if is_shown else _OF_MEANS}",
    )


def baseline_falls(curve: Sequence[CurvePoint], metric: Metric) -> bool:
    """Tells whether scratch's mean is worse with more labels somewhere."""
    means = [point.arms[BASELINE].mean for point in curve if BASELINE in point.arms]
    return any(metric.sign * (later - earlier) < 0 for earlier, later in pairwise(means))


def _labels_where(merit: float, reached: Sequence[float], budgets: Sequence[int]) -> float:
    """`reached` rises, and `merit` lies within it."""
    end = next(k for k, value in enumerate(reached) if value >= merit)
    if reached[end] == merit:
        return float(budgets[end])
    low, high = reached[end - 1], reached[end]
    share = (merit - low) / (high - low)
    return exp(log(budgets[end - 1]) + share * (log(budgets[end]) - log(budgets[end - 1])))


def _times(ratio: float) -> str:
    return f"{ratio:.2f}" if ratio < 1 else f"{ratio:.1f}"
