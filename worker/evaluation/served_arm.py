"""Which of a job's arms or references becomes its model."""

from app.spec.report import Report
from app.spec.spec import ResolvedSpec


def served_arm(report: Report, spec: ResolvedSpec) -> str | None:
    """The winner; the baseline itself where the transfer did harm; what is best of all where the
    job asks for that and it can be packaged."""
    arm = report.baseline if report.verdict == "negative_transfer" else report.winner
    if spec.deploy and spec.deploy.when == "best":
        best = report.best_of_all
        # A reference of texts is compared with, and not served: worker/references/text_reference.py
        return arm if best in spec.references and not spec.serves_references else best
    return arm
