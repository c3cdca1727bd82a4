"""The job's story, numbered in the order in which it was committed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.tables.jobs import EventRow, JobRow

Event = tuple[str, dict[str, Any]]  # kind and data
AT_ONCE = 500  # jobs in one query


@dataclass(frozen=True)
class SentEvent:
    """An event as it is sent."""

    number: int
    content: bytes


@dataclass(frozen=True)
class EventBatch:
    """Events that a look at a job has found: its last events, their number, and whether more can
    come."""

    told: list[SentEvent]
    count: int
    has_ended: bool


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


def told_after(session: Session, job_id: str, number: int, limit: int) -> list[SentEvent]:
    return [
        SentEvent(row.number, sse(row.kind, {**row.data, "at": row.created_at}, row.number))
        for row in after(session, job_id, number, limit)
    ]


def news(
    session: Session, known: Mapping[str, int | None], limit: int
) -> Iterator[tuple[str, EventBatch]]:
    """Events of each job after the number that is known, the last `limit` at most.

    A job's row says both whether it has ended and how many events there are, so that an end seen
    here has its events with it. A cancelled job whose report is being made has not ended.
    """
    job_ids = list(known)
    standing: dict[str, tuple[str, int]] = {}
    for place in range(0, len(job_ids), AT_ONCE):
        some = JobRow.id.in_(job_ids[place : place + AT_ONCE])
        for job_id, stage, count in session.execute(
            select(JobRow.id, JobRow.stage, JobRow.event_count).where(some)
        ):
            standing[job_id] = (stage, count)
    for job_id, number in known.items():
        stage, count = standing.get(job_id, ("ended", 0))  # it was deleted
        first = max(number or 0, count - limit)
        told = told_after(session, job_id, first, limit) if count > first else []
        yield job_id, EventBatch(told, count, stage == "ended")


def sse(kind: str, data: Mapping[str, Any], number: int | None = None) -> bytes:
    """An event of text/event-stream; without a number it never comes again."""
    id_line = b"" if number is None else b"id: %d\n" % number
    return b"event: %s\n%sdata: %s\n\n" % (kind.encode(), id_line, orjson.dumps(data))
