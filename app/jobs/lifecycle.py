"""The state machine of jobs and trials. Database only: no HTTP, no TensorFlow.

    job     queued -> running -> succeeded | failed | cancelled      running <-> paused
    trial   waiting -> queued -> running -> succeeded | failed | cancelled

Every transition locks the job's row first and its trials after, so that two of them never deadlock,
and the last of several trials that end at once sees the others and finalises. `advance` moves on
whatever can move and may be called at any time, any number of times.

A job is `cancelled` at once; with results, its stage is `finalising` until it has a report of them.
"""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.database import announce, clock, now
from app.errors import (
    ACCIDENTS,
    FINAL_OF_INTAKE,
    Conflict,
    FailureCode,
    Fenced,
    NotFound,
    WorkFailure,
)
from app.jobs import budget, events, repository, trial_rows
from app.jobs.events import Event
from app.messages import FinaliseJob, IngestDataset
from app.spec.plan import OPTIONAL, PRETRAIN, PlannedTrial
from app.tables.datasets import DatasetRow
from app.tables.jobs import ENDED, JobRow, TrialRow

ACTIVE = ("queued", "running")
FINALISING = "finalising"
REPORTABLE = (*ACTIVE, "cancelled")  # of these, those in the stage `finalising` await a report


def submit(
    session: Session, job: JobRow, trials: list[PlannedTrial], steps: list[int], plan: list[float]
) -> None:
    """Writes the job and all its trials (`steps`: of each, at most; `plan`: their seconds), and
    starts what can start. Raises Conflict when a dataset was deleted meanwhile."""
    job.status, job.stage, job.event_count = "queued", "queued", 0
    # Shared locks: an intake or a deletion that ends now either sees this job or is seen by it.
    datasets = repository.datasets_of(session, job, lock="share")
    repository.require_kept(session, job, datasets)
    session.add(job)
    session.flush()
    trial_rows.add(session, job.id, trials, steps, plan)
    events.record(session, job, status_event(job))
    advance(session, job.id)


def advance(session: Session, job_id: str) -> None:
    """Queues trials whose dependencies are met; hands a job whose trials have ended on."""
    job = lock_kept(session, job_id)
    if job is None or job.status not in ACTIVE or not _datasets_ready(session, job):
        return
    if failure := budget.overdrawn(session, job):
        trial_rows.fail_unstarted(session, job_id, failure)
    trial_rows.queue_ready(session, job_id)
    if job.stage != FINALISING and not repository.has_unfinished(session, job_id):
        _hand_on(session, job)
    session.flush()


def dataset_settled(session: Session, dataset_id: str) -> None:
    """Called when an intake has ended, well or badly."""
    needs = select(JobRow.id, JobRow.target_id, JobRow.source_ids).order_by(JobRow.id)
    for job_id, target, sources in session.execute(needs.where(JobRow.status.in_(ACTIVE))).all():
        if dataset_id in {target, *sources}:
            advance(session, job_id)


def fail_job(session: Session, job: JobRow, error: dict[str, Any]) -> None:
    """Called under the job's lock, or by the worker that holds its lease. A cancelled job stays
    so: what has failed is its report."""
    job.stage, job.error = "ended", error
    job.token = job.owner = job.lease_until = None
    if job.status != "cancelled":
        job.status, job.ended_at = "failed", now()
        trial_rows.cancel(session, job.id)
    session.flush()
    events.record(session, job, status_event(job))


# What a user asks for. The same call again changes nothing; an impossible one is a Conflict.


def cancel(session: Session, job_id: str) -> JobRow:
    job = lock(session, job_id)
    if job.status == "cancelled":
        return job
    if job.status in ENDED:
        raise _impossible(job, "cancelled", "one that has not ended")
    job.status, job.stage, job.ended_at = "cancelled", "ended", now()
    job.token = job.owner = job.lease_until = None
    reason = WorkFailure(FailureCode.CANCELLED, "the job was cancelled")
    trial_rows.cancel(session, job_id, reason)
    if repository.has_results(session, job_id):
        _ask_for_report(session, job)
    events.record(session, job, status_event(job))
    return job


def pause(session: Session, job_id: str) -> JobRow:
    """Running trials see it within a second, store a checkpoint and give themselves back."""
    job = lock(session, job_id)
    if job.status == "paused":
        return job
    if job.status not in ACTIVE:
        raise _impossible(job, "paused", "one that is queued or running")
    job.status = "paused"
    job.token = job.owner = job.lease_until = None
    events.record(session, job, status_event(job))
    return job


def resume(session: Session, job_id: str) -> JobRow:
    job = lock(session, job_id)
    if job.status in ACTIVE:
        return job
    if job.status != "paused":
        raise _impossible(job, "resumed", "one that is paused")
    _set_off(session, job)
    return job


def retry(session: Session, job_id: str) -> JobRow:
    """Runs again what failed; what succeeded stays, and what has a checkpoint goes on from it.

    A job that its budget stopped has not failed but succeeded with what there was: it stays so. The
    same job with more seconds finds its pretraining done.
    """
    job = lock(session, job_id)
    if job.status in ACTIVE:
        return job
    if job.status != "failed":
        raise _impossible(job, "retried", "one that failed")
    datasets = repository.datasets_of(session, job, lock="update")
    repository.require_kept(session, job, datasets)
    trial_rows.start_again(session, job_id)
    for dataset in datasets:
        is_gone = not dataset.origin_key and _failure(dataset) in FINAL_OF_INTAKE
        is_made_anew = dataset.status == "damaged" and dataset.origin_key
        if (dataset.status == "failed" and not is_gone) or is_made_anew:
            dataset.status, dataset.error, dataset.attempt = "ingesting", None, 0
            dataset.published_at = session.scalar(select(clock()))
            announce(session, IngestDataset(dataset.id))
    job.error = job.ended_at = job.stop_reason = None
    _set_off(session, job)
    return job


# Inside


def lock(session: Session, job_id: str) -> JobRow:
    """The job's row, fresh and locked until the commit. Raises NotFound where it was deleted at
    this moment."""
    job = lock_kept(session, job_id)
    if job is None:
        raise NotFound("job_not_found", f"there is no job {job_id} any more")
    return job


def lock_kept(session: Session, job_id: str) -> JobRow | None:
    """The same; None where it was deleted."""
    statement = select(JobRow).where(JobRow.id == job_id).with_for_update()
    return session.scalar(statement, execution_options={"populate_existing": True})


def lock_of(session: Session, trial: TrialRow) -> JobRow:
    """The job of a trial that a worker holds. Raises Fenced where it was deleted, and the trial
    with it."""
    job = lock_kept(session, trial.job_id)
    if job is None:
        raise Fenced(f"{trial.id}: its job was deleted")
    return job


def _failure(dataset: DatasetRow) -> str | None:
    return (dataset.error or {}).get("failure")


def _datasets_ready(session: Session, job: JobRow) -> bool:
    datasets = repository.datasets_of(session, job)
    for dataset in datasets:
        if dataset.status in {"failed", "damaged"}:
            error = dataset.error or {}
            if dataset.status == "failed":
                detail = (
                    f"expected the dataset {dataset.id} ({dataset.name}) to be ready, its intake "
                    f"failed: {error.get('message', 'unknown')}"
                )
                error = WorkFailure(FailureCode.DATASET_FAILED, detail, stage="intake").as_json()
            fail_job(session, job, error)
            return False
    return all(dataset.status == "ready" for dataset in datasets)


def _hand_on(session: Session, job: JobRow) -> None:
    """All trials have ended: to the finaliser, unless an accident or nothing is left to compare.

    A job that its budget has stopped goes there whatever is left: its report says what is missing.
    """
    failures = repository.first_failures(session, job.id)
    if accident := next((failure for code, failure in failures.items() if code in ACCIDENTS), None):
        fail_job(session, job, accident)
        return
    if FailureCode.BUDGET in failures:
        job.stop_reason = budget.STOPPED
    elif lost := _lost_role(repository.by_role(session, job.id)):
        fail_job(session, job, lost)
        return
    _ask_for_report(session, job)
    events.record(session, job, status_event(job))


def _ask_for_report(session: Session, job: JobRow) -> None:
    job.stage, job.published_at, job.attempt = FINALISING, session.scalar(select(clock())), 0
    announce(session, FinaliseJob(job.id))


def _lost_role(roles: dict[str, repository.RoleTally]) -> dict[str, Any] | None:
    """The first error of the first role without which nothing is left to say and of which none
    succeeded."""
    needed = [role for role in roles if role not in OPTIONAL]
    for role in needed if set(needed) - {PRETRAIN} else roles:
        if roles[role].all_failed:
            return roles[role].first_error or {}
    return None


def _set_off(session: Session, job: JobRow) -> None:
    job.status = "running" if job.started_at else "queued"
    job.stage = "queued"
    events.record(session, job, status_event(job))
    trial_rows.wake(session, job.id)
    advance(session, job.id)


def _impossible(job: JobRow, verb: str, expected: str) -> Conflict:
    code = "job_ended" if job.status in ENDED else f"job_{job.status}"
    return Conflict(code, f"only {expected} can be {verb}; {job.id} is {job.status}")


def status_event(job: JobRow) -> Event:
    return "status", {"status": job.status, "stage": job.stage}
