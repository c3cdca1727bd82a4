# Made from ktl/_async by docs/generate; changes belong there.
"""Waiting for what a worker does, over restarts of the API."""

import time
from collections.abc import Callable
from time import sleep
from typing import TypeVar

from ..answer import WithStatus
from ..errors import Unreachable

POLL_SECONDS = 0.3
Found = TypeVar("Found", bound=WithStatus)


def settled(look: Callable[[], Found], ended: frozenset[str], patience_seconds: float) -> Found:
    """Looks again and again until the status is one of `ended`. An API that is away is waited
    for, `patience_seconds` at most; then Unreachable."""
    heard = time.monotonic()
    while True:
        try:
            found, heard = look(), time.monotonic()
            if found.status in ended:
                return found
        except Unreachable:
            if time.monotonic() - heard > patience_seconds:
                raise
        sleep(POLL_SECONDS)
