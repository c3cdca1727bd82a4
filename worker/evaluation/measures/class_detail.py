"""Members of the report on an arm class by class, and on how far its scores can be believed."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from app.spec.figures import Bin, CalibrationOut
from app.spec.report import ClassMetrics, Detail
from worker.evaluation.arrays import Floats
from worker.evaluation.calibration import (
    BINS,
    FEWEST_VALIDATION_ITEMS,
    Bins,
    Calibration,
    calibrate,
)
from worker.evaluation.intervals import interval
from worker.evaluation.metrics import ClassCounts, class_rates, confusion
from worker.evaluation.statistics import CHANGE

if TYPE_CHECKING:
    from worker.evaluation.evidence import Evidence, Measured

Counted = Callable[["Measured"], ClassCounts]
DESCRIBED_CLASSES = 1000  # one by one
CONFUSED_CLASSES = 300  # in a table of all by all


def class_detail(
    arm: "Evidence",
    pair: "tuple[Evidence, Evidence] | None",
    classes: Sequence[str],
    class_counts: Sequence[int] | None,
    confidence: float,
) -> Detail:
    calibrations = _calibrations(arm)
    return Detail(
        per_class=per_class(arm, pair, classes, class_counts, confidence, _counted),
        confusion=_confusion(arm).tolist() if len(classes) <= CONFUSED_CLASSES else [],
        calibration=_calibration(calibrations) if calibrations else None,
    )


def _counted(trial: "Measured") -> ClassCounts:
    return ClassCounts.of(trial.y, trial.logits.argmax(axis=1), trial.logits.shape[1])


def _counts(arm: "Evidence", counted: "Counted") -> ClassCounts:
    """Each (seeds, K)."""
    of_trials = map(counted, arm.trials)
    return ClassCounts(*map(np.stack, zip(*of_trials, strict=True)))


def _confusion(arm: "Evidence") -> NDArray[np.int64]:
    """Summed over the seeds, (K, K): rows are true classes, columns predicted ones."""
    of_trials = [
        confusion(trial.y, trial.logits.argmax(axis=1), trial.logits.shape[1])
        for trial in arm.trials
    ]
    total: NDArray[np.int64] = np.sum(of_trials, axis=0)
    return total


def _rates(arm: "Evidence", counts: ClassCounts) -> tuple[Floats, Floats, Floats]:
    """Precision, recall, F1 of each class, (replicates, K)."""
    precision, recall, f1 = (arm.replicates.means(rate) for rate in class_rates(*counts))
    return precision, recall, f1


def _calibrations(arm: "Evidence") -> list[Calibration] | None:
    """One a seed; None where a trial has too few validation items to fit a temperature."""
    found = []
    for trial in arm.trials:
        y, logits = trial.result.y_validation, trial.result.logits_validation
        if y is None or logits is None or len(y) < FEWEST_VALIDATION_ITEMS:
            return None
        found.append(calibrate(y, logits, trial.y, trial.logits))
    return found


def per_class(
    evidence: "Evidence",
    pair: "tuple[Evidence, Evidence] | None",
    classes: Sequence[str],
    class_counts: Sequence[int] | None,
    confidence: float,
    counted: "Counted",
) -> list[ClassMetrics]:
    """Precision, recall and F1 of each class or label; of one without test items nothing is known.

    Args:
        class_counts: training items of each; None where they are not known.
        counted: what a trial has right and wrong, each (K,).
    """
    counts = _counts(evidence, counted)
    precision, recall, f1 = (rate.mean(axis=0) for rate in _rates(evidence, counts))
    support, gains = counts.true[0], None
    if pair is not None:
        f1_of = [_rates(each, _counts(each, counted))[2] for each in pair]
        gains = f1_of[0] - f1_of[1]
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
