"""Explanations stand in line: one is worked on at a time, and each key has one at most in that
line, so that nobody's hundred are before another's one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Annotated, cast
from weakref import WeakValueDictionary

from fastapi import Depends, Request

from app.errors import Unavailable

WAIT_SECONDS = 30.0


class ExplanationLine:
    """One a process, used from one event loop."""

    def __init__(self) -> None:
        self._keys: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._working = asyncio.Lock()  # first come, first served

    @asynccontextmanager
    async def turn(self, key: str) -> AsyncIterator[None]:
        """Raises Unavailable when the turn has not come in time."""
        own = self._keys.setdefault(key, asyncio.Lock())
        async with AsyncExitStack() as held:
            try:
                async with asyncio.timeout(WAIT_SECONDS):
                    await held.enter_async_context(own)
                    await held.enter_async_context(self._working)
            except TimeoutError:
                detail = (
                    f"expected a turn within {WAIT_SECONDS:g} s, other explanations take that long"
                )
                busy = {"Retry-After": "5"}
                raise Unavailable("too_many_explanations", detail, headers=busy) from None
            yield


async def _line(request: Request) -> ExplanationLine:
    return cast(ExplanationLine, request.app.state.explanations)


LineOf = Annotated[ExplanationLine, Depends(_line)]
