"""GET /v1/jobs/{id}/events: the job's story as Server-Sent Events, from any point in it."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.concurrency import run_in_threadpool

from app.database import Database
from app.dependencies import DatabaseOf, Reader, ReadSession
from app.errors import BadRequest, Finding
from app.jobs import events, repository
from app.jobs.presenting import present_job
from app.jobs.tables import EventRow, JobRow

router = APIRouter(prefix="/jobs", tags=["jobs"])

POLL_SECONDS = 0.25
PROGRESS_SECONDS = 1.0


def _visible_job(job_id: str, session: ReadSession, caller: Reader) -> str:
    return repository.get(session, caller.project, job_id).id


def _last_event_id(
    last_event_id: Annotated[
        str | None, Header(description="go on after this event; a client sends it by itself")
    ] = None,
) -> int:
    if last_event_id is None or last_event_id.isdecimal():
        return int(last_event_id or 0)
    detail = "expected Last-Event-ID to be the number of an event"
    raise BadRequest("invalid_last_event_id", detail, Finding(detail, parameter="Last-Event-ID"))


@router.get("/{job_id}/events", response_class=EventSourceResponse)
async def stream(
    job_id: Annotated[str, Depends(_visible_job)],
    database: DatabaseOf,
    number: Annotated[int, Depends(_last_event_id)],
    progress: Annotated[
        bool,
        Query(
            description="`progress` events as well, each second in which the job has moved: of the "
            "moment, so they have no number and never come again"
        ),
    ] = False,
) -> AsyncIterator[ServerSentEvent]:
    """status, trial, epoch, warning, report, deployment; ends after the event that ends the job."""
    standing: dict[str, Any] | None = None
    looked = 0.0
    while True:
        found, ended = await run_in_threadpool(_look, database, job_id, number)
        for event in found:
            number = event.number
            data = {**event.data, "at": event.created_at}
            yield ServerSentEvent(event=event.kind, id=str(number), data=data)
        if ended and not found:
            return
        if progress and time.monotonic() - looked >= PROGRESS_SECONDS:
            looked, before = time.monotonic(), standing
            standing = await run_in_threadpool(_standing, database, job_id)
            if before and standing and standing != before:
                yield ServerSentEvent(event="progress", data=standing)
        if not found:
            await asyncio.sleep(POLL_SECONDS)


def _standing(database: Database, job_id: str) -> dict[str, Any] | None:
    with database.read() as session:
        job = session.get(JobRow, job_id)
        if job is None:
            return None
        return present_job(session, job).model_dump(include={"progress", "eta_seconds", "trials"})


def _look(database: Database, job_id: str, number: int) -> tuple[list[EventRow], bool]:
    """What has come since; and whether nothing will come any more. The status is read first, so
    that an end seen here has its events in the second read or before. A cancelled job whose report
    is being made has not yet come to its end."""
    with database.read() as session:
        job = session.get(JobRow, job_id)
        ended = job is None or job.stage == "ended"
    with database.read() as session:
        return events.after(session, job_id, number), ended
