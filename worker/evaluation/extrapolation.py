"""Labels that a goal would take: the learning curve, continued by a power law.

    e(n) = a + b n^-c,   a, b >= 0,   c in [.05, 2]

(Hestness et al., "Deep learning scaling is predictable, empirically", 2017; Viering & Loog, "The
shape of learning curves: a review", TPAMI 2023.) e is how far the metric is from the best it can
be, a what no number of labels takes away. For each c of a grid a and b are the least squares of the
relative errors; of all the best is taken. The interval comes from curves of seeds drawn anew with
replacement: it says how much the seeds differ, not whether the law holds so far out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.spec.figures import LabelsForGoal
from app.tasks.contract import Metric

FEWEST_BUDGETS = 3
FURTHEST = 100  # times the most labels: beyond that nothing is said
DRAWS = 200
EXPONENTS = np.geomspace(0.05, 2.0, 500)
GOALS = (0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999)  # of rates

Values = NDArray[np.float64]


@dataclass(frozen=True)
class PowerLaw:
    a: float
    b: float
    c: float

    def labels(self, error: float) -> float:
        """That bring it down to `error`; infinite where none do."""
        if error <= self.a or self.b <= 0:
            return np.inf
        return float((self.b / (error - self.a)) ** (1 / self.c))


def fit_power_law(labels: Values, errors: Values) -> PowerLaw:
    """Args: labels and errors above 0, (k,), k >= 2, of a mean curve."""
    u = np.broadcast_to(1 / errors, (len(EXPONENTS), len(labels)))
    v = labels ** -EXPONENTS[:, None] / errors  # a u + b v is to be 1
    uu, uv, vv, u1, v1 = (each.sum(axis=1) for each in (u * u, u * v, v * v, u, v))
    scale = uu * vv - uv**2
    a, b = (u1 * vv - v1 * uv) / scale, (v1 * uu - u1 * uv) / scale
    a, b = np.where(b < 0, u1 / uu, a), np.maximum(b, 0)  # the best lies where one of them is 0
    a, b = np.maximum(a, 0), np.where(a < 0, v1 / vv, b)
    losses = ((a[:, None] * u + b[:, None] * v - 1) ** 2).sum(axis=1)
    best = int(losses.argmin())
    return PowerLaw(float(a[best]), float(b[best]), float(EXPONENTS[best]))


def labels_for_goal(
    arm: str,
    values: Mapping[int, Sequence[float]],
    goal: float | None,
    metric: Metric,
    name: str,
    confidence: float,
    seed: int,
) -> LabelsForGoal | None:
    """Returns what the arm would need for a goal that it has not reached.

    Args:
        values: of the metric, one per replicate, by the labels that they were trained on.
        goal: None: the next round figure of a rate, or half of an error.
        name: of the metric.

    Returns:
        None with fewer than three budgets, without a spread of seeds, where the curve does not
        fall, where the goal is reached with any of the budgets, and where the law would have it
        reached with labels that were not enough.
    """
    labels = np.array(sorted(values), np.float64)
    replicates = min((len(each) for each in values.values()), default=0)
    if len(labels) < FEWEST_BUDGETS or replicates < 2:
        return None
    curves = np.array([list(values[int(n)])[:replicates] for n in labels])  # (budgets, replicates)
    top = metric.bounds[1] if metric.higher_is_better else 0.0
    if top is None:
        return None
    errors = np.abs(top - curves)
    mean = errors.mean(axis=1)
    goal = _next_goal(top, mean, metric) if goal is None else goal
    if goal is None or (mean <= 0).any() or metric.sign * (top - goal) <= 0:
        return None
    wanted = abs(top - goal)
    if (mean <= wanted).any() or mean[-1] >= mean[0]:
        return None
    most = labels[-1] * FURTHEST
    point = fit_power_law(labels, mean).labels(wanted)
    if point <= labels[-1]:
        return None
    drawn = np.random.default_rng(seed).integers(0, replicates, (DRAWS, replicates))
    needed = np.sort(
        [
            fit_power_law(labels, np.maximum(errors[:, draw].mean(axis=1), 1e-9)).labels(wanted)
            for draw in drawn
        ]
    )
    tail = (1 - confidence) / 2
    needed = np.maximum(needed, labels[-1])
    low, high = needed[int(tail * DRAWS)], needed[min(DRAWS - 1, int((1 - tail) * DRAWS))]
    within = [float(each) if each <= most else None for each in (point, low, high)]
    return LabelsForGoal(
        arm=arm,
        goal=goal,
        labels=within[0],
        low=within[1],
        high=within[2],
        budgets=len(labels),
        sentence=_sentence(arm, f"{metric.shown(goal)} {name}", int(labels[-1]), within),
    )


def _next_goal(top: float, mean: Values, metric: Metric) -> float | None:
    if metric.is_rate:
        return next((goal for goal in GOALS if goal > 1 - mean.min()), None)
    return float(top - metric.sign * mean.min() / 2)


def _sentence(arm: str, goal: str, most: int, within: Sequence[float | None]) -> str:
    needed, low, high = within
    if needed is None:
        return (
            f"{arm} is not expected to reach {goal} with {FURTHEST} times the {most} labels, if "
            "its learning curve goes on as it began"
        )
    upto = f"{high:,.0f}" if high is not None else f"more than {FURTHEST * most:,}"
    least = f"{low:,.0f}" if low is not None else f"more than {FURTHEST * most:,}"
    return (
        f"{arm} needs about {needed:,.0f} labels for {goal}, {needed - most:,.0f} more than the "
        f"{most:,} it had at most, if its learning curve goes on as it began (seeds alone say "
        f"{least} to {upto})"
    )
