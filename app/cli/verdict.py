"""The evidence for a person."""

from app.cli.output import out, print_table
from app.jobs.plan import PRETRAIN
from app.jobs.report import Arm, Bounds, Interval, Missing, Report
from app.jobs.strategies import BASELINE

VERDICTS = {
    "positive_transfer": "[bold green]The transfer helped.[/]",
    "no_evidence": "[bold yellow]No evidence that the transfer helped.[/]",
    "negative_transfer": "[bold red]The transfer did harm.[/]",
}


def show(report: Report) -> None:
    """A row an arm, then the verdict in a sentence, then what is missing and the warnings."""
    level = f"{100 * report.confidence:g} %"
    print_table(
        [
            "arm",
            f"{report.primary_metric} (mean)",
            level,
            f"gain over {report.baseline or BASELINE}",
            level,
            "p (Holm)",
        ],
        [
            (_name(name, report), *_cells(arm, report.primary_metric))
            for name, arm in report.ranked.items()
        ],
    )
    seeds = max((arm.metrics[report.primary_metric].n for arm in report.arms.values()), default=0)
    out.print(
        f"{_budget(report.labels_per_class)} ({report.labels} labels), {seeds} seeds, "
        f"{report.test_items} test items",
        style="dim",
    )
    out.print(f"\n{VERDICTS[report.verdict]}")
    out.print(report.reason, markup=False)
    for arm in report.arms.values():
        if arm.labels_to_reach:
            out.print(arm.labels_to_reach.sentence, markup=False)
    if chosen := report.label_free:
        out.print(f"chosen without labels by {chosen.rule}: {chosen.chosen}", markup=False)
        if chosen.oracle:
            out.print(f"the test's labels would have chosen {chosen.oracle}", style="dim")
    if report.transferability:
        best = report.transferability.ranking[0]
        out.print(
            f"source {best.source} ({best.reference}) ranks first by "
            f"{report.transferability.ranked_by}",
            markup=False,
        )
    for search in report.searches:
        out.print(f"{search.arm}: {search.reason}", markup=False)
    for name, arm in report.arms.items():
        if arm.forgetting:
            change = arm.forgetting.change.mean
            out.print(f"{name}: {change:+.4f} accuracy on the source", markup=False)
    if report.stop_reason == "budget":
        out.print("stopped: the job's budget of seconds was spent", style="yellow")
    for missing in report.missing:
        out.print(f"missing: {_missing(missing)}", markup=False, style="yellow")
    for warning in report.warnings:
        out.print(f"warning: {warning}", markup=False, style="yellow")


def _name(name: str, report: Report) -> str:
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
