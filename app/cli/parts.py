"""Figures of what each part of items brings, for a person."""

from app.cli.output import out, print_table
from app.spec.report import Report


def show(report: Report) -> None:
    """Prints for each arm that was asked part by part which it loses most without, and a row per
    part: the primary metric by it alone, without it, and what is lost."""
    of = report.metric
    for arm, found in report.parts.items():
        out.print(f"\n{found.sentence}", markup=False)
        rows = [
            (
                name,
                each.missing,
                of.shown(each.alone.mean),
                of.shown(each.without.mean),
                of.shown(each.lost.mean, signed=True),
            )
            for name, each in found.parts.items()
        ]
        whole = f"{report.primary_metric} of {arm}, {of.shown(found.whole.mean)}"
        heads = [f"part ({whole})", "test items without it", "alone", "without it", "lost"]
        print_table(heads, rows)
