"""All trials of a job written at once: a job may have 10,000, and whoever writes them holds the
job's row and, on SQLite, the whole database. So each of these is a statement or a few, however many
the trials; none goes through them one by one.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, func, insert, literal_column, null, or_, select, update
from sqlalchemy.orm import Session, aliased

from app import leases
from app.database import announce, clock, now
from app.errors import FailureCode, WorkFailure
from app.identifiers import new_ids
from app.messages import RunTrial
from app.spec.plan import PlannedTrial
from app.spec.progress import UNFINISHED
from app.tables.jobs import ENDED, JobRow, TrialRow

PIECE = 1000  # rows an insert
# What all new trials have is text of the statement: a parameter costs as much for each row anew.
FRESH: dict[str, ColumnElement[Any]] = {
    "status": literal_column("'waiting'"),
    "progress": literal_column("0.0"),
    "seconds": literal_column("0.0"),
    "attempt": literal_column("0"),
    "publish_count": literal_column("0"),
}
MOST_STEPS = 2**31 - 1  # that the column holds; no trial lives to see them
# Messages a transaction. Whoever is woken takes trials until none is left, so that more than there
# are children to wake only fill the broker.
WAKE_UPS = 64


def add(
    session: Session,
    job_id: str,
    trials: Sequence[PlannedTrial],
    steps: Sequence[int],
    seconds: Sequence[float],
) -> None:
    """Writes a plan's trials, all of them waiting."""
    ids, moment = new_ids("trial", len(trials)), now()
    rows = [
        {
            "id": ids[position],
            "job_id": job_id,
            "position": position,
            "role": trial.role,
            "arm": trial.arm,
            "seed": trial.seed,
            "labels_per_class": trial.labels_per_class,
            "steps": min(steps[position], MOST_STEPS),
            "planned_seconds": seconds[position],
            "depends_on": None if trial.depends_on is None else ids[trial.depends_on],
            "created_at": moment,
        }
        for position, trial in enumerate(trials)
    ]
    for start in range(0, len(rows), PIECE):
        session.execute(insert(TrialRow.__table__).values(FRESH), rows[start : start + PIECE])  # type: ignore[arg-type]  # a Table


def queue_ready(session: Session, job_id: str) -> None:
    """Those whose dependencies are met; where one has ended badly its dependents fail with it."""
    succeeded = select(TrialRow.id).where(_of(job_id, "succeeded"))
    is_met = or_(TrialRow.depends_on.is_(None), TrialRow.depends_on.in_(succeeded))
    ready = _of(job_id, "waiting") & is_met
    if _write(session, ready, status="queued", publish_count=0, published_at=clock()):
        wake(session, job_id)
    while lost := _lost(session, job_id):  # what depends on these in turn is lost in the next round
        for trial_id, arm, status in lost:
            detail = f"expected the weights of {trial_id} ({arm}), which {status}"
            failure = WorkFailure(FailureCode.DEPENDENCY_FAILED, detail)
            fail(session, _of(job_id, "waiting") & (TrialRow.depends_on == trial_id), failure)


def fail_unstarted(session: Session, job_id: str, failure: WorkFailure) -> None:
    fail(session, _of(job_id, "waiting", "queued"), failure)


def fail(session: Session, such: ColumnElement[bool], failure: WorkFailure) -> None:
    _write(session, such, status="failed", error=failure.as_json(), ended_at=now())


def cancel(session: Session, job_id: str, reason: WorkFailure | None = None) -> None:
    error = {"error": reason.as_json()} if reason else {}
    ended = {"status": "cancelled", "ended_at": now(), **error, **leases.RELEASED}
    _write(session, _of(job_id, *UNFINISHED), **ended)


def start_again(session: Session, job_id: str) -> None:
    """Lets what has failed or was cancelled wait, as if it had never been tried."""
    fresh = {"status": "waiting", "error": null(), "ended_at": None, "attempt": 0}
    _write(session, _of(job_id, "failed", "cancelled"), **fresh)


def wake(session: Session, job_id: str) -> None:
    """Announces the first of those that are queued."""
    queued = select(TrialRow.id).where(_of(job_id, "queued")).order_by(TrialRow.position)
    for trial_id in session.scalars(queued.limit(WAKE_UPS)):
        announce(session, RunTrial(trial_id))


def _lost(session: Session, job_id: str) -> list[tuple[str, str, str]]:
    """Id, arm and status of trials that have ended badly and are still waited for."""
    needed = aliased(TrialRow)
    statement = (
        select(needed.id, needed.arm, needed.status)
        .join(TrialRow, TrialRow.depends_on == needed.id)
        .where(_of(job_id, "waiting"), needed.status.in_(("failed", "cancelled")))
        .distinct()
    )
    return [(id_, arm, status) for id_, arm, status in session.execute(statement)]


def _of(job_id: str, *statuses: str) -> ColumnElement[bool]:
    return (TrialRow.job_id == job_id) & TrialRow.status.in_(statuses)


def _write(session: Session, such: ColumnElement[bool], **values: object) -> bool:
    """Tells whether there were such trials. Rows that the session has read stay as they were
    read."""
    session.flush()
    statement = update(TrialRow).where(such).values(**values)
    done = session.execute(statement.execution_options(synchronize_session=False))
    return bool(done.rowcount)  # type: ignore[attr-defined]  # of an UPDATE it is a CursorResult


def open_trials(session: Session) -> dict[str, int]:
    """Counts the trials that have not ended, of jobs that have not, by their status."""
    count = (
        select(TrialRow.status, func.count())
        .join(JobRow, JobRow.id == TrialRow.job_id)
        .where(JobRow.status.not_in(ENDED), TrialRow.status.in_(UNFINISHED))
        .group_by(TrialRow.status)
    )
    found = {row[0]: row[1] for row in session.execute(count)}
    return {status: found.get(status, 0) for status in UNFINISHED}
