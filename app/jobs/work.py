"""What a worker does to a job's rows, under its lease."""

from collections.abc import Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app import leases
from app.database import announce, clock, now
from app.datasets.tables import DatasetRow
from app.errors import Fenced, WorkFailure
from app.jobs import budget, events
from app.jobs.events import Event
from app.jobs.lifecycle import (
    ACTIVE,
    FINALISING,
    REPORTABLE,
    advance,
    fail_job,
    lock,
    status_event,
)
from app.jobs.tables import EpochRow, JobRow, TrialRow
from app.messages import FinaliseJob, IngestDataset, Message, RunTrial


def waiting(session: Session, most: int) -> list[Message]:
    """What a worker could begin now, at most so many of each kind, in the order in which trials,
    jobs and datasets were made: nothing waits for ever behind what is younger."""
    queued = (
        select(TrialRow.id)
        .join(JobRow, JobRow.id == TrialRow.job_id)
        .where(TrialRow.status == "queued", JobRow.status.in_(ACTIVE))
    )
    ended = select(JobRow.id).where(
        JobRow.status.in_(REPORTABLE), JobRow.stage == FINALISING, JobRow.token.is_(None)
    )
    raw = select(DatasetRow.id).where(DatasetRow.status == "ingesting", DatasetRow.token.is_(None))
    found: list[tuple[str, Message]] = []
    for kind, table, ids in (
        (RunTrial, TrialRow, queued),
        (FinaliseJob, JobRow, ended),
        (IngestDataset, DatasetRow, raw),
    ):
        oldest = session.scalars(ids.order_by(table.id).limit(most))
        found += [(row_id.partition("_")[2], kind(row_id)) for row_id in oldest]
    return [message for _, message in sorted(found, key=itemgetter(0))]


def claim_trial(session: Session, owner: str, seconds: float, max_attempts: int) -> TrialRow | None:
    """The oldest runnable trial under a fresh lease, or None. One whose worker was lost for the
    last time is left to recovery, which ends it."""
    lost = (TrialRow.status == "running") & leases.expired(TrialRow)
    lost &= TrialRow.attempt < max_attempts
    runnable = ((TrialRow.status == "queued") | lost) & JobRow.status.in_(ACTIVE)
    while True:
        found = session.execute(
            select(TrialRow.id, TrialRow.job_id)
            .join(JobRow, JobRow.id == TrialRow.job_id)
            .where(runnable)
            .order_by(TrialRow.job_id, TrialRow.position)
            .limit(1)
        ).first()
        if found is None:
            return None
        job = lock(session, found.job_id)
        if job.status not in ACTIVE:
            continue
        mine = (TrialRow.id == found.id) & ((TrialRow.status == "queued") | lost)
        spent = budget.overdrawn(session, job)
        began = {} if spent else {"started_at": func.coalesce(TrialRow.started_at, now())}
        trial = leases.claim(
            session, TrialRow, mine, [TrialRow.id], owner, seconds, status="running", **began
        )
        if trial is None:
            continue
        if spent:
            fail_trial(session, trial, spent)
            continue
        story = [_trial_event(trial)]
        stage = "pretraining" if trial.role == "pretrain" else "training"
        if (job.status, job.stage) != ("running", stage):
            job.status, job.stage = "running", stage
            job.started_at = job.started_at or now()
            story.insert(0, status_event(job))
        events.record(session, job, *story)
        return trial


def record_progress(
    session: Session, trial: TrialRow, epochs: Sequence[EpochRow], **values: Any
) -> None:
    """Metrics and the checkpoint that follows them (one of `values`), together or not at all.

    Attempts are counted anew from here: what gets on may lose its worker any number of times."""
    job = lock(session, trial.job_id)
    _write(session, trial, attempt=1, **values)
    _add_epochs(session, job, trial, epochs)


def release_trial(
    session: Session, trial: TrialRow, epochs: Sequence[EpochRow] = (), **values: Any
) -> None:
    """A paused job or a worker that drains gives the trial back; that is no failed attempt."""
    job = lock(session, trial.job_id)
    given_back = {"status": "queued", "attempt": TrialRow.attempt - 1, "published_at": clock()}
    _write(session, trial, **given_back, **values, **leases.RELEASED)
    _add_epochs(session, job, trial, epochs)
    if job.status in ACTIVE:
        announce(session, RunTrial(trial.id))


def finish_trial(
    session: Session, trial: TrialRow, epochs: Sequence[EpochRow] = (), **results: Any
) -> None:
    ended = {"status": "succeeded", "progress": 1.0, "checkpoint": None}
    _end_trial(session, trial, epochs, **ended, **results)


def fail_trial(
    session: Session, trial: TrialRow, failure: WorkFailure, seconds: float | None = None
) -> None:
    """What was not yet recorded is not: a retry goes on from the last checkpoint. `seconds`: of
    training, over all attempts."""
    spent = {} if seconds is None else {"seconds": seconds}
    _end_trial(session, trial, (), status="failed", error=failure.as_json(), **spent)


def claim_finalisation(session: Session, job_id: str, owner: str, seconds: float) -> JobRow | None:
    ready = (JobRow.id == job_id) & (JobRow.stage == FINALISING)
    ready &= JobRow.status.in_(REPORTABLE)
    free = JobRow.token.is_(None) | leases.expired(JobRow)
    return leases.claim(session, JobRow, ready & free, [JobRow.id], owner, seconds)


def finish_job(session: Session, job: JobRow, story: list[Event], **results: Any) -> None:
    """`story`: the events that come before the last one. A cancelled job stays so."""
    ended = {} if job.status == "cancelled" else {"status": "succeeded", "ended_at": now()}
    _write_job(session, job, stage="ended", **ended, **results)
    locked = lock(session, job.id)
    events.record(session, locked, *story, status_event(locked))


def fail_finalisation(session: Session, job: JobRow, failure: WorkFailure) -> None:
    _write_job(session, job)
    fail_job(session, lock(session, job.id), failure.as_json())


def _end_trial(
    session: Session, trial: TrialRow, epochs: Sequence[EpochRow], **values: Any
) -> None:
    job = lock(session, trial.job_id)
    _write(session, trial, ended_at=now(), **values, **leases.RELEASED)
    _add_epochs(session, job, trial, epochs)
    ended = session.get_one(TrialRow, trial.id, populate_existing=True)
    events.record(session, job, _trial_event(ended))
    advance(session, trial.job_id)


def _add_epochs(session: Session, job: JobRow, trial: TrialRow, epochs: Sequence[EpochRow]) -> None:
    if epochs:
        session.add_all(epochs)
        events.record(session, job, *(_epoch_event(trial, epoch) for epoch in epochs))


def _write(session: Session, trial: TrialRow, **values: Any) -> None:
    leases.write(session, TrialRow, trial.id, _token(trial), **values)


def _write_job(session: Session, job: JobRow, **values: Any) -> None:
    leases.write(session, JobRow, job.id, _token(job), **values, **leases.RELEASED)


def _token(row: TrialRow | JobRow) -> str:
    if row.token is None:
        raise Fenced(f"{row.id}: the lease is gone")
    return row.token


def _trial_event(trial: TrialRow) -> Event:
    return "trial", {
        "id": trial.id,
        "arm": trial.arm,
        "seed": trial.seed,
        "labels_per_class": trial.labels_per_class,
        "status": trial.status,
        "attempt": trial.attempt,
        "reused_from": trial.reused_from,
        "test": trial.test,
        "error": trial.error,
    }


def _epoch_event(trial: TrialRow, epoch: EpochRow) -> Event:
    return "epoch", {
        "trial": trial.id,
        "arm": trial.arm,
        "seed": trial.seed,
        "phase": epoch.phase,
        "epoch": epoch.epoch,
        "split": epoch.split,
        **epoch.values,
    }
