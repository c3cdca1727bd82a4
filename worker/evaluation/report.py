"""The report: a pure function of the trials' stored predictions.

The winner is chosen on validation items; the test items judge it once, against the baseline. So the
verdict needs no correction for the number of arms; the arms' own p-values get Holm's.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cache
from math import fsum

import numpy as np

from app.jobs.report import Arm, Bounds, Gain, Interval, Report
from app.jobs.spec import Choice, ResolvedSpec
from app.jobs.strategies import BASELINE
from worker.evaluation.arrays import Floats, Ints
from worker.evaluation.evidence import FEWEST_VALIDATION_ITEMS, Evidence, TrialResult, measure
from worker.evaluation.statistics import (
    bootstrap_p_value,
    bootstrap_scores,
    holm,
    mean_interval,
    paired_p_value,
    percentile_interval,
)
from worker.evaluation.verdict import judge, warnings_about

__all__ = ["TrialResult", "build_report"]

TIE = 1e-9  # means of the same values in another order differ in their last bits


def build_report(
    spec: ResolvedSpec,
    trials: Sequence[TrialResult],
    classes: Sequence[str],
    selection: Sequence[Choice] = (),
) -> Report:
    """The same trials give the same report, byte for byte, in whatever order they come.

    Args:
        trials: all of the job's, with those that failed.
        classes: the target's labels, in the order of the logits.
        selection: what `auto` chose.

    Raises:
        ValueError: a trial without error has no test predictions, or two have other test items.
    """
    metric, confidence = spec.evaluation.primary_metric, spec.evaluation.confidence
    arms = _evidence(spec, trials)
    y = _test_labels(arms)
    baseline = arms.get(BASELINE)
    gains = _gains(arms, spec, len(classes))
    winner, choice_warnings = _winner(arms, metric)
    gain = gains.get(winner) if winner else None
    verdict, reason = judge(winner, gain, metric, confidence, len(y), spec.evaluation.baseline)
    failed = Counter((t.arm, str(t.error["code"])) for t in trials if t.error is not None)
    seeds = gain.n if gain else spec.evaluation.seeds
    return Report(
        verdict=verdict,
        reason=reason,
        primary_metric=metric,
        confidence=confidence,
        labels_per_class=spec.target.labels_per_class,
        test_items=len(y),
        classes=list(classes),
        baseline=BASELINE if baseline else None,
        winner=winner,
        winner_seed=arms[winner].best_seed(metric) if winner else None,
        arms={
            name: _arm(evidence, baseline, gains.get(name), classes, spec)
            for name, evidence in arms.items()
        },
        selection=list(selection),
        warnings=[*warnings_about(seeds, y, classes, failed), *choice_warnings],
        trials_failed=sum(failed.values()),
        seconds=fsum(trial.seconds for trial in trials),
    )


def _evidence(spec: ResolvedSpec, trials: Sequence[TrialResult]) -> dict[str, Evidence]:
    """The arms that have results at the job's label budget: the baseline, then as in the spec."""
    arms: dict[str, Evidence] = {}
    for name in (BASELINE, *spec.arms):
        of_arm = [
            measure(trial)
            for trial in sorted(trials, key=lambda trial: trial.seed)
            if (trial.arm, trial.labels_per_class) == (name, spec.target.labels_per_class)
            and trial.error is None
        ]
        if of_arm:
            arms[name] = Evidence(tuple(of_arm))
    return arms


def _test_labels(arms: Mapping[str, Evidence]) -> Ints:
    """(n,); n is 0 where no trial succeeded."""
    of_trials = [trial.y for evidence in arms.values() for trial in evidence.trials]
    if not all(np.array_equal(y, of_trials[0]) for y in of_trials):
        raise ValueError("report: expected the same test items in every trial, got different ones")
    return of_trials[0] if of_trials else np.empty(0, np.int64)


def _winner(arms: Mapping[str, Evidence], metric: str) -> tuple[str | None, list[str]]:
    """The transfer arm that is best on validation, and what there is to say against the choice."""
    transfer = {name: evidence for name, evidence in arms.items() if name != BASELINE}
    if len(transfer) < 2:
        return next(iter(transfer), None), []
    means = {}
    for name, evidence in transfer.items():
        values = evidence.validation(metric)
        if values is None or evidence.validation_items < FEWEST_VALIDATION_ITEMS:
            first = next(iter(transfer))
            return first, [
                f"fewer than {FEWEST_VALIDATION_ITEMS} validation items over all seeds: {first} "
                "is the winner because it stands first in the job, not because it was the best"
            ]
        means[name] = float(np.mean(values))
    best = [name for name, mean in means.items() if max(means.values()) - mean < TIE]
    if len(best) == 1:
        return best[0], []
    return best[0], [f"{' and '.join(best)} tie on validation: the winner stands first in the job"]


def _gains(arms: Mapping[str, Evidence], spec: ResolvedSpec, classes: int) -> dict[str, Gain]:
    """Of each transfer arm that shares a seed with the baseline."""
    metric, confidence = spec.evaluation.primary_metric, spec.evaluation.confidence

    @cache
    def scores(name: str, seeds: tuple[int, ...]) -> Floats:
        evidence = arms[name].of(seeds)
        return bootstrap_scores(evidence.y, evidence.predictions(), classes, metric, spec.seed)

    gains = {}
    for name, evidence in arms.items():
        seeds = _shared_seeds(evidence, arms.get(BASELINE))
        if name == BASELINE or not seeds:
            continue
        differences = _differences(
            evidence.of(seeds).test(metric), arms[BASELINE].of(seeds).test(metric)
        )
        resampled = scores(name, seeds) - scores(BASELINE, seeds)
        low, high = percentile_interval(resampled, confidence)
        p = paired_p_value(differences) if len(seeds) > 1 else bootstrap_p_value(resampled)
        gains[name] = Gain(
            **asdict(mean_interval(differences, confidence)),
            p_value=p,
            p_holm=p,
            bootstrap=Bounds(low=low, high=high),
        )
    corrected = holm([gain.p_value for gain in gains.values()])
    return {
        name: gain.model_copy(update={"p_holm": p})
        for (name, gain), p in zip(gains.items(), corrected, strict=True)
    }


def _shared_seeds(evidence: Evidence, baseline: Evidence | None) -> tuple[int, ...]:
    return tuple(seed for seed in evidence.seeds if baseline and seed in baseline.seeds)


def _differences(transfer: Sequence[float], baseline: Sequence[float]) -> Floats:
    return np.subtract(transfer, baseline)


def _arm(
    evidence: Evidence,
    baseline: Evidence | None,
    gain: Gain | None,
    classes: Sequence[str],
    spec: ResolvedSpec,
) -> Arm:
    metric, confidence = spec.evaluation.primary_metric, spec.evaluation.confidence

    def interval(values: Sequence[float]) -> Interval:
        return Interval(**asdict(mean_interval(values, confidence)))

    validation = evidence.validation(metric)
    transfer_ratio, jumpstart = None, None
    if gain is not None and baseline is not None:
        if reference := float(np.mean(baseline.test(metric))):
            transfer_ratio = float(np.mean(evidence.test(metric))) / reference
        seeds = _shared_seeds(evidence, baseline)
        first = [arm.of(seeds).first_epoch(metric) for arm in (evidence, baseline)]
        if first[0] and first[1]:
            jumpstart = float(np.mean(_differences(first[0], first[1])))
    return Arm(
        metrics={name: interval(evidence.test(name)) for name in evidence.trials[0].test},
        validation=interval(validation) if validation else None,
        gain=gain,
        transfer_ratio=transfer_ratio,
        jumpstart=jumpstart,
        per_class=evidence.per_class(classes),
        confusion=evidence.confusion().tolist(),
        calibration=evidence.calibration(),
        seconds=fsum(trial.seconds for trial in evidence.trials),
    )
