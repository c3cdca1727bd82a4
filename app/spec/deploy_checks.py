"""What of a wish to deploy can be refused before a job starts."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from app.errors import Coded, Finding

if TYPE_CHECKING:
    from app.spec.spec import JobSpec


def deploy_findings(spec: "JobSpec") -> Iterator[Coded]:
    if spec.deploy is None:
        return
    evaluation = spec.evaluation
    if spec.kind == "rank" and not spec.measure:
        detail = "expected no `deploy` in a job that only ranks; `measure` trains as well"
        yield "nothing_to_deploy", Finding(detail, "#/deploy")
    is_judged = evaluation.baseline and evaluation.seeds > 1
    if spec.deploy.when == "beats_baseline" and not is_judged:
        detail = (
            "expected evaluation.baseline and at least 2 seeds for `beats_baseline`: without them "
            "nothing can be proven, and nothing would ever be deployed; `always` deploys anyway"
        )
        yield "deploy_needs_evidence", Finding(detail, "#/deploy/when")
    if spec.deploy.ensemble != "none" and evaluation.seeds < 2:
        detail = (
            f"expected at least 2 seeds for an ensemble, got {evaluation.seeds}: raise "
            "evaluation.seeds, or leave `ensemble` out, and the one network is served"
        )
        yield "ensemble_needs_seeds", Finding(detail, "#/deploy/ensemble")
