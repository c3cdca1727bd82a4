"""Which job's trial is next: by the jobs' priority, and within one so that a small job is not stuck
behind a long one.

Of two jobs that one comes first whose begin and spent seconds together are less: a job that has had
an hour of training lets those go before it that came within that hour, and nobody waits for ever,
since what comes later comes later. Turns change by the minute: trials of one job run on, with
what their processes have compiled.
"""

from sqlalchemy import ColumnElement, Float, Select, case, cast, exists, extract, func, select

from app.jobs.lifecycle import ACTIVE
from app.tables.jobs import JobRow, TrialRow

TURN_SECONDS = 60.0


def in_turn(runnable: ColumnElement[bool]) -> Select[str]:
    """Jobs that have such a trial, in the order of their turns. It goes through jobs and not
    through their trials, of which there may be many times as many: whoever claims one holds the
    whole database meanwhile, on SQLite."""
    of_job = TrialRow.job_id == JobRow.id
    seconds = select(func.coalesce(func.sum(TrialRow.seconds), 0.0)).where(of_job)
    spent = case((JobRow.started_at.is_(None), 0.0), else_=seconds.scalar_subquery())
    priority = JobRow.spec["priority"].as_string()  # none in jobs of older releases
    rank = case((priority == "high", 0), (priority == "low", 2), else_=1)
    turns = func.round(spent / TURN_SECONDS)
    due = cast(extract("epoch", JobRow.created_at), Float) + turns * TURN_SECONDS
    waiting = select(JobRow.id).where(JobRow.status.in_(ACTIVE), exists().where(of_job, runnable))
    return waiting.order_by(rank, due, JobRow.id)
