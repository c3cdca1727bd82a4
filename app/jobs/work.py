"""Changes that a worker makes to a job's rows, under its lease."""

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import Select, delete, func, literal, null, or_, select
from sqlalchemy.orm import Session

from app import leases
from app.database import announce, clock, now
from app.errors import DamagedArtifact, Fenced, WorkFailure
from app.jobs import budget, events, repository
from app.jobs.analyses import ANALYSES
from app.jobs.events import Event
from app.jobs.lifecycle import (
    ACTIVE,
    FINALISING,
    REPORTABLE,
    advance,
    fail_job,
    lock,
    lock_kept,
    lock_of,
    status_event,
)
from app.jobs.turn_order import in_turn
from app.messages import FinaliseJob, IngestDataset, Message, RunTrial
from app.spec.figures import Conditions
from app.tables.datasets import DatasetRow
from app.tables.jobs import EpochRow, JobRow, TrialRow
from app.usage.repository import take_turns


class Orders(NamedTuple):
    """Orders that whoever trains a trial has to follow; nothing but None where the trial is gone.
    `others`: the account of the job's other trials, where it has a budget."""

    token: str | None
    job_status: str | None
    others: budget.TimeBudget | None


def waiting(session: Session, most: int, quota: int = 0) -> list[Message]:
    """Returns what a worker could begin now, at most so many of each kind, in the order in which
    trials, jobs and datasets were made: nothing waits for ever behind what is younger. `quota`:
    trials of a project that run at once."""
    queued = _queued(quota)
    ended = select(JobRow.id).where(
        JobRow.status.in_(REPORTABLE), JobRow.stage == FINALISING, JobRow.token.is_(None)
    )
    raw = select(DatasetRow.id).where(DatasetRow.status == "ingesting", DatasetRow.token.is_(None))
    found: list[tuple[str, Message]] = []
    waits: list[tuple[Callable[[str], Message], Select[str]]]
    waits = [(RunTrial, queued), (FinaliseJob, ended), (IngestDataset, raw)]
    waits += [(k.message, select(k.table.id).where(k.table.status == "queued")) for k in ANALYSES]
    for kind, ids in waits:
        oldest = session.scalars(ids.order_by(*ids.selected_columns).limit(most))
        found += [(row_id.partition("_")[2], kind(row_id)) for row_id in oldest]
    return [message for _, message in sorted(found, key=itemgetter(0))]


def claim_trial(
    session: Session, owner: str, seconds: float, max_attempts: int, quota: int = 0
) -> TrialRow | None:
    """The runnable trial whose turn it is under a fresh lease, or None. One whose worker was lost
    for the last time is left to recovery, which ends it. `quota`: trials of a project that run at
    once."""
    lost = (TrialRow.status == "running") & leases.expired(TrialRow)
    lost &= TrialRow.attempt < max_attempts
    runnable = (TrialRow.status == "queued") | lost
    jobs = in_turn(runnable)
    if quota:
        jobs = jobs.where(JobRow.project.not_in(full_projects(quota)))
    while (job_id := session.scalar(jobs.limit(1))) is not None:
        job = lock_kept(session, job_id)
        if job is None or job.status not in ACTIVE:
            continue
        mine = (TrialRow.job_id == job_id) & runnable
        if quota:
            take_turns(session, "claiming", job.project)
            mine &= literal(job.project).not_in(full_projects(quota))
        spent = budget.overdrawn(session, job)
        began = {} if spent else {"started_at": func.coalesce(TrialRow.started_at, now())}
        trial = leases.claim(
            session, TrialRow, mine, [TrialRow.position], owner, seconds, status="running", **began
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
    return None


def has_queued(session: Session, quota: int = 0) -> bool:
    """Tells whether a trial waits for nothing but a worker."""
    return session.scalar(_queued(quota).limit(1)) is not None


def _queued(quota: int) -> Select[str]:
    waiting = (TrialRow.status == "queued") & JobRow.status.in_(ACTIVE)
    if quota:
        waiting &= JobRow.project.not_in(full_projects(quota))
    return select(TrialRow.id).join(JobRow, JobRow.id == TrialRow.job_id).where(waiting)


def full_projects(quota: int) -> Select[str]:
    """Projects that have as many trials running as they may."""
    return (
        select(JobRow.project)
        .join(TrialRow, TrialRow.job_id == JobRow.id)
        .where(TrialRow.status == "running", leases.held(TrialRow))
        .group_by(JobRow.project)
        .having(func.count() >= quota)
    )


def orders(session: Session, trial_id: str) -> Orders:
    seconds = JobRow.spec["budget_seconds"].as_float()
    looked = select(TrialRow.token, JobRow.status, JobRow.id, seconds).join(JobRow)
    row = session.execute(looked.where(TrialRow.id == trial_id)).first()
    if row is None:
        return Orders(None, None, None)
    token, status, job_id, most = row
    if most is None:
        return Orders(token, status, None)
    spent = repository.seconds_spent(session, job_id, besides=trial_id)
    return Orders(token, status, budget.TimeBudget(most, spent))


def record_progress(
    session: Session, trial: TrialRow, epochs: Sequence[EpochRow], **values: Any
) -> None:
    """Metrics and the checkpoint that follows them (one of `values`), together or not at all.

    Attempts are counted anew from here: what gets on may lose its worker any number of times."""
    job = lock_of(session, trial)
    _write(session, trial, attempt=1, **values)
    _add_epochs(session, job, trial, epochs)


def release_trial(
    session: Session, trial: TrialRow, epochs: Sequence[EpochRow] = (), **values: Any
) -> None:
    """A paused job or a worker that drains gives the trial back; that is no failed attempt."""
    job = lock_of(session, trial)
    given_back = {"status": "queued", "attempt": TrialRow.attempt - 1, "published_at": clock()}
    _write(session, trial, **given_back, **values, **leases.RELEASED)
    _add_epochs(session, job, trial, epochs)
    if job.status in ACTIVE:
        announce(session, RunTrial(trial.id))


def note_trial(
    session: Session, trial: TrialRow, notes: Sequence[str], conditions: Conditions
) -> None:
    """Tells those who follow the job what the report will warn of. `notes`: the new ones."""
    job = lock_of(session, trial)
    _write(session, trial, conditions=conditions.model_dump())
    events.record(session, job, *(_warning(trial, "otherwise_computed", each) for each in notes))


def finish_trial(
    session: Session, trial: TrialRow, epochs: Sequence[EpochRow] = (), **results: Any
) -> None:
    ended = {"status": "succeeded", "progress": 1.0, "checkpoint": None, "error": null()}
    _end_trial(session, trial, epochs, **ended, **results)


def fail_trial(
    session: Session, trial: TrialRow, failure: WorkFailure, seconds: float | None = None
) -> None:
    """Ends a trial as failed. What was not yet recorded is not: a retry goes on from the last
    checkpoint. `seconds`: of training, over all attempts."""
    spent = {} if seconds is None else {"seconds": seconds}
    _end_trial(session, trial, (), status="failed", error=failure.as_json(), **spent)


def start_over(session: Session, trial: TrialRow, failure: WorkFailure) -> None:
    """The checkpoint is lost: with it goes what it had behind it, so that no metric stands twice.
    The job's story says so."""
    job = lock_of(session, trial)
    _write(session, trial, progress=0.0, checkpoint=None)
    session.execute(delete(EpochRow).where(EpochRow.trial_id == trial.id))
    events.record(session, job, _warning(trial, failure.reason, failure.detail))


def lose_results(session: Session, damage: DamagedArtifact) -> None:
    """The file may be what a trial has left: no later job takes it over, and a retry of the trial's
    own job makes it anew."""
    holding = or_(TrialRow.weights == damage.ref, TrialRow.predictions == damage.ref)
    ended = JobRow.status.in_(("succeeded", "cancelled"))
    held = select(TrialRow, ended).join(JobRow, JobRow.id == TrialRow.job_id).where(holding)
    for trial, is_ended in session.execute(held.with_for_update(of=TrialRow)):
        trial.content_key = None
        if trial.status == "succeeded" and not is_ended:
            trial.status, trial.error, trial.progress = "failed", damage.as_json(), 0.0
            trial.reused_from = None
            session.execute(delete(EpochRow).where(EpochRow.trial_id == trial.id))
    session.flush()


def claim_finalisation(session: Session, job_id: str, owner: str, seconds: float) -> JobRow | None:
    ready = (JobRow.id == job_id) & (JobRow.stage == FINALISING)
    ready &= JobRow.status.in_(REPORTABLE)
    free = JobRow.token.is_(None) | leases.expired(JobRow)
    return leases.claim(session, JobRow, ready & free, [JobRow.id], owner, seconds)


def release_finalisation(session: Session, job: JobRow) -> None:
    """A worker that drains gives the job back; that is no failed attempt."""
    _write_job(session, job, attempt=JobRow.attempt - 1, published_at=clock())
    announce(session, FinaliseJob(job.id))


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
    job = lock_of(session, trial)
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


def _warning(trial: TrialRow, code: str, message: str) -> Event:
    of_trial = {"trial": trial.id, "arm": trial.arm, "seed": trial.seed}
    return "warning", {**of_trial, "code": code, "message": message}


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
