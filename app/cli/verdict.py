"""The evidence for a person."""

from collections.abc import Sequence

from app.cli import parts, ranking, references, slices
from app.cli.output import out, print_table
from app.jobs.page import candidates, numbers, told
from app.plurals import counted
from app.spec.figures import Cost, Missing, Reference
from app.spec.intervals import Bounds, Interval
from app.spec.plan import is_pretraining
from app.spec.report import Arm, LabelFreeChoice, Report, Verdict
from app.spec.source_report import Search
from app.spec.spec import budget_words
from app.spec.strategies import SOURCE_ONLY, SUPERVISED
from app.tasks import TASKS
from app.tasks.contract import Metric

COLOURS: dict[Verdict, str] = {
    "positive_transfer": "green",
    "no_evidence": "yellow",
    "negative_transfer": "red",
}
STOPPED = {
    "budget": "the job's budget of seconds was spent",
    "cancelled": "the job was cancelled; this compares what had finished by then",
}


def show(report: Report, source_names: Sequence[str] = ()) -> None:
    """A row per arm, then the verdict in a sentence, then what is missing and the warnings."""
    if report.arms:
        _show_arms(report, source_names)
    if report.references:
        references.show(report)
    if report.transferability:
        ranking.show(report, report.transferability)
    if report.arms or not report.transferability:
        style = f"bold {COLOURS[report.verdict]}"
        out.print(f"\n{told.headline(report)}.", markup=False, style=style)
    out.print(report.reason, markup=False)
    if report.correction_note:
        out.print(report.correction_note, markup=False)
    for arm in report.arms.values():
        if arm.labels_to_reach:
            out.print(arm.labels_to_reach.sentence, markup=False)
    for wanted in report.labels_for_goal:
        out.print(wanted.sentence, markup=False)
    for line in _found_out(report):
        out.print(line, markup=False)
    slices.show(report)
    parts.show(report)
    if report.stop_reason:
        out.print(f"stopped: {STOPPED[report.stop_reason]}", style="yellow")
    for missing in report.missing:
        out.print(f"missing: {_missing(missing, report)}", markup=False, style="yellow")
    for warning in report.warnings:
        out.print(f"warning: {warning}", markup=False, style="yellow")


def _show_arms(report: Report, source_names: Sequence[str]) -> None:
    level = f"{100 * report.confidence:g} %"
    gain = f"gain over {report.baseline}" if report.baseline else "gain"
    beside = ["balanced accuracy"] if _shows_balanced(report) else []
    print_table(
        ["arm", _headed(report), level, *beside, gain, level, "p", "p (Holm)"],
        [(_name(name, report), *_cells(arm, report)) for name, arm in report.ranked.items()],
    )
    for name, words in told.behind(report, source_names).items():
        out.print(f"{name}: {words}", markup=False, style="dim")
    if report.reference:
        out.print(_without_a_look(report, report.reference), markup=False, style="dim")
    seeds = max(arm.metrics[report.primary_metric].n for arm in report.arms.values())
    budget = _budget(report.labels_per_class, report)
    if TASKS[report.task].has_classes or report.labels_per_class is None:
        budget += f" ({counted(report.labels, 'label')})"
    if report.label_free or report.baseline == SOURCE_ONLY:
        budget = "no labels of the target"
    tested = f"{counted(seeds, 'seed')}, {counted(report.test_items, 'test item')}"
    out.print(f"{budget}, {tested}", style="dim")
    if beside := [name for name, arm in report.arms.items() if arm.unlabelled]:
        said = f"{report.unlabelled} more training items without labels took part"
        out.print(f"{said} in {', '.join(beside)}", markup=False, style="dim")
    for line in report.devices:
        out.print(line, markup=False, style="dim")
    if steps := [
        f"{name} {_steps(arm.cost)}"
        for name, arm in report.ranked.items()
        if arm.cost.steps is not None
    ]:
        out.print(f"optimizer steps per trial: {', '.join(steps)}", markup=False, style="dim")


def _shows_balanced(report: Report) -> bool:
    """Beside accuracy, where the test set's classes are unequal."""
    is_unequal = report.reference is not None and report.reference.is_unequal
    return is_unequal and report.primary_metric == "accuracy"


def _without_a_look(report: Report, reference: Reference) -> str:
    """What answers that look at no item score."""
    metrics = [report.primary_metric, *(["balanced_accuracy"] if _shows_balanced(report) else [])]
    told = ", ".join(
        f"{numbers.metric(name)} {report.metric.shown(reference.majority[name])}"
        for name in metrics
    )
    always = f"always answering {reference.majority_class}: {told}"
    chance = report.chance_of(report.primary_metric)
    return always if chance is None else f"chance: {chance:.4f}; {always}"


def _steps(cost: Cost) -> str:
    """`500`, `500 (and 300 of a head alone)`."""
    alone = f" (and {cost.head_steps:.0f} of a head alone)" if cost.head_steps else ""
    return f"{cost.steps:.0f}{alone}"


def _found_out(report: Report) -> list[str]:
    """What was chosen on the way, and what was forgotten."""
    lines = [said for source in report.columns for said in source.sentences]
    lines += [each.sentence for each in report.recalibrated]
    lines += [_choice(report.label_free)] if report.label_free else []
    lines += [_search(search) for search in report.searches]
    if report.ensemble:
        cost, learnt = report.ensemble.cost, report.ensemble.distilled
        lines += [report.ensemble.sentence, *([learnt.sentence] if learnt else [])]
        lines += [cost.sentence] if cost else []
    return lines + [
        f"{name}: accuracy on the source {kept.before.mean:.4f} before, {kept.after.mean:.4f} "
        f"after ({kept.change.mean:+.4f})"
        for name, arm in report.ranked.items()
        if (kept := arm.forgetting)
    ]


def _choice(choice: LabelFreeChoice) -> str:
    said = f"chosen without labels, by {choice.rule.replace('_', ' ')}: {choice.chosen}"
    if choice.oracle is None:
        return said
    if choice.oracle == choice.chosen:
        return f"{said} (the test set's labels, which chose nothing, would have chosen it too)"
    regret = "" if choice.regret is None else f", {choice.regret:+.4f}"
    return f"{said} (by the test set's labels, which chose nothing: {choice.oracle}{regret})"


def _search(search: Search) -> str:
    chosen = candidates.chosen(search.chosen)
    others = f"; {', '.join(search.others)} with the same augmentation" if search.others else ""
    return f"search for {search.arm}, seed {search.seed}: {chosen} ({search.reason}){others}"


def _name(name: str, report: Report) -> str:
    if name == SUPERVISED:
        return f"{name} (bound)"
    return f"{name} *" if name == report.winner else name


def _cells(arm: Arm, report: Report) -> tuple[object, ...]:
    value, gain = arm.metrics[report.primary_metric], arm.gain
    of = report.metric
    cells: tuple[object, ...] = (of.shown(value.mean), _bounds(value, of))
    if _shows_balanced(report):
        cells += (f"{arm.metrics['balanced_accuracy'].mean:.4f}",)
    if gain is None:
        return (*cells, None, None, None, None)
    mean, within = of.shown(gain.mean, signed=True), _bounds(gain.overall, of, is_difference=True)
    return (*cells, mean, within, _p_value(gain.p_value), _p_value(gain.p_holm))


def _p_value(value: float | None) -> str | None:
    return None if value is None else f"{value:.2g}"


def _headed(report: Report) -> str:
    """`accuracy (mean)`, `MAE [USD] (mean, lower is better)`."""
    of = report.metric
    unit = f" [{report.unit}]" if report.unit and of.is_in_unit else ""
    direction = "" if of.higher_is_better else f", {of.direction}"
    return f"{numbers.metric(report.primary_metric)}{unit} (mean{direction})"


def _bounds(
    of: Interval | Bounds | None, metric: Metric, is_difference: bool = False
) -> str | None:
    if of is None or of.low is None or of.high is None:
        return None
    ends = (metric.shown(end, signed=is_difference).removeprefix("+") for end in (of.low, of.high))
    return " … ".join(ends)


def _budget(budget: int | None, report: Report) -> str:
    return budget_words(budget, report.task)


def _missing(missing: Missing, report: Report) -> str:
    seeds = ", ".join(map(str, missing.seeds))
    noun = "seed" if len(missing.seeds) == 1 else "seeds"
    budget = (
        "" if is_pretraining(missing.arm) else f" with {_budget(missing.labels_per_class, report)}"
    )
    return f"{missing.arm}{budget}, {noun} {seeds} ({missing.code})"
