"""Findings from before the arms were trained: which source suits, what to train with."""

from collections.abc import Mapping, Sequence

import numpy as np

from app.spec.outcomes import ScoreOutcome, SearchOutcome
from app.spec.source_report import RankingQuality, Search, SourceRank, Transferability
from app.spec.spec import ResolvedSpec, Sources
from app.tasks.contract import Metric
from worker.evaluation.arms import metric_interval
from worker.evaluation.evidence import Evidence, TrialResult
from worker.evaluation.ranking import rank_correlation, regret
from worker.evaluation.ranking_words import in_words
from worker.evaluation.source_doubts import doubts_of

RANKED_BY = "leep"  # right most often: see benchmarks/ranking.py


def names_of(spec: ResolvedSpec, names: Sequence[str] = ()) -> list[str]:
    """Names of the job's sources: by `names`, of datasets and models, where there are any, with the
    reference where two have the same; else by their references."""
    references = [source.reference for source in spec.sources]
    if len(names) != len(references):
        return references
    return [
        name if list(names).count(name) == 1 else f"{name} ({reference})"
        for name, reference in zip(names, references, strict=True)
    ]


def transferability_of(
    spec: ResolvedSpec,
    trials: Sequence[TrialResult],
    arms: Mapping[str, Evidence],
    names: Sequence[str] = (),
) -> Transferability | None:
    """Returns None where no source was scored.

    Args:
        names: of the sources.
    """
    scores = {
        trial.arm.partition("@")[2]: trial.outcome
        for trial in trials
        if isinstance(trial.outcome, ScoreOutcome)
    }
    if not scores:
        return None
    named, doubts = names_of(spec, names), doubts_of(spec, trials)
    ranked = [
        _rank(spec, int(number), found, arms, named[int(number) - 1], doubts)
        for number, found in scores.items()
    ]
    ranked.sort(key=lambda each: (_place(each.scores.get(RANKED_BY)), each.source))
    measured = [each for each in ranked if each.measured]
    found = Transferability(
        ranked_by=RANKED_BY,
        ranking=ranked,
        quality=_quality(measured, spec.metric) if len(measured) > 1 else None,
    )
    headline, reason = in_words(found, spec.evaluation.primary_metric, spec.metric)
    return found.model_copy(update={"headline": headline, "reason": reason})


def _place(score: float | None) -> float:
    return np.inf if score is None else -score


def _rank(
    spec: ResolvedSpec,
    number: int,
    outcome: ScoreOutcome,
    arms: Mapping[str, Evidence],
    name: str,
    doubts: Mapping[Sources, str],
) -> SourceRank:
    metric, place = spec.evaluation.primary_metric, (number - 1,)
    means = {
        arm: float(np.mean(arms[arm].test(metric)))
        for arm, of in spec.arms.items()
        if of.sources == place and arm in arms
    }
    best = spec.metric.best(means)
    return SourceRank(
        source=number,
        reference=spec.sources[number - 1].reference,
        name=name,
        scores=outcome.scores,
        relation=outcome.relation,
        doubt=doubts.get(place),
        domain_distance=outcome.domain_distance,
        measured=metric_interval(arms[best], metric, spec.evaluation.confidence) if best else None,
        best_arm=best,
    )


def _quality(measured: Sequence[SourceRank], metric: Metric) -> dict[str, RankingQuality]:
    truth = [metric.sign * each.measured.mean for each in measured if each.measured]
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


def _others(search: TrialResult, trials: Sequence[TrialResult]) -> list[str]:
    """Arms beside its own whose trials waited for it."""
    found = dict.fromkeys(each.arm for each in trials if each.depends_on == search.id)
    return [arm for arm in found if arm != search.arm]


def searches_of(trials: Sequence[TrialResult]) -> list[Search]:
    """Searches in the order of their arms and label budgets."""
    order = sorted(trials, key=lambda t: (t.arm, t.labels_per_class or np.inf, t.seed))
    return [
        Search(
            arm=trial.arm,
            others=_others(trial, trials),
            labels_per_class=trial.labels_per_class,
            seed=trial.seed,
            chosen=outcome.chosen.model_dump(mode="json", exclude_unset=True),
            reason=outcome.reason,
            tried=[each.model_dump(mode="json") for each in outcome.tried],
            scores=outcome.scores,
            relation=outcome.relation,
            seconds=trial.seconds,
        )
        for trial in order
        if isinstance(outcome := trial.outcome, SearchOutcome)
    ]
