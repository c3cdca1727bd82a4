# Made from ktl/_async by docs/generate; changes belong there.
"""Waiting for what a worker does, over restarts of the API."""

import time
from collections.abc import Callable
from time import sleep
from typing import TypeVar

from ..answer import WithStatus
from ..errors import ApiError, Unreachable

POLL_SECONDS = 0.3
AWAY = frozenset({502, 503, 504})  # what a proxy or an API that starts says
Found = TypeVar("Found", bound=WithStatus)


def settled(look: Callable[[], Found], ended: frozenset[str], patience_seconds: float) -> Found:
    """Looks again and again until the status is one of `ended`. An API that is away is waited
    for, `patience_seconds` at most; then Unreachable or ApiError."""
    heard = time.monotonic()
    while True:
        try:
            found, heard = look(), time.monotonic()
            if found.status in ended:
                return found
        except (Unreachable, ApiError) as error:
            if not is_away(error) or time.monotonic() - heard > patience_seconds:
                raise
        sleep(POLL_SECONDS)


def is_away(error: Unreachable | ApiError) -> bool:
    """Tells whether the API may be back soon: it restarts, or a proxy says so in its place."""
    return isinstance(error, Unreachable) or error.status in AWAY
