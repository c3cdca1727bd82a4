"""The evidence for a person."""

from app.cli.output import out, print_table
from app.jobs.report import Arm, Report

VERDICTS = {
    "positive_transfer": "[bold green]The transfer helped.[/]",
    "no_evidence": "[bold yellow]No evidence that the transfer helped.[/]",
    "negative_transfer": "[bold red]The transfer did harm.[/]",
}


def show(report: Report) -> None:
    """A row an arm, then the verdict in a sentence, then the warnings."""
    level = f"{report.confidence:.0%}"
    print_table(
        ["arm", f"{report.primary_metric} (mean)", level, "gain over scratch", level, "p (Holm)"],
        [
            (_name(name, report), *_cells(arm, report.primary_metric))
            for name, arm in report.arms.items()
        ],
    )
    labels = (
        f"{report.labels_per_class} labels a class" if report.labels_per_class else "all labels"
    )
    seeds = max((arm.metrics[report.primary_metric].n for arm in report.arms.values()), default=0)
    out.print(f"{labels}, {seeds} seeds, {report.test_items} test items", style="dim")
    out.print(f"\n{VERDICTS[report.verdict]}")
    out.print(report.reason, markup=False)
    for warning in report.warnings:
        out.print(f"warning: {warning}", markup=False, style="yellow")


def _name(name: str, report: Report) -> str:
    return f"{name} *" if name == report.winner else name


def _cells(arm: Arm, metric: str) -> tuple[object, ...]:
    value, gain = arm.metrics[metric], arm.gain
    cells = (f"{value.mean:.4f}", _interval(value.low, value.high))
    if gain is None:
        return (*cells, None, None, None)
    return (*cells, f"{gain.mean:+.4f}", _interval(gain.low, gain.high), f"{gain.p_holm:.2g}")


def _interval(low: float | None, high: float | None) -> str | None:
    return None if low is None or high is None else f"{low:.4f} … {high:.4f}"
