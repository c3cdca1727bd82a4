"""Server-sent events as the job's story."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
from httpx_sse import EventSource


@dataclass(frozen=True)
class Event:
    number: str  # "" for `progress`, which is of the moment
    kind: str  # status | trial | epoch | features | warning | report | deployment | progress
    data: dict[str, Any]


def events_of(response: httpx.Response) -> Iterator[Event]:
    """Events of a text/event-stream as they come. Comments keep the connection alive and are
    dropped; an event that was cut off before its empty line is not one. Raises SSEError, which is a
    TransportError, where the answer is no such stream."""
    last = ""
    for sse in EventSource(response).iter_sse():
        if sse.data:  # a comment after the first event comes as an event without
            yield Event(sse.id if sse.id != last else "", sse.event, sse.json())
            last = sse.id
