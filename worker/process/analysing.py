"""An analysis under its lease: what it finds, or why it has failed, written down once."""

from collections.abc import Callable
from typing import Any

import structlog
from sqlalchemy.exc import OperationalError

from app import leases
from app.damage import mark
from app.database import now
from app.errors import DamagedArtifact, FailureCode, Fenced
from app.tables.analyses import Analysis
from worker.failures import as_failure
from worker.machine.context import WorkerContext

log = structlog.get_logger(__name__)


def run(context: WorkerContext, row: Analysis, find: Callable[[], dict[str, Any]]) -> None:
    """Ends the row with what `find` returns, or leaves it to the one who has taken it. To run it
    again does no harm. Never raises."""
    try:
        try:
            values: dict[str, Any] = {"status": "succeeded", "result": find()}
        except OperationalError:
            raise
        except Exception as error:
            failure = as_failure(error)
            if failure.code is FailureCode.INTERNAL:
                log.exception("analysis_failed", row=row.id)
            if isinstance(failure, DamagedArtifact):
                mark(context.database, failure)
            failure.stage = failure.stage or row.stage
            values = {"status": "failed", "error": failure.as_json()}
        with context.database.write() as session:
            values |= {"ended_at": now(), **leases.RELEASED}
            leases.write(session, type(row), row.id, row.token or "", **values)
    except Fenced:
        log.info("analysis_lost", row=row.id)
    except OperationalError as error:  # the database is away: the lease ends, and another goes on
        log.warning("analysis_left", row=row.id, error=str(error.orig))
