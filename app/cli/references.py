"""Figures of models without a network, for a person."""

from app.cli.output import out, print_table
from app.jobs.page import numbers
from app.spec.report import Report


def show(report: Report) -> None:
    """Prints a row per reference, the best first; what they mean stands in the verdict's reason or
    among the warnings."""
    primary, of = report.primary_metric, report.metric
    ranked = sorted(
        report.references.items(), key=lambda named: -of.sign * named[1].metrics[primary].mean
    )
    out.print()
    print_table(
        ["without a network", numbers.metric(primary), "gain of the winner", "p (Holm)"],
        [
            (
                name,
                of.shown(each.metrics[primary].mean),
                each.gain and of.shown(each.gain.mean, signed=True),
                (each.gain and each.gain.p_holm is not None and f"{each.gain.p_holm:.2g}") or None,
            )
            for name, each in ranked
        ],
    )
