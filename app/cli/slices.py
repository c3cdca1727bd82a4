"""Parts of the test items for a person."""

from app.cli.output import out, print_table
from app.spec.intervals import Bounds, Interval
from app.spec.report import Report
from app.spec.slice_report import Slice


def show(report: Report) -> None:
    """Prints for each column what its worst value is, and a row per value: the winner, or without
    one the baseline, in the primary metric, and its gain."""
    for found in report.slices:
        out.print(f"\n{found.sentence}", markup=False)
        if found.values:
            _show(found, report)


def _show(found: Slice, report: Report) -> None:
    judged = found.worst.arm if found.worst else report.winner or report.baseline
    level, of = f"{100 * report.confidence:g} %", report.metric

    def bounds(held: Interval | Bounds | None) -> str | None:
        if held is None or held.low is None or held.high is None:
            return None
        return f"{of.shown(held.low)} … {of.shown(held.high)}"

    rows = []
    for each in found.values:
        arm = each.arms.get(judged or "")
        value = arm.metrics.get(report.primary_metric) if arm else None
        gain = arm.gain if arm else None
        rows.append(
            (
                each.value,
                each.items,
                value and of.shown(value.mean),
                bounds(value),
                gain and of.shown(gain.mean, signed=True),
                bounds(gain and (gain.overall or gain.bootstrap)),
            )
        )
    heads = [found.column, "test items", f"{report.primary_metric} of {judged}", level]
    print_table(
        [*heads, f"gain over {report.baseline}" if report.baseline else "gain", level], rows
    )
    best = report.best_reference.name if report.best_reference else ""
    if of_best := [
        (each.value, of.shown(value.mean), bounds(value))
        for each in found.values
        if best in each.references
        and (value := each.references[best].metrics.get(report.primary_metric))
    ]:
        print_table([found.column, f"{report.primary_metric} of {best}", level], of_best)
