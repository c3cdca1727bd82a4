"""All reading SQL about jobs. The writing stands in lifecycle.py, work.py and recovery.py."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from app.errors import NotFound
from app.jobs.tables import EpochRow, JobRow, TrialRow


def get(session: Session, project: str, job_id: str) -> JobRow:
    """Raises NotFound, also for another project's job."""
    job = session.get(JobRow, job_id)
    if job is None or job.project != project:
        raise NotFound("job_not_found", f"there is no job {job_id}")
    return job


def of_project(project: str, status: str | None) -> Select[JobRow]:
    statement = select(JobRow).where(JobRow.project == project)
    return statement if status is None else statement.where(JobRow.status == status)


class Tally:
    """A job's trials, counted: by status, and their mean progress."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self._done = 0.0

    def add(self, status: str, count: int, progress: float) -> None:
        self.counts[status] = count
        self._done += progress

    @property
    def progress(self) -> float:
        total = sum(self.counts.values())
        return min(1.0, self._done / total) if total else 0.0


def tallies(session: Session, job_ids: Sequence[str]) -> dict[str, Tally]:
    by_status = (
        select(TrialRow.job_id, TrialRow.status, func.count(), func.sum(TrialRow.progress))
        .where(TrialRow.job_id.in_(job_ids))
        .group_by(TrialRow.job_id, TrialRow.status)
    )
    tallies: dict[str, Tally] = defaultdict(Tally)
    for job_id, status, count, progress in session.execute(by_status):
        tallies[job_id].add(status, count, count if status == "failed" else progress)
    return tallies


def trials(session: Session, job_id: str, arm: str | None = None) -> list[TrialRow]:
    statement = select(TrialRow).where(TrialRow.job_id == job_id).order_by(TrialRow.position)
    if arm is not None:
        statement = statement.where(TrialRow.arm == arm)
    return list(session.scalars(statement))


def epochs(
    session: Session, trial_ids: Sequence[str], since: datetime | None = None
) -> dict[str, list[EpochRow]]:
    """By trial, in the order in which they were trained."""
    statement = (
        select(EpochRow)
        .where(EpochRow.trial_id.in_(trial_ids))
        .order_by(EpochRow.phase_index, EpochRow.epoch, EpochRow.split)
    )
    if since is not None:
        statement = statement.where(EpochRow.recorded_at > since)
    found: dict[str, list[EpochRow]] = defaultdict(list)
    for epoch in session.scalars(statement):
        found[epoch.trial_id].append(epoch)
    return found


def seconds_per_step(session: Session, backbone: str, last: int = 20) -> float | None:
    """Median over this installation's last succeeded trials of the backbone."""
    statement = (
        select(TrialRow.seconds, TrialRow.steps)
        .join(JobRow, JobRow.id == TrialRow.job_id)
        .where(
            TrialRow.status == "succeeded",
            TrialRow.steps > 0,
            JobRow.spec["model"]["backbone"].as_string() == backbone,
        )
        .order_by(TrialRow.id.desc())
        .limit(last)
    )
    rates = sorted(seconds / steps for seconds, steps in session.execute(statement))
    return rates[len(rates) // 2] if rates else None
