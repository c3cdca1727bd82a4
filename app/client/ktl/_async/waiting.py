"""Waiting for what a worker does, over restarts of the API."""

import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from anyio import sleep

from ..answer import WithStatus
from ..errors import ApiError, Unreachable

POLL_SECONDS = 0.3
AWAY = frozenset({502, 503, 504})  # what a proxy or an API that starts says
Found = TypeVar("Found", bound=WithStatus)


async def settled(
    look: Callable[[], Awaitable[Found]], ended: frozenset[str], patience_seconds: float
) -> Found:
    """Looks again and again until the status is one of `ended`. An API that is away is waited
    for, `patience_seconds` at most; then Unreachable or ApiError."""
    heard = time.monotonic()
    while True:
        try:
            found, heard = await look(), time.monotonic()
            if found.status in ended:
                return found
        except (Unreachable, ApiError) as error:
            if not is_away(error) or time.monotonic() - heard > patience_seconds:
                raise
        await sleep(POLL_SECONDS)


def is_away(error: Unreachable | ApiError) -> bool:
    """Tells whether the API may be back soon: it restarts, or a proxy says so in its place."""
    return isinstance(error, Unreachable) or error.status in AWAY
