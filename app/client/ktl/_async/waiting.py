"""Waiting for what a worker does, over restarts of the API."""

import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from anyio import sleep

from ..answer import WithStatus
from ..errors import Unreachable

POLL_SECONDS = 0.3
Found = TypeVar("Found", bound=WithStatus)


async def settled(
    look: Callable[[], Awaitable[Found]], ended: frozenset[str], patience_seconds: float
) -> Found:
    """Looks again and again until the status is one of `ended`. An API that is away is waited
    for, `patience_seconds` at most; then Unreachable."""
    heard = time.monotonic()
    while True:
        try:
            found, heard = await look(), time.monotonic()
            if found.status in ended:
                return found
        except Unreachable:
            if time.monotonic() - heard > patience_seconds:
                raise
        await sleep(POLL_SECONDS)
