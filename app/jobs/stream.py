"""GET /v1/jobs/{id}/events: the job's story as Server-Sent Events, from any point in it."""

import asyncio
from typing import Annotated, Any, cast

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from starlette.types import Receive, Scope, Send

from app.dependencies import Reader, ReadSession
from app.documented import can_answer
from app.jobs import repository
from app.jobs.following import Follower, Following
from app.sent import Count
from app.turns import TurnRoute

router = APIRouter(prefix="/jobs", tags=["jobs"], route_class=TurnRoute)

MEDIA_TYPE = "text/event-stream"
_EVENT: dict[str, Any] = {
    "type": "object",
    "properties": {
        "data": {"type": "string"},
        "event": {"type": "string"},
        "id": {"type": "string"},
    },
}


class EventStream(Response):
    """Sends what a follower is told; holds no thread and no connection of the database."""

    media_type = MEDIA_TYPE

    def __init__(
        self, following: Following, job_id: str, key_id: str | None, number: int, progress: bool
    ) -> None:
        # No proxy shall keep events back.
        super().__init__(headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._seat = following.follow(job_id, key_id, number, progress)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._seat as follower:
            leaving = asyncio.create_task(_leave(follower, receive))
            try:
                start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
                await send(start)
                while (content := await follower.next()) is not None:
                    await send({"type": "http.response.body", "body": content, "more_body": True})
                await send({"type": "http.response.body", "body": b""})
            finally:
                leaving.cancel()


async def _leave(follower: Follower, receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    await follower.leave()


async def _following(request: Request) -> Following:
    return cast(Following, request.app.state.following)


@router.get(
    "/{job_id}/events",
    status_code=200,
    response_class=EventStream,
    responses={200: {"content": {MEDIA_TYPE: {"itemSchema": _EVENT}}}, **can_answer(429)},
)
def stream(
    job_id: str,
    session: ReadSession,
    caller: Reader,
    following: Annotated[Following, Depends(_following)],
    last_event_id: Annotated[
        Count, Header(description="go on after this event; a client sends it by itself")
    ] = 0,
    progress: Annotated[
        bool,
        Query(
            description="`progress` events as well, each second in which the job has moved: of the "
            "moment, so they have no number and never come again"
        ),
    ] = False,
) -> EventStream:
    """Tells a job's story: status, trial, epoch, features, warning, report, deployment; ends after
    the event that ends the job. 429 when the key has too many open."""
    job = repository.get(session, caller.project, job_id)
    return EventStream(following, job.id, caller.key_id, last_event_id, progress)
