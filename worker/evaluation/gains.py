"""What transfer gains over scratch, at one label budget."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

import numpy as np
from numpy.typing import NDArray

from app.spec.report import Bounds, Gain
from app.spec.spec import ResolvedSpec
from worker.evaluation.crossed import crossed_interval
from worker.evaluation.evidence import Evidence
from worker.evaluation.influence import item_values
from worker.evaluation.replication import replicates_of
from worker.evaluation.statistics import (
    CHANGE,
    bootstrap_gains,
    holm,
    mean_interval,
    percentile_interval,
)


def gains_over_baseline(
    arms: Mapping[str, Evidence], classes: int, spec: ResolvedSpec
) -> dict[str, Gain]:
    """Of each transfer arm that shares a seed with the baseline; p-values are Holm's for all."""
    if spec.baseline_arm not in arms:
        return {}
    gains = {}
    for name, evidence in arms.items():
        transfer, baseline = paired(evidence, arms[spec.baseline_arm])
        if name in spec.arms and transfer.trials:
            gains[name] = _gain(transfer, baseline, classes, spec)
    return _corrected(gains)


def paired(evidence: Evidence, baseline: Evidence) -> tuple[Evidence, Evidence]:
    """Both with the seeds that they share, which may be none, and the replicates of the pairs."""
    transfer, scratch = (
        tuple(trial for trial in one.trials if trial.seed in other.seeds)
        for one, other in ((evidence, baseline), (baseline, evidence))
    )
    replicates = replicates_of(list(zip(transfer, scratch, strict=True)))
    return Evidence(transfer, replicates), Evidence(scratch, replicates)


def contested_items(evidence: Evidence, baseline: Evidence) -> int:
    """Test items that one arm has right and the other wrong, with any seed that they share."""
    right = [arm.predictions() == arm.y for arm in paired(evidence, baseline)]
    return int((right[0] != right[1]).any(axis=0).sum())


def difference(transfer: Sequence[float], baseline: Sequence[float]) -> NDArray[np.float64]:
    """One per replicate."""
    return np.subtract(transfer, baseline, dtype=np.float64)


def _gain(transfer: Evidence, baseline: Evidence, classes: int, spec: ResolvedSpec) -> Gain:
    metric, confidence = spec.evaluation.primary_metric, spec.evaluation.confidence
    y, predictions = transfer.y, (transfer.predictions(), baseline.predictions())
    resampled = bootstrap_gains(y, *predictions, classes, metric, spec.seed)
    low, high = percentile_interval(resampled, confidence)
    overall, p_value, replicates = None, None, transfer.replicates
    if len(replicates.members) > 1 and len(y) > 1:
        values = [
            np.stack([item_values(y, predicted, classes, metric) for predicted in arm])
            for arm in predictions
        ]
        crossed = crossed_interval(replicates.means(values[0] - values[1]), confidence)
        least, most = CHANGE
        overall = Bounds(low=max(least, crossed.low), high=min(most, crossed.high))
        p_value = crossed.p_value
    by_replicate = difference(transfer.test(metric), baseline.test(metric))
    return Gain(
        **asdict(mean_interval(by_replicate, confidence, CHANGE)),
        bootstrap=Bounds(low=low, high=high),
        overall=overall,
        p_value=p_value,
        p_holm=None,
        replication=replicates.replication,
    )


def _corrected(gains: Mapping[str, Gain]) -> dict[str, Gain]:
    known = {name: gain.p_value for name, gain in gains.items() if gain.p_value is not None}
    corrected = dict(zip(known, holm(list(known.values())), strict=True))
    return {
        name: gain.model_copy(update={"p_holm": corrected.get(name)})
        for name, gain in gains.items()
    }
