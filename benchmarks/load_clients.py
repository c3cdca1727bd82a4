"""Clients on raw sockets, with as little work as can be: they share the cores with the server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from itertools import cycle
from time import perf_counter
from typing import NamedTuple, cast

from benchmarks.serving import request

PATIENCE_SECONDS = 5.0  # for what is on its way when a round ends


class Question(NamedTuple):
    kind: str  # read | write | predict
    content: bytes


class Answer(NamedTuple):
    kind: str
    status: str
    seconds: float


async def ask_until(
    port: int, asking: list[Question], until: float, answers: list[Answer], pause: float = 0.0
) -> None:
    connection: Connection | None = None
    for kind, content in cycle(asking):
        began = perf_counter()
        if began >= until:
            break
        try:
            async with asyncio.timeout(until - began + PATIENCE_SECONDS):
                if connection is None or connection.is_closed:
                    connection = await connect(port)
                status = await connection.ask(content)
        except TimeoutError:
            status, connection = "unanswered", None
        except OSError:
            status, connection = "cut", None
        answers.append(Answer(kind, status, perf_counter() - began))
        await asyncio.sleep(pause)
    if connection:
        connection.transport.abort()


class Connection(asyncio.Protocol):
    """One question at a time, with as little work as can be: it shares the cores with the
    server."""

    transport: asyncio.Transport

    def __init__(self) -> None:
        self._received = b""
        self._answer: asyncio.Future[str] | None = None
        self.is_closed = False

    def ask(self, question: bytes) -> asyncio.Future[str]:
        """The status of the answer."""
        self._received = b""
        self._answer = asyncio.get_running_loop().create_future()
        self.transport.write(question)
        return self._answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        if not end or len(body) < int(head.partition(b"content-length: ")[2].split(b"\r")[0]):
            return
        if self._answer and not self._answer.done():
            self._answer.set_result(head[9:12].decode())

    def connection_lost(self, error: Exception | None) -> None:
        self.is_closed = True
        if self._answer and not self._answer.done():
            self._answer.set_exception(ConnectionResetError())


async def connect(port: int) -> Connection:
    loop = asyncio.get_running_loop()
    _, connection = await loop.create_connection(Connection, "127.0.0.1", port)
    return connection


class Stream(asyncio.Protocol):
    """Counts the events that have come."""

    transport: asyncio.Transport

    def __init__(self, question: bytes) -> None:
        self._question = question
        self._received = b""
        self.has_begun = asyncio.Event()
        self.events, self.last = 0, 0.0

    @property
    def is_accepted(self) -> bool:
        return self._received.startswith(b"HTTP/1.1 200")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.write(self._question)

    def data_received(self, data: bytes) -> None:
        self._received = self._received or data
        self.events += data.count(b"\ndata: ")
        self.last = perf_counter()
        if self.events or not self.is_accepted:
            self.has_begun.set()

    def connection_lost(self, error: Exception | None) -> None:
        self.has_begun.set()


@asynccontextmanager
async def streams(port: int, job: str, count: int) -> AsyncIterator[list[Stream]]:
    """Of one job, by 50 clients at once; at the end all are closed in one moment."""
    loop = asyncio.get_running_loop()
    head = f"GET /v1/jobs/{job}/events HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    opened: list[Stream] = []

    async def follow() -> None:
        while len(opened) < count:
            stream = Stream(head)
            opened.append(stream)
            await loop.create_connection(partial(_itself, stream), "127.0.0.1", port)
            await stream.has_begun.wait()

    try:
        async with asyncio.timeout(30):
            await asyncio.gather(*(follow() for _ in range(50)))
    except TimeoutError:
        print(f"only {len(opened)} streams were opened within 30 s")
    await asyncio.sleep(1)
    try:
        yield opened
    finally:
        for stream in opened:
            if hasattr(stream, "transport"):
                stream.transport.abort()


def _itself(stream: Stream) -> Stream:
    return stream


async def event_to_all(port: int, job: str, opened: list[Stream]) -> float:
    """Milliseconds from a request that changes the job until the last stream has its event."""
    before = [stream.events for stream in opened]
    began = perf_counter()
    connection = await connect(port)
    try:
        async with asyncio.timeout(20):
            question = request(f"/v1/jobs/{job}/resume", "application/json", b"")
            if (status := await connection.ask(question)) != "200":
                raise RuntimeError(f"expected the job to go on, got {status}")
            while any(stream.events == seen for stream, seen in zip(opened, before, strict=True)):
                await asyncio.sleep(0.01)
    except TimeoutError:
        return float("inf")
    finally:
        connection.transport.abort()
    return round(1000 * (max(stream.last for stream in opened) - began), 1)
