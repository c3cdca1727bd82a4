"""Server-sent events as the job's story."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
from httpx_sse import EventSource, ServerSentEvent


@dataclass(frozen=True)
class Event:
    """One step of a job's story."""

    number: str  # "" for `progress`, which is of the moment
    kind: str  # status | trial | epoch | features | warning | report | deployment | progress
    data: dict[str, Any]


class _Reading:
    """What has been heard decides which events have a number of their own."""

    def __init__(self) -> None:
        self._last = ""

    def event(self, sse: ServerSentEvent) -> Event | None:
        if not sse.data:  # a comment after the first event comes as an event without
            return None
        event = Event(sse.id if sse.id != self._last else "", sse.event, sse.json())
        self._last = sse.id
        return event


def events_of(response: httpx.Response) -> Iterator[Event]:
    """Events of a text/event-stream as they come. Comments keep the connection alive and are
    dropped; an event that was cut off before its empty line is not one. Raises SSEError, which is a
    TransportError, where the answer is no such stream."""
    reading = _Reading()
    for sse in EventSource(response).iter_sse():
        if event := reading.event(sse):
            yield event


async def async_events_of(response: httpx.Response) -> AsyncIterator[Event]:
    """Events as `events_of` gives them."""
    reading = _Reading()
    async for sse in EventSource(response).aiter_sse():
        if event := reading.event(sse):
            yield event
