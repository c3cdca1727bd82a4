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
from worker.evaluation.arrays import Floats
from worker.evaluation.clusters import by_group
from worker.evaluation.crossed import CrossedInterval, crossed_interval
from worker.evaluation.evidence import Evidence
from worker.evaluation.replication import replicates_of
from worker.evaluation.statistics import (
    holm,
    mean_interval,
    percentile_interval,
    resampled_means,
)

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
    low, high = percentile_interval(_resampled(transfer, baseline, spec), confidence)
    overall, p_value, replicates = None, None, transfer.replicates
    if crossed := _crossed(transfer, baseline, spec):
        least, most = metric.change
        overall = Bounds(low=max(least, crossed.low), high=min(most, crossed.high))
        p_value = crossed.p_value
    by_replicate = improvement(transfer.test(name), baseline.test(name), metric)
    found = mean_interval(by_replicate, confidence, metric.change)
    if abs(found.mean) < EXACT * size_of(transfer.measures.task, name):
        found = replace(found, mean=0.0)
    return Gain(
        **asdict(found),
        bootstrap=Bounds(low=low, high=high),
        overall=overall,
        p_value=p_value,
        p_holm=None,
        replication=replicates.replication,
    )


def _resampled(transfer: Evidence, baseline: Evidence, spec: ResolvedSpec) -> Floats:
    """Gains on test items, or groups of them, drawn anew with replacement, (resamples,)."""
    name, measures = spec.evaluation.primary_metric, transfer.measures
    if transfer.groups is None:
        outputs = transfer.outputs, baseline.outputs
        return spec.metric.sign * measures.resample(transfer.y, *outputs, name, spec.seed)
    differences = _differences(transfer, baseline, spec).mean(axis=0, keepdims=True)
    return resampled_means(by_group(differences, transfer.groups)[0], spec.seed)


def _crossed(transfer: Evidence, baseline: Evidence, spec: ResolvedSpec) -> CrossedInterval | None:
    """Interval for other seeds and other test items, or, where these belong together, for other
    groups of them if that is the wider one. None where there is one seed or one item."""
    name, confidence, is_rate = (
        spec.evaluation.primary_metric,
        spec.evaluation.confidence,
        spec.metric.is_rate,
    )
    if len(transfer.replicates.members) < 2 or len(transfer.y) < 2:
        return None
    differences = transfer.replicates.means(_differences(transfer, baseline, spec))
    classes = transfer.measures.averaged_over(transfer.y, name)
    of_items = crossed_interval(differences, confidence, is_rate, classes)
    if transfer.groups is None:
        return of_items
    apart = by_group(differences, transfer.groups)
    of_groups = crossed_interval(apart, confidence, is_rate)
    return max(of_items, of_groups, key=lambda each: each.high - each.low)


def _differences(transfer: Evidence, baseline: Evidence, spec: ResolvedSpec) -> Floats:
    """What each test item adds to the gain, (seeds, n)."""
    name, measures = spec.evaluation.primary_metric, transfer.measures
    values = [
        np.stack([measures.item_values(arm.y, of_seed, name) for of_seed in arm.outputs])
        for arm in (transfer, baseline)
    ]
    found: Floats = spec.metric.sign * (values[0] - values[1])
    return found


def corrected(gains: Mapping[Name, Gain]) -> dict[Name, Gain]:
    """Returns gains with p-values corrected for all of them together."""
    known = {name: gain.p_value for name, gain in gains.items() if gain.p_value is not None}
    corrected = dict(zip(known, holm(list(known.values())), strict=True))
    return {
        name: gain.model_copy(update={"p_holm": corrected.get(name)})
        for name, gain in gains.items()
    }
