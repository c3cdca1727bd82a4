"""Callers who ask for predictions: the authenticator's answers, remembered for a second, since it
may have to ask the database."""

from time import monotonic
from typing import NamedTuple

from app.access.authentication import Authenticator
from app.access.caller import Caller

REMEMBERED_SECONDS = 1.0
REMEMBERED_CALLERS = 1024


class Remembered(NamedTuple):
    until: float
    generation: int
    caller: Caller


class Callers:
    """One a process, used from one event loop. Header: Authorization, None where there is none."""

    def __init__(self, authenticator: Authenticator) -> None:
        self._authenticator = authenticator
        self._known: dict[bytes | None, Remembered] = {}

    def remembered(self, header: bytes | None) -> Caller | None:
        """Returns None where the authenticator has to be asked. Raises Forbidden."""
        known = self._known.get(header)
        if (
            known is None
            or known.generation != self._authenticator.generation
            or known.until < monotonic()
        ):
            return None
        known.caller.require("predict")
        return known.caller

    async def find(self, header: bytes | None) -> Caller:
        """Raises Unauthorized or Forbidden."""
        if (known := self.remembered(header)) is not None:
            return known
        generation = self._authenticator.generation
        authorization = None if header is None else header.decode("latin-1")
        caller = await self._authenticator.caller(authorization)
        if len(self._known) >= REMEMBERED_CALLERS:
            self._known.clear()
        self._known[header] = Remembered(monotonic() + REMEMBERED_SECONDS, generation, caller)
        caller.require("predict")
        return caller
