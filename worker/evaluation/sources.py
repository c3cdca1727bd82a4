"""What was found out before the arms were trained: which source suits, what to train with."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from app.jobs.report import RankingQuality, Search, SourceRank, Transferability
from app.jobs.spec import ResolvedSpec
from worker.evaluation.arms import interval
from worker.evaluation.evidence import Evidence, TrialResult
from worker.evaluation.ranking import rank_correlation, regret

RANKED_BY = "logme"


def transferability_of(
    spec: ResolvedSpec, trials: Sequence[TrialResult], arms: Mapping[str, Evidence]
) -> Transferability | None:
    """None where no source was scored."""
    scores = {
        trial.arm.partition("@")[2]: trial.outcome
        for trial in trials
        if trial.role == "score" and trial.outcome
    }
    if not scores:
        return None
    ranked = [_rank(spec, int(number), found, arms) for number, found in scores.items()]
    ranked.sort(key=lambda each: (_place(each.scores.get(RANKED_BY)), each.source))
    measured = [each for each in ranked if each.measured]
    return Transferability(
        ranked_by=RANKED_BY,
        ranking=ranked,
        quality=_quality(measured) if len(measured) > 1 else None,
    )


def _place(score: float | None) -> float:
    return np.inf if score is None else -score


def _rank(
    spec: ResolvedSpec, number: int, outcome: Mapping[str, Any], arms: Mapping[str, Evidence]
) -> SourceRank:
    metric = spec.evaluation.primary_metric
    means = {
        name: float(np.mean(arms[name].test(metric)))
        for name, arm in spec.arms.items()
        if arm.sources == (number - 1,) and name in arms
    }
    best = max(means, key=lambda name: means[name], default=None)
    return SourceRank(
        source=number,
        reference=spec.sources[number - 1].reference,
        scores=outcome["scores"],
        domain_distance=outcome["domain_distance"],
        measured=interval(arms[best].test(metric), spec.evaluation.confidence) if best else None,
        best_arm=best,
    )


def _quality(measured: Sequence[SourceRank]) -> dict[str, RankingQuality]:
    truth = [each.measured.mean for each in measured if each.measured]
    found = {}
    for name in measured[0].scores:
        scores = [each.scores.get(name) for each in measured]
        correlation = rank_correlation(scores, truth)
        found[name] = RankingQuality(
            kendall_tau=correlation.kendall_tau if correlation else None,
            weighted_tau=correlation.weighted_tau if correlation else None,
            regret=regret(scores, truth),
        )
    return found


def searches_of(trials: Sequence[TrialResult]) -> list[Search]:
    """In the order of their arms and label budgets."""
    found = [trial for trial in trials if trial.role == "search" and trial.outcome]
    return [
        Search(
            arm=trial.arm,
            labels_per_class=trial.labels_per_class,
            seed=trial.seed,
            seconds=trial.seconds,
            scores=(trial.outcome or {}).get("scores"),
            **{name: (trial.outcome or {})[name] for name in ("chosen", "reason", "tried")},
        )
        for trial in sorted(found, key=lambda t: (t.arm, t.labels_per_class or np.inf, t.seed))
    ]
