"""Gains of transfer over scratch, at one label budget."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from app.spec.intervals import Bounds, Gain
from app.spec.spec import ResolvedSpec
from app.tasks import size_of
from app.tasks.contract import EXACT, Metric
from worker.evaluation.crossed import crossed_interval
from worker.evaluation.evidence import Evidence
from worker.evaluation.replication import replicates_of
from worker.evaluation.statistics import holm, mean_interval, percentile_interval

Name = TypeVar("Name")  # of what is compared


def gains_over_baseline(arms: Mapping[str, Evidence], spec: ResolvedSpec) -> dict[str, Gain]:
    """Gains of each transfer arm that shares a seed with the baseline; p-values are Holm's for
    all."""
    if spec.baseline_arm not in arms:
        return {}
    gains = {}
    for name, evidence in arms.items():
        transfer, baseline = paired(evidence, arms[spec.baseline_arm])
        if name in spec.arms and transfer.trials:
            gains[name] = gain_over(transfer, baseline, spec)
    return corrected(gains)


def paired(evidence: Evidence, baseline: Evidence) -> tuple[Evidence, Evidence]:
    """Both with the seeds that they share, which may be none, and the replicates of the pairs."""
    transfer, scratch = (
        tuple(trial for trial in one.trials if trial.seed in other.seeds)
        for one, other in ((evidence, baseline), (baseline, evidence))
    )
    replicates = replicates_of(list(zip(transfer, scratch, strict=True)))
    return (
        Evidence(transfer, replicates, evidence.measures),
        Evidence(scratch, replicates, evidence.measures),
    )


def contested_items(evidence: Evidence, baseline: Evidence) -> int | None:
    """Test items that one arm has right and the other wrong, with any seed that they share; None
    where no answer is right or wrong."""
    right = []
    for arm in paired(evidence, baseline):
        answers = [arm.measures.answers(outputs) for outputs in arm.outputs]
        if any(of_seed is None for of_seed in answers):
            return None
        right.append(np.stack([of_seed == arm.y for of_seed in answers]))
    return int((right[0] != right[1]).any(axis=0).sum())


def improvement(
    transfer: Sequence[float], baseline: Sequence[float], metric: Metric
) -> NDArray[np.float64]:
    """Improvement, one per replicate: positive wherever the transfer is the better one."""
    better, worse = (transfer, baseline) if metric.higher_is_better else (baseline, transfer)
    return np.subtract(better, worse, dtype=np.float64)


def gain_over(transfer: Evidence, baseline: Evidence, spec: ResolvedSpec) -> Gain:
    """Gain of one over the other, which has the same seeds: see `paired`."""
    name, metric, confidence = (
        spec.evaluation.primary_metric,
        spec.metric,
        spec.evaluation.confidence,
    )
    y, measures, outputs = transfer.y, transfer.measures, (transfer.outputs, baseline.outputs)
    resampled = metric.sign * measures.resample(y, *outputs, name, spec.seed)
    low, high = percentile_interval(resampled, confidence)
    overall, p_value, replicates = None, None, transfer.replicates
    if len(replicates.members) > 1 and len(y) > 1:
        values = [
            np.stack([measures.item_values(y, of_seed, name) for of_seed in arm]) for arm in outputs
        ]
        differences = metric.sign * replicates.means(values[0] - values[1])
        crossed = crossed_interval(
            differences, confidence, metric.is_rate, measures.averaged_over(y, name)
        )
        least, most = metric.change
        overall = Bounds(low=max(least, crossed.low), high=min(most, crossed.high))
        p_value = crossed.p_value
    by_replicate = improvement(transfer.test(name), baseline.test(name), metric)
    found = mean_interval(by_replicate, confidence, metric.change)
    if abs(found.mean) < EXACT * size_of(measures.task, name):
        found = replace(found, mean=0.0)
    return Gain(
        **asdict(found),
        bootstrap=Bounds(low=low, high=high),
        overall=overall,
        p_value=p_value,
        p_holm=None,
        replication=replicates.replication,
    )


def corrected(gains: Mapping[Name, Gain]) -> dict[Name, Gain]:
    """Returns gains with p-values corrected for all of them together."""
    known = {name: gain.p_value for name, gain in gains.items() if gain.p_value is not None}
    corrected = dict(zip(known, holm(list(known.values())), strict=True))
    return {
        name: gain.model_copy(update={"p_holm": corrected.get(name)})
        for name, gain in gains.items()
    }
