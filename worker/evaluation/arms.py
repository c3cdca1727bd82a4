"""All that the report says of one arm."""

from collections.abc import Sequence
from dataclasses import asdict
from math import fsum

import numpy as np

from app.spec.figures import Bin, CalibrationOut, Cost, LabelsToReach
from app.spec.plan import PRETRAIN
from app.spec.report import (
    Arm,
    ClassMetrics,
    Forgetting,
    Gain,
    Interval,
)
from app.spec.spec import ResolvedSpec
from worker.evaluation.arrays import Floats
from worker.evaluation.calibration import BINS, Bins, Calibration
from worker.evaluation.evidence import Evidence, TrialResult
from worker.evaluation.gains import difference, paired
from worker.evaluation.statistics import CHANGE, POSITIVE, RATE, Range, mean_interval

DESCRIBED_CLASSES = 1000  # one by one
CONFUSED_CLASSES = 300  # in a table of all by all


def interval(
    values: Sequence[float] | Floats,
    confidence: float,
    within: Range = RATE,
    items: int | None = None,
) -> Interval:
    return Interval(**asdict(mean_interval(values, confidence, within, items)))


def metric_interval(evidence: Evidence, metric: str, confidence: float) -> Interval:
    """Of an arm's metric on the test items."""
    if metric == "loss":
        return interval(evidence.test(metric), confidence, POSITIVE)
    return interval(evidence.test(metric), confidence, RATE, len(evidence.y))


def describe(
    evidence: Evidence,
    baseline: Evidence | None,
    gain: Gain | None,
    labels_to_reach: LabelsToReach | None,
    cost: Cost,
    classes: Sequence[str],
    spec: ResolvedSpec,
    class_counts: Sequence[int] | None = None,
) -> Arm:
    """All that the report says of an arm.

    Args:
        baseline: to compare with where there is a gain.
        class_counts: labelled items of each class in the target's training split, (K,); None where
            they are hidden.
    """
    metric, confidence = spec.evaluation.primary_metric, spec.evaluation.confidence
    validation, calibrations = evidence.validation(metric), evidence.calibrations()
    pair = paired(evidence, baseline) if gain and baseline else None
    return Arm(
        metrics={
            name: metric_interval(evidence, name, confidence) for name in evidence.trials[0].test
        },
        validation=interval(
            validation, confidence, items=evidence.validation_items // len(evidence.trials)
        )
        if validation
        else None,
        gain=gain,
        transfer_ratio=_ratio(*pair, metric) if pair else None,
        jumpstart=_jumpstart(*pair, metric) if pair else None,
        labels_to_reach=labels_to_reach,
        per_class=_per_class(evidence, pair, classes, class_counts, confidence),
        confusion=evidence.confusion().tolist() if len(classes) <= CONFUSED_CLASSES else [],
        calibration=_calibration(calibrations) if calibrations else None,
        cost=cost,
        forgetting=_forgetting(evidence, confidence),
        replication=evidence.replicates.replication,
    )


def cost_of(
    arm: str, evidence: Evidence, trials: Sequence[TrialResult], labels_per_class: int | None
) -> Cost:
    """Of all the arm's trials at the label budget, those that failed as well."""
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
    reference = float(np.mean(baseline.test(metric)))
    return float(np.mean(evidence.test(metric))) / reference if reference else None


def _jumpstart(transfer: Evidence, baseline: Evidence, metric: str) -> float | None:
    first, reference = transfer.first_epoch(metric), baseline.first_epoch(metric)
    return float(np.mean(difference(first, reference))) if first and reference else None


def _per_class(
    evidence: Evidence,
    pair: tuple[Evidence, Evidence] | None,
    classes: Sequence[str],
    class_counts: Sequence[int] | None,
    confidence: float,
) -> list[ClassMetrics]:
    """Of a class without test items nothing is known."""
    precision, recall, f1 = (rate.mean(axis=0) for rate in evidence.class_rates())
    support = evidence.counts.true[0]
    gains = None if pair is None else pair[0].class_rates()[2] - pair[1].class_rates()[2]
    return [
        ClassMetrics(
            label=label,
            precision=float(precision[k]) if support[k] else None,
            recall=float(recall[k]) if support[k] else None,
            f1=float(f1[k]) if support[k] else None,
            support=int(support[k]),
            training_items=None if class_counts is None else class_counts[k],
            gain=interval(gains[:, k], confidence, CHANGE)
            if gains is not None and support[k]
            else None,
        )
        for k, label in enumerate(classes[:DESCRIBED_CLASSES])
    ]


def _calibration(calibrations: Sequence[Calibration]) -> CalibrationOut:
    before, after = [each.before for each in calibrations], [each.after for each in calibrations]
    return CalibrationOut(
        temperature=float(np.mean([each.temperature for each in calibrations])),
        ece_before=float(np.mean([bins.error for bins in before])),
        ece_after=float(np.mean([bins.error for bins in after])),
        bins_before=_bins(before),
        bins_after=_bins(after),
    )


def _bins(of_seeds: Sequence[Bins]) -> list[Bin]:
    """Over all seeds' items."""
    items = np.sum([bins.items for bins in of_seeds], axis=0)
    confidence = np.sum([bins.confidence for bins in of_seeds], axis=0)
    right = np.sum([bins.right for bins in of_seeds], axis=0)
    return [
        Bin(
            low=k / BINS,
            high=(k + 1) / BINS,
            items=int(items[k]),
            confidence=float(confidence[k] / items[k]) if items[k] else None,
            accuracy=float(right[k] / items[k]) if items[k] else None,
        )
        for k in range(BINS)
    ]
