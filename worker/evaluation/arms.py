"""All that the report says of one arm."""

from collections.abc import Sequence
from math import fsum

import numpy as np

from app.spec.figures import Cost, LabelsToReach
from app.spec.intervals import Gain, Interval
from app.spec.plan import PRETRAIN
from app.spec.report import Arm, Forgetting
from app.spec.spec import ResolvedSpec
from worker.evaluation.evidence import Evidence, TrialResult
from worker.evaluation.gains import improvement, paired
from worker.evaluation.intervals import interval
from worker.evaluation.statistics import CHANGE


def metric_interval(evidence: Evidence, metric: str, confidence: float) -> Interval:
    """Interval of an arm's metric on the test items."""
    of = evidence.measures.task.metrics[metric]
    items = len(evidence.y) if of.is_rate else None
    return interval(evidence.test(metric), confidence, of.within, items)


def describe(
    evidence: Evidence,
    baseline: Evidence | None,
    gain: Gain | None,
    labels_to_reach: LabelsToReach | None,
    cost: Cost,
    spec: ResolvedSpec,
    counts: Sequence[int] | None = None,
) -> Arm:
    """All that the report says of an arm.

    Args:
        baseline: to compare with where there is a gain.
        counts: labelled items of each of the task's names in the target's training split, (K,);
            None where they are hidden.
    """
    metric, confidence = spec.evaluation.primary_metric, spec.evaluation.confidence
    validation, of = evidence.validation(metric), spec.metric
    pair = paired(evidence, baseline) if gain and baseline else None
    held_out = evidence.validation_items // len(evidence.trials) if of.is_rate else None
    return Arm(
        metrics={
            name: metric_interval(evidence, name, confidence) for name in evidence.trials[0].test
        },
        validation=interval(validation, confidence, of.within, held_out) if validation else None,
        gain=gain,
        transfer_ratio=_ratio(*pair, metric) if pair else None,
        jumpstart=_jumpstart(*pair, spec) if pair else None,
        labels_to_reach=labels_to_reach,
        cost=cost,
        forgetting=_forgetting(evidence, confidence),
        replication=evidence.replicates.replication,
        **dict(evidence.measures.detail(evidence, pair, counts, confidence)),
    )


def cost_of(
    arm: str, evidence: Evidence, trials: Sequence[TrialResult], labels_per_class: int | None
) -> Cost:
    """Cost of all the arm's trials at the label budget, those that failed as well."""
    own = [t for t in trials if t.is_arm(arm, labels_per_class)]
    needed = {trial.depends_on for trial in own if trial.depends_on}
    searches = [t for t in trials if t.id in needed and t.role == "search"]
    needed |= {trial.depends_on for trial in searches if trial.depends_on}
    return Cost(
        trials=fsum(trial.seconds for trial in own),
        search=fsum(trial.seconds for trial in searches),
        pretraining=fsum(t.seconds for t in trials if t.id in needed and t.role == PRETRAIN),
        epochs=evidence.mean_length("epochs"),
        steps=evidence.mean_length("steps"),
        head_steps=evidence.mean_length("head_steps"),
    )


def _forgetting(evidence: Evidence, confidence: float) -> Forgetting | None:
    found = evidence.forgotten()
    if found is None:
        return None
    before, after, change = found
    return Forgetting(
        before=interval(before, confidence),
        after=interval(after, confidence),
        change=interval(change, confidence, CHANGE),
    )


def _ratio(evidence: Evidence, baseline: Evidence, metric: str) -> float | None:
    """None where the metric may lie below 0, as R² does: of such values a ratio says nothing."""
    reference = float(np.mean(baseline.test(metric)))
    if evidence.measures.task.metrics[metric].within[0] < 0 or not reference:
        return None
    return float(np.mean(evidence.test(metric))) / reference


def _jumpstart(transfer: Evidence, baseline: Evidence, spec: ResolvedSpec) -> float | None:
    metric = spec.evaluation.primary_metric
    first, reference = transfer.first_epoch(metric), baseline.first_epoch(metric)
    return (
        float(np.mean(improvement(first, reference, spec.metric))) if first and reference else None
    )
