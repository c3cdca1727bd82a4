"""All SQL about workers: what they declare, and what may be asked of them."""

from contextlib import suppress
from typing import Any, cast

from sqlalchemy import CursorResult, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.database import clock
from app.tables.workers import WorkerRow

# Workers that were seen this long before the last one that was are gone. Not before now: an
# installation that rests is not one without workers.
PRESENT_SECONDS = 600.0
FORGOTTEN_SECONDS = 24 * 3600.0


def declare(session: Session, name: str, slots: int, slot_bytes: int) -> None:
    """Says that the worker is there, and what it gives a trial."""
    said: dict[str, Any] = {"slots": slots, "slot_bytes": slot_bytes, "seen_at": clock()}
    known = session.execute(update(WorkerRow).where(WorkerRow.name == name).values(said))
    if not cast("CursorResult[Any]", known).rowcount:
        with suppress(IntegrityError), session.begin_nested():  # another child was faster
            session.execute(insert(WorkerRow).values(name=name, **said))
    session.execute(delete(WorkerRow).where(WorkerRow.seen_at < clock() - FORGOTTEN_SECONDS))


def turned(session: Session, name: str) -> None:
    """Says that the worker's event loop turns. One that has declared nothing yet is not counted."""
    session.execute(update(WorkerRow).where(WorkerRow.name == name).values(seen_at=clock()))


def last_seen(session: Session) -> dict[str, tuple[float, int]]:
    """Workers of the last day: seconds since each was seen, and its slots."""
    age = clock() - WorkerRow.seen_at
    found = session.execute(
        select(WorkerRow.name, age, WorkerRow.slots).where(age < FORGOTTEN_SECONDS)
    )
    return {name: (max(0.0, float(seconds)), slots) for name, seconds, slots in found}


def slot_bytes(session: Session) -> int | None:
    """Memory that every worker which is present gives a trial: any of them may take it. None where
    no worker has ever been there."""
    newest = select(func.max(WorkerRow.seen_at)).scalar_subquery()
    present = WorkerRow.seen_at >= newest - PRESENT_SECONDS
    return session.scalar(select(func.min(WorkerRow.slot_bytes)).where(present))
