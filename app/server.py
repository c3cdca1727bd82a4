"""uvicorn, with an end to its patience and to its connections.

It waits for the rest of a request as long as a client likes, reads a head of any length, and keeps
an answer that nobody takes. Here a second look at every connection once a second: what has not
moved for a while is closed. A slow upload moves, so it may take as long as it needs.
"""

import asyncio
import ctypes
import gc
import resource
import sys
from dataclasses import dataclass
from functools import partial
from typing import Any, cast
from uuid import uuid4

import orjson
import structlog
import uvicorn
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from app.errors import Unavailable
from app.problems import problem_json
from app.prompt_protocol import PromptProtocol
from app.settings import Settings

log = structlog.get_logger(__name__)

HEAD_BYTES = 2**16  # also of what else is neither head nor body: sizes of chunks, trailers
SPARE = 256  # connections beyond the limit that are told so; more are cut
OTHER_FILES = 512  # the database, models, the store
TAKING_FACTOR = 4  # a client may leave an answer longer than it may leave us waiting
TICKS = 10  # of uvicorn's, which make a second
STARTUP_FAILED = 3  # as uvicorn.run says it
# The event loop waits so long for each thread that computes, ten times shorter than by default:
# with 100 clients beside them, the slowest in a hundred predictions took half as long.
SWITCH_SECONDS = 0.0005
# Objects between two collections of each generation. By default the garbage collector looks through
# all that lives so often that 2,000 event streams, which live long, held everybody up for a third
# of a second.
COLLECTED = (5_000, 10, 1_000)
# Heaps of glibc's malloc. By default each thread may have its own, up to eight per core, and what
# large bodies leave behind in each is not given back: 1.5 to 3 MB a minute under fuzzed requests.
# With two the memory is flat.
M_ARENA_MAX, ARENAS = -8, 2


@dataclass(frozen=True)
class ServerLimits:
    connections: int
    seconds: float


class Connection(PromptProtocol):
    def __init__(self, limits: ServerLimits, **uvicorns: Any) -> None:
        super().__init__(**uvicorns)
        self._limits = limits
        self._unread = 0  # bytes since a head, or a piece of a body, was complete
        self._pieces = 0  # of bodies
        self._seen: tuple[object, ...] = ()
        self._since = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        excess = len(self.connections) - self._limits.connections
        if excess > SPARE:
            transport.abort()
        elif excess > 0:
            self.app = cast(Any, _too_many_connections)

    def data_received(self, data: bytes) -> None:
        self._unread += len(data)
        super().data_received(data)
        if self._unread > HEAD_BYTES:
            self._refuse(431, f"expected a head of at most {HEAD_BYTES} bytes, got more")

    def on_headers_complete(self) -> None:
        self._unread = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._unread = 0
        self._pieces += 1
        super().on_body(body)

    def look(self, now: float) -> None:
        """Closes the connection when it has stood still for too long."""
        seen = self._standing()
        if seen != self._seen:
            self._seen, self._since = seen, now
            return
        waited, limit = now - self._since, self._limits.seconds
        match seen:
            case ("answer", *_) if waited >= TAKING_FACTOR * limit:
                self.transport.abort()
            case ("head", *_) if waited >= limit:
                self._refuse(408, f"expected a whole request within {limit:g} s")
            case ("body", *_) if waited >= limit:
                self._refuse(408, f"expected the rest of the body, nothing came for {limit:g} s")

    def send_400_response(self, msg: str) -> None:
        self._refuse(400, "expected a request of HTTP/1.1, got something else")

    def _standing(self) -> tuple[object, ...]:
        """What is waited for, and how far it is. Equal at two looks: nothing has moved."""
        if size := self.transport.get_write_buffer_size():
            return ("answer", size)
        if self.cycle is None or self.cycle.response_complete:
            if self.timeout_keep_alive_task is not None:
                return ()  # between two requests: uvicorn's own clock runs
            return ("head", self.cycle)
        is_asked_for = not (self.flow.read_paused or self.cycle.waiting_for_100_continue)
        return ("body", self._pieces) if self.cycle.more_body and is_asked_for else ()

    def _refuse(self, status: int, detail: str) -> None:
        """Answers where no answer has begun, and closes."""
        if self.transport.is_closing():
            return
        cycle = self.cycle
        if cycle is not None and cycle.response_started and not cycle.response_complete:
            self.transport.abort()
            return
        status, headers, body = _problem(HTTPException(status, detail), "")
        lines = [b"%s: %s\r\n" % header for header in headers]
        self.transport.write(b"".join([STATUS_LINE[status], *lines, b"\r\n", body]))
        self.transport.close()


class Server(uvicorn.Server):
    async def on_tick(self, counter: int) -> bool:
        if counter % TICKS == 0:
            now = asyncio.get_running_loop().time()
            for connection in tuple(self.server_state.connections):
                cast(Connection, connection).look(now)
        return await super().on_tick(counter)


def server(app: Any, settings: Settings, **options: Any) -> Server:
    """A server with our limits; `options` are uvicorn's."""
    limits = ServerLimits(_affordable(settings.connection_limit), settings.request_timeout_seconds)
    protocol = cast(type[asyncio.Protocol], partial(Connection, limits))
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http=protocol,
        ws="none",
        access_log=False,
        server_header=False,
        proxy_headers=False,  # nothing here asks for the address of a client behind a proxy
        **options,
    )
    return Server(config)


def run(settings: Settings) -> None:
    """Serves until SIGTERM or SIGINT."""
    # Streams of events have no end of their own.
    made = server(
        "app.main:create_app",
        settings,
        factory=True,
        log_level="warning",
        timeout_graceful_shutdown=3,
    )
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.set_threshold(*COLLECTED)
    _share_heaps()
    made.run()
    if not made.started:
        sys.exit(STARTUP_FAILED)


def _share_heaps() -> None:
    """Bounds the heaps, before there are threads; where the C library is not glibc, nothing."""
    if sys.platform == "linux" and (mallopt := getattr(ctypes.CDLL(None), "mallopt", None)):
        mallopt(M_ARENA_MAX, ARENAS)


def _affordable(connections: int) -> int:
    """The limit, or less where the system lets this process open fewer files."""
    wanted = connections + SPARE + OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= wanted or soft == resource.RLIM_INFINITY:
        return connections
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    if allowed < wanted:
        log.warning("connections_limited", wanted=connections, open_files=allowed)
    return max(1, connections - (wanted - allowed))


async def _too_many_connections(scope: Scope, _: Receive, send: Send) -> None:
    detail = "expected fewer connections to this process at once"
    error = Unavailable("too_many_connections", detail, headers={"Retry-After": "5"})
    status, headers, body = _problem(error, scope["path"])
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _problem(error: Exception, path: str) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Answers one who will not be heard any further."""
    status, problem, headers = problem_json(error, path, uuid4().hex)
    body = orjson.dumps(problem)
    headers |= {"Content-Length": str(len(body)), "Connection": "close"}
    return (
        status,
        [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        body,
    )
