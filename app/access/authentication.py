"""The way from an Authorization header to a caller."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import BoundedSemaphore
from time import monotonic
from typing import Literal, get_args

from sqlalchemy.exc import IntegrityError

from app.access import repository
from app.access.caller import Caller
from app.database import Database, now
from app.errors import Unauthorized
from app.settings import Settings

Scope = Literal["read", "write", "predict", "admin"]
ALL_SCOPES: frozenset[str] = frozenset(get_args(Scope))
DEFAULT_PROJECT = "default"
OPEN = Caller(DEFAULT_PROJECT, ALL_SCOPES, None)  # whoever asks, where no key is asked for
REMEMBERED_SECONDS = 5.0
FIRST_KEY_MIN_LENGTH = 24
LOOKUPS = 2  # at once, on connections and threads that no other work takes


class Authenticator:
    """Remembers a caller for 5 seconds: a key that is revoked in another process is refused here
    after at most that; in this process at once (`forget`). Unknown keys are never remembered."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._asks_for_keys = not settings.is_loopback
        self.generation = 0  # rises with `forget`; who remembers a caller remembers it as well
        self._open_until = 0.0
        self._callers: dict[str, tuple[float, Caller]] = {}
        self._used: dict[str, datetime] = {}
        self._connections = BoundedSemaphore(LOOKUPS)
        self._threads = ThreadPoolExecutor(LOOKUPS, "keys")
        self._asking: dict[str | None, asyncio.Future[Caller]] = {}

    async def caller(self, authorization: str | None) -> Caller:
        """Authenticates for the event loop. Only who is not remembered costs a thread, and one for
        all who ask at the same moment."""
        if (known := self._remembered(authorization)) is not None:
            return known
        asking = self._asking
        if (asked := asking.get(authorization)) is None:
            loop = asyncio.get_running_loop()
            asked = loop.run_in_executor(self._threads, self.authenticate, authorization)
            asking[authorization] = asked
            asked.add_done_callback(lambda _: asking.pop(authorization, None))
        return await asyncio.shield(asked)

    def authenticate(self, authorization: str | None) -> Caller:
        """Raises Unauthorized, with a WWW-Authenticate header."""
        if (known := self._remembered(authorization)) is not None:
            return known
        if self.is_open:
            return OPEN
        key, callers = _key(authorization), self._callers
        caller = self._look_up(key)
        callers[key] = (monotonic() + REMEMBERED_SECONDS, caller)
        return self._noted(caller)

    def _remembered(self, authorization: str | None) -> Caller | None:
        """Looks at what is remembered, without the database. Raises Unauthorized where no key was
        sent and one is needed."""
        if not self._asks_for_keys:
            return OPEN if self._open_until > monotonic() else None
        until, caller = self._callers.get(_key(authorization), (0.0, None))
        return None if caller is None or until <= monotonic() else self._noted(caller)

    def _noted(self, caller: Caller) -> Caller:
        if caller.key_id:
            self._used[caller.key_id] = now()
        return caller

    @property
    def asks_for_keys(self) -> bool:
        """Known without a look into the database; once it is so, it stays so."""
        return self._asks_for_keys

    @property
    def is_open(self) -> bool:
        """Nobody is asked for a key: a loopback address, and no key was ever made."""
        if not self._asks_for_keys and self._open_until <= monotonic():
            callers = self._callers
            with self._connections, self._database.read() as session:
                self._asks_for_keys = repository.count(session) > 0
            if callers is self._callers:  # no key was made meanwhile
                self._open_until = monotonic() + REMEMBERED_SECONDS
        return not self._asks_for_keys

    def forget(self) -> None:
        """Forgets who asked, after a key was made or revoked. A lookup under way remembers nothing:
        what it writes to is no longer read."""
        self.generation += 1
        self._callers, self._asking = {}, {}
        self._open_until = 0.0

    def note_use(self) -> None:
        """Writes down when each key was last used; called now and then, off the requests' path."""
        used, self._used = self._used, {}
        if used:
            with self._database.write() as session:
                repository.note_use(session, dict(used))

    def _look_up(self, key: str) -> Caller:
        self._callers.pop(key, None)
        with self._connections, self._database.read() as session:
            row = repository.find(session, key)
        if row is None:
            detail = "expected a key that was made here, got an unknown or revoked one"
            raise _unauthorized("unknown_key", detail)
        scopes = ALL_SCOPES if "admin" in row.scopes else frozenset(row.scopes)
        return Caller(row.project, scopes, row.id)


def _key(authorization: str | None) -> str:
    scheme, _, key = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        got = "another scheme" if authorization else "no Authorization header"
        raise _unauthorized("missing_key", f"expected `Authorization: Bearer ktl_…`, got {got}")
    return key.strip()


def require_key_or_loopback(database: Database, settings: Settings) -> None:
    """Called at start-up. Registers the first key where a file brings one.

    Raises RuntimeError when anyone who reaches the address could use the server.
    """
    with database.read() as session:
        if repository.count(session):
            return
    if settings.first_key_file:
        _register(database, settings.first_key_file.read_text().strip())
    elif not settings.is_loopback:
        raise RuntimeError(
            f"refusing to listen on {settings.host} with no key made: make one with "
            "`ktl keys create`, or name a file that holds one in KTL_FIRST_KEY_FILE"
        )


def _register(database: Database, key: str) -> None:
    if len(key) < FIRST_KEY_MIN_LENGTH or any(character.isspace() for character in key):
        raise RuntimeError(
            f"expected at least {FIRST_KEY_MIN_LENGTH} characters without spaces in "
            f"KTL_FIRST_KEY_FILE, got {len(key)}"
        )
    try:
        with database.write() as session:
            repository.create(session, "first", DEFAULT_PROJECT, ["admin"], key)
    except IntegrityError:  # another process that starts at the same moment registered it
        return


def _unauthorized(code: str, detail: str) -> Unauthorized:
    return Unauthorized(code, detail, headers={"WWW-Authenticate": 'Bearer realm="ktl"'})
