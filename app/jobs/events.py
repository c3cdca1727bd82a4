"""The job's story, numbered in the order in which it was committed."""

from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.jobs.tables import EventRow, JobRow

Event = tuple[str, dict[str, Any]]  # kind and data


def record(session: Session, job_id: str, *events: Event) -> None:
    """The job's row is locked until the commit, so that a reader who
    has seen number n never misses one below it."""
    last = session.execute(
        update(JobRow)
        .where(JobRow.id == job_id)
        .values(event_count=JobRow.event_count + len(events))
        .returning(JobRow.event_count)
        .execution_options(synchronize_session=False)
    ).scalar_one()
    first = last - len(events) + 1
    session.add_all(
        EventRow(job_id=job_id, number=first + offset, kind=kind, data=data)
        for offset, (kind, data) in enumerate(events)
    )
    session.flush()


def after(session: Session, job_id: str, number: int, limit: int = 500) -> list[EventRow]:
    statement = (
        select(EventRow)
        .where(EventRow.job_id == job_id, EventRow.number > number)
        .order_by(EventRow.number)
        .limit(limit)
    )
    return list(session.scalars(statement))
