"""Scores of answers that look at no item, and arms that are no better.

An arm is above chance where its mean over the seeds is better than that of the answer that looks at
no item by more than the noise of that many items: z = 1.645 standard errors (one-sided, 95 %).
worker/evaluation/measures says which answer that is, and its error. Seeds do not shrink the noise:
their networks answer the same items, and may err on the same ones.
"""

from collections.abc import Mapping

import numpy as np

from app.spec.figures import Reference
from app.spec.spec import ResolvedSpec
from app.spec.strategies import SUPERVISED
from app.tasks.classification import RANKED
from worker.evaluation.evidence import Evidence
from worker.evaluation.measures.contract import Labels, Measures

FAR_BELOW = 0.5  # of the way from chance to target_supervised


def reference_of(
    y: Labels, measures: Measures, arms: Mapping[str, Evidence], metric: str
) -> Reference | None:
    """Returns None without labelled test items.

    Args:
        y: the test's labels, (n,).
        metric: the primary one.
    """
    if not len(y):
        return None
    constant, level = measures.constant(y, metric), measures.level(y, metric)
    is_order = metric in RANKED
    chance = level.score if constant.guessing is None or is_order else constant.guessing
    not_above = [
        name
        for name, evidence in arms.items()
        if level.standing(mean_of(evidence, metric)) != "above"
    ]
    return Reference(
        chance=chance,
        majority_class=constant.answer,
        majority=constant.scores,
        is_unequal=constant.is_unequal,
        is_imbalanced=constant.is_imbalanced,
        not_above=not_above,
        far_below_bound=[]
        if SUPERVISED in not_above
        else _far_below_bound(arms, metric, constant.scores[metric] if is_order else chance),
    )


def _far_below_bound(arms: Mapping[str, Evidence], metric: str, chance: float) -> list[str]:
    means = {name: float(np.mean(evidence.test(metric))) for name, evidence in arms.items()}
    if SUPERVISED not in means:
        return []
    sign = arms[SUPERVISED].measures.task.metrics[metric].sign
    enough = chance + FAR_BELOW * (means[SUPERVISED] - chance)
    return [name for name, mean in means.items() if sign * mean < sign * enough]


def mean_of(evidence: Evidence, metric: str) -> float:
    """Over the seeds, of what the arm is held against chance by."""
    return float(np.mean(evidence.test(evidence.measures.held_against(metric))))


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
