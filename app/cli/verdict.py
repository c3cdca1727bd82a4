"""The evidence for a person."""

from app.cli.output import out, print_table
from app.jobs.page import candidates
from app.jobs.plan import PRETRAIN
from app.jobs.report import (
    Arm,
    Bounds,
    Interval,
    LabelFreeChoice,
    Missing,
    Report,
    Search,
    SourceRank,
)
from app.jobs.strategies import SOURCE_ONLY, SUPERVISED

VERDICTS = {
    "positive_transfer": "[bold green]The transfer helped.[/]",
    "no_evidence": "[bold yellow]No evidence that the transfer helped.[/]",
    "negative_transfer": "[bold red]The transfer did harm.[/]",
}
STOPPED = {
    "budget": "the job's budget of seconds was spent",
    "cancelled": "the job was cancelled; this compares what had finished by then",
}


def show(report: Report) -> None:
    """A row an arm, then the verdict in a sentence, then what is missing and the warnings."""
    if report.arms:
        _show_arms(report)
    if report.transferability and not report.arms:
        out.print("\n[bold]The sources were ranked.[/]")
    else:
        out.print(f"\n{VERDICTS[report.verdict]}")
    out.print(report.reason, markup=False)
    for arm in report.arms.values():
        if arm.labels_to_reach:
            out.print(arm.labels_to_reach.sentence, markup=False)
    for line in _found_out(report):
        out.print(line, markup=False)
    if report.stop_reason:
        out.print(f"stopped: {STOPPED[report.stop_reason]}", style="yellow")
    for missing in report.missing:
        out.print(f"missing: {_missing(missing)}", markup=False, style="yellow")
    for warning in report.warnings:
        out.print(f"warning: {warning}", markup=False, style="yellow")


def _show_arms(report: Report) -> None:
    level = f"{100 * report.confidence:g} %"
    gain = f"gain over {report.baseline}" if report.baseline else "gain"
    print_table(
        ["arm", f"{report.primary_metric} (mean)", level, gain, level, "p (Holm)"],
        [
            (_name(name, report), *_cells(arm, report.primary_metric))
            for name, arm in report.ranked.items()
        ],
    )
    seeds = max(arm.metrics[report.primary_metric].n for arm in report.arms.values())
    budget = f"{_budget(report.labels_per_class)} ({report.labels} labels)"
    if report.label_free or report.baseline == SOURCE_ONLY:
        budget = "no labels of the target"
    out.print(f"{budget}, {seeds} seeds, {report.test_items} test items", style="dim")


def _found_out(report: Report) -> list[str]:
    """What was chosen on the way, and what was forgotten."""
    lines = [_choice(report.label_free)] if report.label_free else []
    if found := report.transferability:
        lines.append(_source(found.ranking[0], found.ranked_by, report.primary_metric))
    lines += [_search(search) for search in report.searches]
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
    regret = "" if choice.regret is None else f", {choice.regret:+.4f}"
    return f"{said} (by the test's labels, which chose nothing: {choice.oracle}{regret})"


def _source(first: SourceRank, ranked_by: str, metric: str) -> str:
    score = first.scores.get(ranked_by)
    said = f"most promising source: {first.source} ({first.reference})"
    if score is not None:
        said += f", {ranked_by} {score:.4f}"
    if first.measured:
        said += f"; {first.best_arm} reaches {metric} {first.measured.mean:.4f} from it"
    return said


def _search(search: Search) -> str:
    chosen = candidates.chosen(search.chosen)
    return f"search for {search.arm}, seed {search.seed}: {chosen} ({search.reason})"


def _name(name: str, report: Report) -> str:
    if name == SUPERVISED:
        return f"{name} (bound)"
    return f"{name} *" if name == report.winner else name


def _cells(arm: Arm, metric: str) -> tuple[object, ...]:
    value, gain = arm.metrics[metric], arm.gain
    cells = (f"{value.mean:.4f}", _bounds(value))
    if gain is None:
        return (*cells, None, None, None)
    p_value = None if gain.p_holm is None else f"{gain.p_holm:.2g}"
    return (*cells, f"{gain.mean:+.4f}", _bounds(gain.overall), p_value)


def _bounds(of: Interval | Bounds | None) -> str | None:
    if of is None or of.low is None or of.high is None:
        return None
    return f"{of.low:.4f} … {of.high:.4f}"


def _budget(labels_per_class: int | None) -> str:
    return f"{labels_per_class} labels a class" if labels_per_class else "all labels"


def _missing(missing: Missing) -> str:
    seeds = ", ".join(map(str, missing.seeds))
    noun = "seed" if len(missing.seeds) == 1 else "seeds"
    budget = (
        ""
        if missing.arm.partition("@")[0] == PRETRAIN
        else f" with {_budget(missing.labels_per_class)}"
    )
    return f"{missing.arm}{budget}, {noun} {seeds} ({missing.code})"
