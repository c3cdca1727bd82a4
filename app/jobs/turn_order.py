"""Which job's trial is next: by the jobs' priority, and within one so that a small job is not stuck
behind a long one.

Of two jobs that one comes first whose begin and spent seconds together are less: a job that has had
an hour of training lets those go before it that came within that hour, and nobody waits for ever,
since what comes later comes later. Turns change by the minute: trials of one job run on, with
what their processes have compiled.
"""

from sqlalchemy import Float, Select, case, cast, extract, func, select

from app.jobs.lifecycle import ACTIVE
from app.tables.jobs import JobRow, TrialRow

TURN_SECONDS = 60.0


def in_turn(trials: Select[str, str]) -> Select[str, str]:
    """A selection of trials, which has joined their jobs, in the order of their turns."""
    spent = (
        select(TrialRow.job_id, func.sum(TrialRow.seconds).label("seconds"))
        .join(JobRow, JobRow.id == TrialRow.job_id)
        .where(JobRow.status.in_(ACTIVE))
        .group_by(TrialRow.job_id)
        .subquery()
    )
    priority = JobRow.spec["priority"].as_string()  # none in jobs of older releases
    rank = case((priority == "high", 0), (priority == "low", 2), else_=1)
    turns = func.round(spent.c.seconds / TURN_SECONDS)
    due = cast(extract("epoch", JobRow.created_at), Float) + turns * TURN_SECONDS
    return trials.join(spent, spent.c.job_id == TrialRow.job_id).order_by(
        rank, due, TrialRow.job_id, TrialRow.position
    )
