"""Jobs of small networks, from their submission to their report."""

from typing import Any

from app.jobs import acceptance, repository
from app.jobs.page.page import render
from app.jobs.presenting import present_job
from app.spec.report import Report
from app.spec.spec import JobSpec
from app.tables.jobs import JobRow, TrialRow
from worker.process import duty
from worker.process.workplace import Workplace

SMALL: dict[str, Any] = {
    "model": {"backbone": "mlp", "params": {"hidden": [6]}},
    "strategies": ["fine_tune"],
    "training": {"epochs": 2, "batch_size": 16, "min_steps": 0},
    "evaluation": {"seeds": 2},
}


def submit(place: Workplace, sources: list[dict[str, str]], target: str, **changes: Any) -> str:
    """`target_…` changes are the target's."""
    of_target = {
        name.removeprefix("target_"): changes.pop(name)
        for name in [*changes]
        if name.startswith("target_")
    }
    spec = JobSpec.model_validate(
        {**SMALL, "sources": sources, "target": {"dataset": target, **of_target}, **changes}
    )
    with place.database.write() as session:
        return acceptance.accept(session, place.storage, "p", spec, place.settings).id


def run(place: Workplace, job_id: str) -> tuple[JobRow, list[TrialRow]]:
    """Once a child has done all there was to do."""
    duty.train(place, "worker")
    duty.finalise(place, job_id, "worker")
    with place.database.read() as session:
        return session.get_one(JobRow, job_id), repository.trials(session, job_id)


def page_of(place: Workplace, job: JobRow) -> str:
    with place.database.read() as session:
        return render(present_job(session, job), report_of(job))


def report_of(job: JobRow) -> Report:
    assert job.report is not None, job.error
    return Report.model_validate(job.report)
