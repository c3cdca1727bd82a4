"""The job's story, numbered in the order in which it was committed."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.jobs.tables import EventRow, JobRow

Event = tuple[str, dict[str, Any]]  # kind and data


def record(session: Session, job: JobRow, *events: Event) -> None:
    """`job` is locked by this transaction, or made in it: so the numbers rise in the order of the
    commits, and a reader who has seen number n never misses one below it."""
    first = job.event_count + 1
    job.event_count += len(events)
    session.add_all(
        EventRow(job_id=job.id, number=first + offset, kind=kind, data=data)
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
