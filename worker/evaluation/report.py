"""The report: a pure function of the trials' stored predictions.

The winner is chosen on validation items; the test items judge it once, against the baseline. So the
verdict needs no correction for the number of arms; the arms' own p-values get Holm's. Only the
job's own label budget decides.
"""

from collections.abc import Iterable, Mapping, Sequence
from math import fsum

import numpy as np

from app.errors import FailureCode
from app.jobs.schemas import EvidenceDataset
from app.spec.figures import LabelsForGoal
from app.spec.report import Report, StopReason
from app.spec.spec import Choice, ResolvedSpec
from app.tasks import Task, size_of
from app.tasks.contract import EXACT
from worker.evaluation.arms import cost_of, describe
from worker.evaluation.calibration import FEWEST_VALIDATION_ITEMS
from worker.evaluation.chance import others_at_chance, reference_of
from worker.evaluation.clusters import cluster_warnings
from worker.evaluation.conditions import condition_warnings, devices_of
from worker.evaluation.dataset_warnings import dataset_warnings
from worker.evaluation.deployment_note import deployment_note
from worker.evaluation.doubts import Doubts, doubts_about
from worker.evaluation.ensembles import averaging_of
from worker.evaluation.evidence import Evidence, TrialResult, gather
from worker.evaluation.extrapolation import labels_for_goal
from worker.evaluation.flaws import flaw_warnings
from worker.evaluation.gains import contested_items, gains_over_baseline
from worker.evaluation.label_free import choose, scores_of
from worker.evaluation.learning_curve import (
    baseline_falls,
    curve_point,
    labels_to_reach,
)
from worker.evaluation.measures import measures_of
from worker.evaluation.measures.contract import Labels
from worker.evaluation.missing import failure_code, missing_of
from worker.evaluation.parts_of_items import parts_of
from worker.evaluation.recalibrated import recalibrated
from worker.evaluation.references import references_of
from worker.evaluation.rewritten import with_rewritten
from worker.evaluation.slice_groups import MeasuredArms
from worker.evaluation.slices import coded, slices_of
from worker.evaluation.source_doubts import source_warnings
from worker.evaluation.sources import names_of, searches_of, transferability_of
from worker.evaluation.training_fit import warnings_about_fit
from worker.evaluation.training_length import length_warnings
from worker.evaluation.unlabelled import unlabelled_beside
from worker.evaluation.verdict import judge, multiplicity, warnings_about

__all__ = ["TrialResult", "build_report"]

# Codes of trials that the job ended before they could -> what the report says of it.
STOPPED: dict[str | None, StopReason] = {
    FailureCode.CANCELLED: "cancelled",
    FailureCode.BUDGET: "budget",
}


def build_report(
    spec: ResolvedSpec,
    trials: Sequence[TrialResult],
    task: Task,
    counts: Sequence[int],
    selection: Sequence[Choice] = (),
    source_names: Sequence[str] = (),
    datasets: Sequence[EvidenceDataset] = (),
    training_items: int = 0,
) -> Report:
    """The same trials give the same report, byte for byte, in whatever order they come.

    Args:
        trials: all of the job's, with those that failed.
        task: the target's, its names in the order of the outputs.
        counts: labelled items of each of these names in the target's training split.
        selection: what `auto` chose.
        source_names: of the sources' datasets or models; without them they go by their references.
        datasets: what the intake found in the job's.
        training_items: of the target, with labels and without; 0 where that is not known.

    Raises:
        ValueError: a trial without error has no test predictions, or two have other test items.
    """
    metric, own = spec.evaluation.primary_metric, spec.target.budget
    measures, classes = measures_of(task), task.names
    baseline = spec.baseline_arm
    shown = (*spec.compared, *spec.arms)
    found = {budget: gather(trials, shown, budget, measures) for budget in spec.budgets}
    y = _test_labels(found.values())
    gains = {budget: gains_over_baseline(arms, spec) for budget, arms in found.items()}
    curve = [
        curve_point(budget, sum(task.strata(counts, budget)), arms, gains[budget], spec)
        for budget, arms in found.items()
        if arms
    ]
    arms, labels = found[own], sum(task.strata(counts, own))
    label_free = None
    if spec.target.use_labels:
        winner, remarks = _winner({name: arms[name] for name in spec.arms if name in arms}, spec)
        seed = arms[winner].best_seed(metric) if winner else None
    else:
        labels, remarks = 0, []
        label_free = choose(scores_of(spec, trials), arms, spec)
        winner, seed = (label_free.chosen, label_free.chosen_seed) if label_free else (None, None)
    known = (winner, arms[winner]) if winner and winner in arms else None
    references = references_of(spec, trials, known, gains[own], measures)
    gains[own] = dict(references.gains)
    gain = gains[own].get(winner) if winner else None
    contested = contested_items(arms[winner], arms[baseline]) if winner and gain else None
    reference = reference_of(y, measures, arms, metric)
    doubts = Doubts()
    if winner in arms and reference:
        doubts = doubts_about(spec, winner, arms, gain, reference, datasets, trials)
    verdict, reason = judge(winner, gain, spec, len(y), doubts)
    best = references.best
    if best and best.beats_winner:
        reason = f"{best.sentence}. {reason}"
    reached = {
        name: labels_to_reach(
            name,
            float(np.mean(evidence.test(metric))),
            labels,
            curve,
            spec.metric,
            is_shown=name in gains[own] and gains[own][name].is_shown,
        )
        for name, evidence in arms.items()
        if name in spec.arms and not (reference and name in reference.not_above)
    }
    if any(reached.values()) and baseline_falls(curve, spec.metric):
        remarks.append(
            f"{baseline} does worse with more labels somewhere on its learning curve: how many it "
            "needs is read off the best it has been"
        )
    beside = unlabelled_beside(spec, trials, training_items, labels)
    described = {
        name: describe(
            evidence,
            arms.get(baseline),
            gains[own].get(name),
            reached.get(name),
            cost_of(name, evidence, trials, own),
            spec,
            counts if spec.target.use_labels else None,
        ).model_copy(update={"unlabelled": beside.of(name)})
        for name, evidence in arms.items()
    }
    unknown = [name for name in spec.arms if name in arms and not described[name].forgetting]
    if spec.evaluation.forgetting and unknown:
        remarks.append(
            f"what {', '.join(unknown)} forgot is not known: a source without labelled test items "
            "or without its data, or a seed that is missing"
        )
    ranking = transferability_of(spec, trials, arms, source_names)
    if ranking and not spec.trains_arms:
        reason = f"{ranking.headline}: {ranking.reason}"
    codes = {failure_code(trial) for trial in trials}
    failed = [trial for trial in trials if failure_code(trial) not in (None, *STOPPED)]
    report = Report(
        verdict=verdict,
        reason=reason,
        task=task.kind,
        unit=task.unit,
        primary_metric=metric,
        confidence=spec.evaluation.confidence,
        labels_per_class=own,
        labels=labels,
        unlabelled=beside.items,
        test_items=len(y),
        classes=list(classes),
        baseline=baseline if baseline in arms else None,
        winner=winner,
        winner_seed=seed,
        arms=described,
        learning_curve=curve,
        labels_for_goal=_goals(spec, found, task, counts, [winner, baseline]),
        multiplicity=multiplicity(baseline, len(gains[own]), len(curve)),
        selection=list(selection),
        stop_reason=next((why for code, why in STOPPED.items() if code in codes), None),
        missing=missing_of(spec, trials),
        warnings=[  # a new kind of warning joins here
            *warnings_about(spec, gain, contested, y, classes, counts, failed),
            *cluster_warnings(trials),
            *source_warnings(spec, trials, names_of(spec, source_names), ranking),
            *remarks,
            *flaw_warnings(spec, reference, classes, counts, trials),
            *spec.warnings,
            *others_at_chance(spec, winner, reference),
            *warnings_about_fit(spec, trials, shown, measures),
            *length_warnings(spec, {name: arm.cost for name, arm in described.items()}),
            *([best.sentence] if best and not best.beats_winner else []),
            *deployment_note(spec, verdict, winner, reference, best),
            *dataset_warnings(datasets),
            *condition_warnings(trials),
        ],
        label_free=label_free,
        slices=slices_of(
            coded(spec.evaluation.slices, trials),
            MeasuredArms(arms, gather(trials, tuple(spec.references), own, measures), winner, spec),
        ),
        parts=parts_of({name: arms[name] for name in (winner, baseline) if name in arms}, spec),
        reference=reference,
        recalibrated=recalibrated(found, spec, task, counts),
        references=references.arms,
        best_reference=best,
        transferability=ranking,
        columns=with_rewritten(spec, trials),
        searches=searches_of(trials),
        devices=devices_of(trials),
        trials_failed=len(failed),
        seconds=fsum(trial.seconds for trial in trials),
    )
    averaging = averaging_of(report, spec, trials, measures)
    if not averaging.report and not averaging.warnings:
        return report
    warnings = [*report.warnings, *averaging.warnings]
    return report.model_copy(update={"ensemble": averaging.report, "warnings": warnings})


def _goals(
    spec: ResolvedSpec,
    found: Mapping[int | None, Mapping[str, Evidence]],
    task: Task,
    counts: Sequence[int],
    arms: Sequence[str | None],
) -> list[LabelsForGoal]:
    """Goals of each of `arms`, where its curve says how many labels the goal takes."""
    evaluation = spec.evaluation
    told = []
    for arm in filter(None, arms):
        values = {
            sum(task.strata(counts, budget)): of[arm].test(evaluation.primary_metric)
            for budget, of in found.items()
            if arm in of
        }
        told.append(
            labels_for_goal(
                arm,
                values,
                evaluation.goal,
                spec.metric,
                evaluation.primary_metric,
                evaluation.confidence,
                spec.seed,
            )
        )
    return [each for each in told if each]


def _test_labels(found: Iterable[Mapping[str, Evidence]]) -> Labels:
    """(n,); n is 0 where no trial succeeded."""
    evidence = [evidence for arms in found for evidence in arms.values()]
    of_trials = [trial.y for each in evidence for trial in each.trials]
    if not all(np.array_equal(y, of_trials[0]) for y in of_trials):
        raise ValueError("report: expected the same test items in every trial, got different ones")
    return of_trials[0] if of_trials else np.empty(0, np.int32)


def _winner(transfer: Mapping[str, Evidence], spec: ResolvedSpec) -> tuple[str | None, list[str]]:
    """The transfer arm that is best on validation, and what there is to say against the choice."""
    most = max((len(evidence.trials) for evidence in transfer.values()), default=0)
    whole = {name: each for name, each in transfer.items() if len(each.trials) == most}
    left_out = [
        f"{name} has results of {len(each.trials)} of {most} seeds and may not be the winner: what "
        "is left of it may be luck"
        for name, each in transfer.items()
        if name not in whole
    ]
    winner, remarks = _best(whole, spec)
    return winner, left_out + remarks


def _best(transfer: Mapping[str, Evidence], spec: ResolvedSpec) -> tuple[str | None, list[str]]:
    """The same of arms with as many seeds."""
    if len(transfer) < 2:
        return next(iter(transfer), None), []
    means, of, primary = {}, spec.metric, spec.evaluation.primary_metric
    for name, evidence in transfer.items():
        values = evidence.validation(primary)
        if values is None or evidence.validation_items < FEWEST_VALIDATION_ITEMS:
            first = next(iter(transfer))
            return first, [
                f"fewer than {FEWEST_VALIDATION_ITEMS} validation items over all seeds: {first} "
                "is the winner because it stands first in the job, not because it was the best"
            ]
        means[name] = float(np.mean(values))
    top = max(of.sign * mean for mean in means.values())
    tie = EXACT * max(size_of(next(iter(transfer.values())).measures.task, primary), abs(top))
    best = [name for name, mean in means.items() if top - of.sign * mean < tie]
    if len(best) == 1:
        return best[0], []
    return best[0], [f"{' and '.join(best)} tie on validation: the winner stands first in the job"]
