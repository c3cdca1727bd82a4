"""The state machine of jobs and trials. Database only: no HTTP, no TensorFlow.

    job     queued -> running -> succeeded | failed | cancelled      running <-> paused
    trial   waiting -> queued -> running -> succeeded | failed | cancelled

Every transition locks the job's row first and its trials after, so that two of them never deadlock,
and the last of several trials that end at once sees the others and finalises. `advance` moves on
whatever can move and may be called at any time, any number of times.

A job is `cancelled` at once; with results, its stage is `finalising` until it has a report of them.
"""

from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app import leases
from app.database import announce, clock, now
from app.datasets.tables import DatasetRow
from app.errors import ACCIDENTS, FINAL_OF_INTAKE, Conflict, FailureCode, WorkFailure
from app.identifiers import new_id
from app.jobs import budget, events, repository
from app.jobs.events import Event
from app.jobs.plan import OPTIONAL, PRETRAIN, PlannedTrial
from app.jobs.progress import UNFINISHED
from app.jobs.tables import JobRow, TrialRow
from app.messages import FinaliseJob, IngestDataset, RunTrial

ACTIVE = ("queued", "running")
ENDED = ("succeeded", "failed", "cancelled")
FINALISING = "finalising"
REPORTABLE = (*ACTIVE, "cancelled")  # of these, those in the stage `finalising` await a report
MOST_STEPS = 2**31 - 1  # that the column holds; no trial lives to see them


def submit(
    session: Session, job: JobRow, trials: list[PlannedTrial], steps: list[int], plan: list[float]
) -> None:
    """Writes the job and all its trials (`steps`: of each, at most; `plan`: their seconds), and
    starts what can start. Raises Conflict when a dataset was deleted meanwhile."""
    job.status, job.stage, job.event_count = "queued", "queued", 0
    # Shared locks: an intake or a deletion that ends now either sees this job or is seen by it.
    datasets = repository.datasets_of(session, job, lock="share")
    repository.require_kept(session, job, datasets)
    is_ready = all(dataset.status == "ready" for dataset in datasets)
    moment = session.scalar(select(clock()))
    session.add(job)
    session.flush()
    ids = [new_id("trial") for _ in trials]
    for position, trial in enumerate(trials):
        starts = is_ready and trial.depends_on is None
        session.add(
            TrialRow(
                id=ids[position],
                job_id=job.id,
                position=position,
                role=trial.role,
                arm=trial.arm,
                seed=trial.seed,
                labels_per_class=trial.labels_per_class,
                steps=min(steps[position], MOST_STEPS),
                planned_seconds=plan[position],
                depends_on=None if trial.depends_on is None else ids[trial.depends_on],
                status="queued" if starts else "waiting",
                published_at=moment if starts else None,
            )
        )
        if starts:
            announce(session, RunTrial(ids[position]))
    events.record(session, job, status_event(job))
    if any(dataset.status in {"failed", "damaged"} for dataset in datasets):
        advance(session, job.id)


def advance(session: Session, job_id: str) -> None:
    """Queues trials whose dependencies are met; hands a job whose trials have ended on."""
    job = lock(session, job_id)
    if job.status not in ACTIVE or not _datasets_ready(session, job):
        return
    if failure := budget.overdrawn(session, job):
        _fail(_trials(session, job_id, "waiting", "queued"), failure)
    _queue_ready(session, _trials(session, job_id, "waiting"))
    session.flush()
    if job.stage != FINALISING and not repository.has_unfinished(session, job_id):
        _hand_on(session, job, _trials(session, job_id))
    session.flush()


def dataset_settled(session: Session, dataset_id: str) -> None:
    """Called when an intake has ended, well or badly."""
    waiting = select(JobRow).where(JobRow.status.in_(ACTIVE)).order_by(JobRow.id)
    for job in session.scalars(waiting):
        if dataset_id in {job.target_id, *job.source_ids}:
            advance(session, job.id)


def fail_job(session: Session, job: JobRow, error: dict[str, Any]) -> None:
    """Called under the job's lock, or by the worker that holds its lease. A cancelled job stays
    so: what has failed is its report."""
    job.stage, job.error = "ended", error
    job.token = job.owner = job.lease_until = None
    if job.status != "cancelled":
        job.status, job.ended_at = "failed", now()
        _cancel_trials(session, job.id)
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
    _cancel_trials(session, job_id, WorkFailure(FailureCode.CANCELLED, "the job was cancelled"))
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
    for trial in _trials(session, job_id):
        if trial.status in {"failed", "cancelled"}:
            trial.status, trial.error, trial.ended_at, trial.attempt = "waiting", None, None, 0
    for dataset in datasets:
        is_gone = dataset.origin == "upload" and _failure(dataset) in FINAL_OF_INTAKE
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
    """The job's row, fresh and locked until the commit."""
    statement = select(JobRow).where(JobRow.id == job_id).with_for_update()
    return session.execute(statement, execution_options={"populate_existing": True}).scalar_one()


def _trials(session: Session, job_id: str, *statuses: str) -> list[TrialRow]:
    """In the order of the plan; all, or those of a status."""
    statement = select(TrialRow).where(TrialRow.job_id == job_id).order_by(TrialRow.position)
    if statuses:
        statement = statement.where(TrialRow.status.in_(statuses))
    return list(session.scalars(statement, execution_options={"populate_existing": True}))


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


def _queue_ready(session: Session, waiting: list[TrialRow]) -> None:
    """Those whose dependencies are met; where one has ended badly its dependents fail with it."""
    needed_ids = {trial.depends_on for trial in waiting if trial.depends_on}
    statement = select(TrialRow).where(TrialRow.id.in_(needed_ids))
    found = session.scalars(statement, execution_options={"populate_existing": True})
    needed = {trial.id: trial for trial in found}
    moment = session.scalar(select(clock())) if waiting else None
    for trial in waiting:  # in the order of the plan: what a trial depends on stands before it
        first = needed[trial.depends_on] if trial.depends_on else None
        if first is None or first.status == "succeeded":
            trial.status, trial.publish_count, trial.published_at = "queued", 0, moment
            announce(session, RunTrial(trial.id))
        elif first.status in ENDED:
            detail = f"expected the weights of {first.id} ({first.arm}), which {first.status}"
            _fail([trial], WorkFailure(FailureCode.DEPENDENCY_FAILED, detail))


def _fail(trials: list[TrialRow], failure: WorkFailure) -> None:
    for trial in trials:
        trial.status, trial.error, trial.ended_at = "failed", failure.as_json(), now()


def _hand_on(session: Session, job: JobRow, trials: list[TrialRow]) -> None:
    """All trials have ended: to the finaliser, unless an accident or nothing is left to compare.

    A job that its budget has stopped goes there whatever is left: its report says what is missing.
    """
    failures = [trial.error["failure"] for trial in trials if trial.error]
    accidents = [t for t in trials if t.error and t.error["failure"] in ACCIDENTS]
    if accidents:
        fail_job(session, job, accidents[0].error or {})
        return
    if FailureCode.BUDGET in failures:
        job.stop_reason = budget.STOPPED
    elif lost := _lost_role(trials):
        fail_job(session, job, lost[0].error or {})
        return
    _ask_for_report(session, job)
    events.record(session, job, status_event(job))


def _ask_for_report(session: Session, job: JobRow) -> None:
    job.stage, job.published_at, job.attempt = FINALISING, session.scalar(select(clock())), 0
    announce(session, FinaliseJob(job.id))


def _lost_role(trials: list[TrialRow]) -> list[TrialRow]:
    """Of the first role without which nothing is left to say and of which none succeeded."""
    roles = dict.fromkeys(trial.role for trial in trials)
    needed = [role for role in roles if role not in OPTIONAL]
    for role in needed if set(needed) - {PRETRAIN} else roles:
        of_role = [trial for trial in trials if trial.role == role]
        if all(trial.status == "failed" for trial in of_role):
            return of_role
    return []


def _set_off(session: Session, job: JobRow) -> None:
    job.status = "running" if job.started_at else "queued"
    job.stage = "queued"
    events.record(session, job, status_event(job))
    for trial in _trials(session, job.id):
        if trial.status == "queued":
            announce(session, RunTrial(trial.id))
    advance(session, job.id)


def _cancel_trials(session: Session, job_id: str, reason: WorkFailure | None = None) -> None:
    error = {"error": reason.as_json()} if reason else {}
    session.execute(
        update(TrialRow)
        .where(TrialRow.job_id == job_id, TrialRow.status.in_(UNFINISHED))
        .values(status="cancelled", ended_at=now(), **error, **leases.RELEASED)
        .execution_options(synchronize_session=False)
    )


def _impossible(job: JobRow, verb: str, expected: str) -> Conflict:
    code = "job_ended" if job.status in ENDED else f"job_{job.status}"
    return Conflict(code, f"only {expected} can be {verb}; {job.id} is {job.status}")


def status_event(job: JobRow) -> Event:
    return "status", {"status": job.status, "stage": job.stage}
