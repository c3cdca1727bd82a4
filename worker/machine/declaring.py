"""A worker tells the API what memory it gives a trial (app/workers), now and then."""

import socket
import time

import structlog
from sqlalchemy.exc import SQLAlchemyError

from app.workers import repository
from worker.machine.capacity import slot_bytes, training_slots
from worker.machine.context import WorkerContext

log = structlog.get_logger(__name__)

EVERY_SECONDS = 60.0
_last: list[float] = []


def declare(context: WorkerContext) -> None:
    """Any child does it, at its start and while it works; at most once in EVERY_SECONDS."""
    now = time.monotonic()
    if _last and now - _last[0] < EVERY_SECONDS:
        return
    _last[:] = [now]
    name, settings = socket.gethostname(), context.settings
    try:
        with context.database.write() as session:
            repository.declare(session, name, training_slots(settings), slot_bytes(settings))
    except SQLAlchemyError as error:  # the database may come back before the next time
        log.warning("memory_not_declared", error=str(error))
