"""Jobs of small networks, from their submission to their report."""

from typing import Any

from sqlalchemy.orm import Session

from app.jobs import acceptance, repository
from app.jobs.page.page import render
from app.jobs.presenting import present_job
from app.spec.report import Report
from app.spec.spec import JobSpec
from app.tables.jobs import JobRow, TrialRow
from worker.machine.context import WorkerContext
from worker.process import runner

SMALL: dict[str, Any] = {
    "model": {"backbone": "mlp", "params": {"hidden": [6]}},
    "strategies": ["fine_tune"],
    "training": {"epochs": 2, "batch_size": 16, "min_steps": 0, "augmentation": None},
    "evaluation": {"seeds": 2},
}


def submit(
    context: WorkerContext, sources: list[dict[str, str]], target: str, **changes: Any
) -> str:
    """`target_…` changes are the target's."""
    of_target = {
        name.removeprefix("target_"): changes.pop(name)
        for name in [*changes]
        if name.startswith("target_")
    }
    spec = JobSpec.model_validate(
        {**SMALL, "sources": sources, "target": {"dataset": target, **of_target}, **changes}
    )
    with context.database.write() as session:
        return accepted(session, context, "p", spec).id


def accepted(session: Session, context: WorkerContext, project: str, spec: JobSpec) -> JobRow:
    """Checked and written down in one transaction."""
    checked = acceptance.check(session, context.storage, project, spec, context.settings)
    return acceptance.record(session, project, checked)


def run(context: WorkerContext, job_id: str) -> tuple[JobRow, list[TrialRow]]:
    """Once a child has done all there was to do."""
    runner.train(context, "worker")
    runner.finalise(context, job_id, "worker")
    with context.database.read() as session:
        return session.get_one(JobRow, job_id), repository.trials(session, job_id)


def page_of(context: WorkerContext, job: JobRow) -> str:
    with context.database.read() as session:
        return render(present_job(session, job), report_of(job))


def report_of(job: JobRow) -> Report:
    assert job.report is not None, job.error
    return Report.model_validate(job.report)
