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
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter

import numpy as np
import orjson
import uvloop

from app.cli.supervisor import free_port
from app.database import Database
from app.datasets.schemas import Schema
from app.identifiers import new_id
from app.inputs.image import ImageInputs
from app.jobs import lifecycle
from app.migrate import upgrade
from app.spec.plan import plan
from app.spec.resolution import resolve
from app.spec.sources import SourceFacts
from app.spec.spec import JobSpec
from app.tables.datasets import DatasetRow
from app.tables.jobs import JobRow
from app.tasks.classification import Classification
from benchmarks.load_clients import Answer, Question, ask_until, event_to_all, streams
from benchmarks.serving import SHAPE, deploy, request, wait_for, write_graph
from tests.postgresql import postgresql_server

CLIENTS = (10, 100, 300)
STREAMS = 2000
SECONDS = 10.0  # of each round
JOBS = 20


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
        inputs=ImageInputs(shape=(8, 8, 1), dtype="uint8", value_range=(0, 255)),
        task=Classification(classes=("a", "b")),
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
    with postgresql_server() as url:
        yield url


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
