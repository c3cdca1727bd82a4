"""Repairs that keep the promise when messages and workers are lost. Any API process runs it, every
few seconds; each change is a compare-and-set, so that several may run it at once."""

from collections.abc import Callable

from sqlalchemy import ColumnElement, case, select, update
from sqlalchemy.orm import Session

from app import leases
from app.database import Database, announce, clock, now
from app.errors import FailureCode, WorkFailure
from app.jobs import lifecycle
from app.jobs.analyses import ANALYSES
from app.leases import Leased
from app.messages import FinaliseJob, IngestDataset, Message, RunTrial
from app.settings import Settings
from app.spec.memory import LESS_MEMORY
from app.tables.datasets import DatasetRow
from app.tables.jobs import JobRow, TrialRow

WAKE_UPS = 8  # a round; each wakes a worker, which then takes all it finds
LONGEST_BACKOFF = 64  # times settings.republish_after_seconds


def recover(database: Database, settings: Settings) -> None:
    """Takes expired leases back (and fails what was lost too often), then wakes workers for rows
    that have waited without one."""
    for take_back in (
        _take_back_trials,
        _take_back_datasets,
        _take_back_analyses,
        _take_back_finalisations,
    ):
        with database.write() as session:
            take_back(session, settings.max_attempts)
    with database.write() as session:
        _republish(session, settings.republish_after_seconds)


def abandon(session: Session, owner: str, out_of_memory: bool = False) -> None:
    """The process that held these leases is known to be dead: they end now. `out_of_memory`: as the
    kernel ended it; a second time is the last."""
    if out_of_memory:
        _note_lack_of_memory(session, owner)
    held: list[type[Leased]] = [TrialRow, JobRow, DatasetRow, *(k.table for k in ANALYSES)]
    for table in held:
        session.execute(
            update(table)
            .where(table.owner == owner, table.token.is_not(None))
            .values(lease_until=0.0)
            .execution_options(synchronize_session=False)
        )


def _note_lack_of_memory(session: Session, owner: str) -> None:
    """Notes the error on a trial that goes on: it says so until it ends: attempts are counted anew
    after each checkpoint, and these must not be."""
    held = (TrialRow.owner == owner) & TrialRow.token.is_not(None)
    for trial_id, job_id in session.execute(select(TrialRow.id, TrialRow.job_id).where(held)).all():
        if lifecycle.lock_kept(session, job_id) is None:  # deleted at this moment
            continue
        trial = session.get_one(TrialRow, trial_id, populate_existing=True)
        if trial.owner != owner:
            continue
        is_second = (trial.error or {}).get("failure") == FailureCode.OUT_OF_MEMORY
        trial.error = _out_of_memory(trial.arm)
        if is_second:
            trial.status, trial.ended_at = "failed", now()
            trial.token = trial.owner = trial.lease_until = None
            session.flush()
            lifecycle.advance(session, job_id)
    session.flush()
    ended = (JobRow.owner == owner) & JobRow.token.is_not(None) & (JobRow.attempt > 1)
    for job_id in session.scalars(select(JobRow.id).where(ended)).all():
        job = lifecycle.lock_kept(session, job_id)
        if job is not None and job.owner == owner:
            lifecycle.fail_job(session, job, _out_of_memory(lifecycle.FINALISING))


def _take_back_trials(session: Session, max_attempts: int) -> None:
    lost = select(TrialRow.id, TrialRow.job_id).where(
        leases.expired(TrialRow), TrialRow.status == "running"
    )
    for trial_id, job_id in session.execute(lost.order_by(TrialRow.id)).all():
        job = lifecycle.lock_kept(session, job_id)
        if job is None:
            continue
        trial = session.get_one(TrialRow, trial_id, populate_existing=True)
        if trial.status != "running" or not _is_expired(session, TrialRow, trial_id):
            continue
        trial.token = trial.owner = trial.lease_until = None
        if trial.attempt >= max_attempts:
            trial.status, trial.error = "failed", _worker_lost(trial.attempt, trial.arm)
            trial.ended_at = now()
            session.flush()
            lifecycle.advance(session, job_id)
            continue
        trial.status = "queued"
        trial.published_at = session.scalar(select(clock()))
        session.flush()
        if job.status in lifecycle.ACTIVE:
            announce(session, RunTrial(trial_id))


def _take_back_datasets(session: Session, max_attempts: int) -> None:
    lost = select(DatasetRow).where(leases.expired(DatasetRow)).order_by(DatasetRow.id)
    for dataset in session.scalars(lost.with_for_update(skip_locked=True)).all():
        dataset.token = dataset.owner = dataset.lease_until = None
        if dataset.attempt >= max_attempts:
            dataset.status, dataset.error = "failed", _worker_lost(dataset.attempt, "intake")
            session.flush()
            lifecycle.dataset_settled(session, dataset.id)
        else:
            announce(session, IngestDataset(dataset.id))


def _take_back_analyses(session: Session, max_attempts: int) -> None:
    for kind in ANALYSES:
        lost = select(kind.table).where(leases.expired(kind.table)).order_by(kind.table.id)
        for row in session.scalars(lost.with_for_update(skip_locked=True)).all():
            row.token = row.owner = row.lease_until = None
            if row.attempt >= max_attempts:
                row.status, row.error = "failed", _worker_lost(row.attempt, row.stage)
                row.ended_at = now()
            else:
                row.status = "queued"
                announce(session, kind.message(row.id))


def _take_back_finalisations(session: Session, max_attempts: int) -> None:
    lost = select(JobRow.id).where(leases.expired(JobRow)).order_by(JobRow.id)
    for job_id in session.scalars(lost).all():
        job = lifecycle.lock_kept(session, job_id)
        if job is None or not _is_expired(session, JobRow, job_id):
            continue
        job.token = job.owner = job.lease_until = None
        session.flush()
        if job.attempt >= max_attempts:
            lifecycle.fail_job(session, job, _worker_lost(job.attempt, lifecycle.FINALISING))
        else:
            announce(session, FinaliseJob(job_id))


def _republish(session: Session, after_seconds: float) -> None:
    """Rows that wait without a worker: their message may have been lost."""
    active = JobRow.status.in_(lifecycle.ACTIVE)
    of_active_jobs = TrialRow.job_id.in_(select(JobRow.id).where(active))
    queued = (TrialRow.status == "queued") & of_active_jobs
    raw = (DatasetRow.status == "ingesting") & DatasetRow.token.is_(None)
    reportable = JobRow.status.in_(lifecycle.REPORTABLE) & JobRow.token.is_(None)
    ended = (JobRow.stage == lifecycle.FINALISING) & reportable
    _wake(session, TrialRow, queued, RunTrial, after_seconds)
    _wake(session, DatasetRow, raw, IngestDataset, after_seconds)
    _wake(session, JobRow, ended, FinaliseJob, after_seconds)
    for kind in ANALYSES:
        _wake(session, kind.table, kind.table.status == "queued", kind.message, after_seconds)


def _wake(
    session: Session,
    table: type[Leased],
    waiting: ColumnElement[bool],
    message: Callable[[str], Message],
    after_seconds: float,
) -> None:
    steps = [(table.publish_count <= n, 2**n) for n in range(LONGEST_BACKOFF.bit_length() - 1)]
    patience = after_seconds * case(*steps, else_=LONGEST_BACKOFF)
    stale = table.published_at.is_(None) | (table.published_at + patience < clock())
    ids = session.scalars(select(table.id).where(waiting, stale).order_by(table.id).limit(WAKE_UPS))
    for row_id in ids.all():
        session.execute(
            update(table)
            .where(table.id == row_id)
            .values(published_at=clock(), publish_count=table.publish_count + 1)
            .execution_options(synchronize_session=False)
        )
        announce(session, message(row_id))


def _is_expired(session: Session, table: type[Leased], row_id: str) -> bool:
    return bool(session.scalar(select(leases.expired(table)).where(table.id == row_id)))


def _out_of_memory(stage: str) -> dict[str, object]:
    detail = f"the system ended the process that trained, as its memory had run out; {LESS_MEMORY}"
    return WorkFailure(FailureCode.OUT_OF_MEMORY, detail, stage=stage).as_json()


def _worker_lost(attempts: int, stage: str) -> dict[str, object]:
    failure = WorkFailure(
        FailureCode.WORKER_LOST, f"the worker was lost {attempts} times in a row", stage=stage
    )
    return failure.as_json()
