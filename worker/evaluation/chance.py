"""What answers that look at no item score, and which arms are no better.

An arm is above chance where its mean over the seeds exceeds the better of guessing (1 / classes)
and always answering the commonest class by more than the noise of that many items:

    m > r + z √(Σ_k w_k² r (1 - r) / n_k),  z = 1.645 (one-sided, 95 %)

with n_k items of class k and the metric m = Σ_k w_k recall_k: w_k = n_k / n for accuracy (the
normal approximation of the binomial test), 1 / (classes with items) for balanced accuracy. Seeds do
not shrink the noise: their networks answer the same items, and may err on the same ones.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Literal

import numpy as np

from app.spec.figures import Reference
from app.spec.spec import ResolvedSpec
from app.spec.strategies import SUPERVISED
from worker.evaluation.arrays import Ints
from worker.evaluation.evidence import Evidence
from worker.evaluation.metrics import ClassCounts, rates_from_counts

SURE = 1.645  # standard errors: one-sided, 95 %
UNEQUAL_FROM = 1.5  # times that the commonest class outnumbers the rarest that has items
FAR_BELOW = 0.5  # of the way from chance to target_supervised
METRICS = ("accuracy", "balanced_accuracy", "f1_macro")

Standing = Literal["below", "at", "above"]


@dataclass(frozen=True)
class Level:
    """A score that needs no look at the items, and its standard error over so many items."""

    score: float
    error: float

    def standing(self, value: float) -> Standing:
        if value > self.score + SURE * self.error:
            return "above"
        return "below" if value < self.score - SURE * self.error else "at"


def level_of(y: Ints, classes: int, metric: str = "accuracy") -> Level:
    """The better of guessing and always answering the commonest class.

    Args:
        y: labels, (n,), n > 0.
        metric: `accuracy`; with any other it is that of balanced accuracy.
    """
    counts = np.bincount(y, minlength=classes)
    present = counts[counts > 0]
    if metric == "accuracy":
        weights = present / present.sum()
        score = max(1 / classes, float(weights.max()))
    else:
        weights = np.full(len(present), 1 / len(present))
        score = 1 / len(present)
    return Level(score, sqrt(float((weights**2 / present).sum()) * score * (1 - score)))


def judged_by(metric: str) -> str:
    """The metric that an arm is held against chance by: the macro F1 of guessing is not 1 / K."""
    return "accuracy" if metric == "accuracy" else "balanced_accuracy"


def reference_of(
    y: Ints, classes: Sequence[str], arms: Mapping[str, Evidence], metric: str
) -> Reference | None:
    """None without labelled test items.

    Args:
        y: the test's labels, (n,).
        metric: the primary one.
    """
    if not len(y):
        return None
    counts = np.bincount(y, minlength=len(classes))
    majority, present = int(counts.argmax()), counts[counts > 0]
    rates = rates_from_counts(*ClassCounts.of(y, np.full(len(y), majority), len(classes)))
    level = level_of(y, len(classes), metric)
    chance = 1 / len(classes)
    not_above = [
        name
        for name, evidence in arms.items()
        if level.standing(mean_of(evidence, metric)) != "above"
    ]
    return Reference(
        chance=chance,
        majority_class=classes[majority],
        majority={name: float(rates[name]) for name in METRICS},
        is_unequal=bool(present.max() >= UNEQUAL_FROM * present.min()),
        not_above=not_above,
        far_below_bound=[] if SUPERVISED in not_above else _far_below_bound(arms, metric, chance),
    )


def _far_below_bound(arms: Mapping[str, Evidence], metric: str, chance: float) -> list[str]:
    means = {name: float(np.mean(evidence.test(metric))) for name, evidence in arms.items()}
    if SUPERVISED not in means:
        return []
    enough = chance + FAR_BELOW * (means[SUPERVISED] - chance)
    return [name for name, mean in means.items() if mean < enough]


def mean_of(evidence: Evidence, metric: str) -> float:
    """Over the seeds, of what the arm is held against chance by."""
    return float(np.mean(evidence.test(judged_by(metric))))


def others_at_chance(
    spec: ResolvedSpec, winner: str | None, reference: Reference | None
) -> list[str]:
    """A warning of arms that are no better than chance; the reason says it of the winner and the
    baseline."""
    found = reference.not_above if reference else []
    others = [name for name in found if name not in (winner, spec.baseline_arm)]
    return (
        [f"no better than an answer that looks at no item: {', '.join(others)}"] if others else []
    )
