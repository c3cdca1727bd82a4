"""How long a user waits for the service: start-up, POST, the worker's first line, cancel.

`python -m benchmarks.latency`: `ktl api` against a bare FastAPI application, then `ktl up` with its
embedded broker, SQLite and one worker, in a temporary folder. Each start and each request has its
own repeat; the figures are medians (p99 where it says so). About a minute, two minutes at most.
"""

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from subprocess import Popen
from typing import Any, TypeVar
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import numpy as np
import psutil  # type: ignore[import-untyped]  # its stubs are a package of their own

from app.child_process import kill_session, spawn, stop
from app.cli.supervisor import free_port
from app.client import Client
from app.migrate import upgrade
from app.settings import Settings

LIMIT_SECONDS = 110.0  # of the whole benchmark; what is not there by then fails
DEADLINE = time.monotonic() + LIMIT_SECONDS
STARTS, POSTS, FIRST_LINES, CANCELS = 5, 60, 20, 5
QUIET_SECONDS = 0.3  # a worker that used no processor for so long is idle

WANTED = {
    "api_start_seconds": 2,
    "api_resident_mb": 200,
    "post_p50_ms": 10,
    "first_line_p50_ms": 15,
    "cancel_seconds": 2,
}

BARE = """
import sys
import uvicorn
from fastapi import FastAPI

app = FastAPI()

@app.get("/healthz")
def healthz() -> dict[str, str]:
    return {"status": "ok"}

uvicorn.run(app, port=int(sys.argv[1]), access_log=False, log_level="warning")
"""

Found = TypeVar("Found")
Spec = dict[str, Any]


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="ktl-") as folder:
        figures = starts(Path(folder, "start")) | requests(Path(folder, "service"))
    for name, value in figures.items():
        wanted = WANTED.get(name)
        print(f"{name:28}{value:10.3f}" + (f"   wanted: <= {wanted:g}" if wanted else ""))
    ratios = {
        f"api_{what}_vs_bare_fastapi": figures[f"api_{what}"] / figures[f"bare_fastapi_{what}"]
        for what in ("start_seconds", "resident_mb")
    }
    result = {"ratios": rounded(ratios), "figures": rounded(figures)}
    print(json.dumps({"benchmark": "latency", **result}))


def starts(home: Path) -> dict[str, float]:
    """Seconds from a process's start to its first answer, and its resident MB then."""
    upgrade(Settings(data_dir=home).database)
    seconds: dict[str, list[float]] = {}
    megabytes: dict[str, list[float]] = {}
    for _ in range(STARTS):
        for name in ("api", "bare_fastapi"):
            port = free_port()
            words = (
                ["-c", BARE, str(port)] if name == "bare_fastapi" else ["-m", "app.cli.main", "api"]
            )
            began = time.perf_counter()
            with running(words, home, port) as process:
                wait_for(f"{name} to answer", partial(answers, port, "/healthz"))
                seconds.setdefault(name, []).append(time.perf_counter() - began)
                megabytes.setdefault(name, []).append(resident_mb(process.pid))
    return {f"{name}_start_seconds": median(values) for name, values in seconds.items()} | {
        f"{name}_resident_mb": median(values) for name, values in megabytes.items()
    }


def requests(home: Path) -> dict[str, float]:
    home.mkdir()
    port = free_port()
    began = time.perf_counter()
    with running(["-m", "app.cli.main", "up"], home, port) as process, Client(url(port)) as client:
        wait_for("the service to be ready", lambda: answers(port, "/readyz"))
        ready = time.perf_counter() - began
        service = Service(process.pid, client, home)
        service.warm_up()
        posts = [service.post_and_cancel() for _ in range(POSTS)]
        lines, idle_posts = zip(*(service.first_line() for _ in range(FIRST_LINES)), strict=True)
        cancels = [service.cancel() for _ in range(CANCELS)]
        api_mb = resident_mb(service.process("app.cli.main api").pid)
    return {
        "up_ready_seconds": ready,
        "api_resident_mb_after_jobs": api_mb,
        "post_p50_ms": percentile(posts, 50),
        "post_p99_ms": percentile(posts, 99),
        "post_idle_worker_p50_ms": percentile(idle_posts, 50),
        "first_line_p50_ms": percentile(lines, 50),
        "first_line_p99_ms": percentile(lines, 99),
        "cancel_seconds": median(cancels),
        "cancel_longest_seconds": max(cancels),
    }


class Service:
    """A user's view of one that runs, and its processes."""

    def __init__(self, pid: int, client: Client, home: Path) -> None:
        self._pid, self._client = pid, client
        host = urlsplit(client.url).netloc
        self._http = HTTPConnection(host, timeout=30)  # the least work of a client's own
        source, target = (self._upload(home / f"{name}.npz") for name in ("source", "target"))
        self._tiny: Spec = {
            "sources": [{"dataset": source}],
            "target": {"dataset": target},
            "model": {"backbone": "mlp", "params": {"hidden": [16]}},
            "strategies": ["fine_tune"],
            "training": {"epochs": 1, "batch_size": 16, "min_steps": 0, "augmentation": None},
            "evaluation": {"seeds": 1},
        }
        self._long: Spec = {
            **self._tiny,
            "training": {"epochs": 20_000, "batch_size": 16, "min_steps": 0, "augmentation": None},
        }

    def warm_up(self) -> None:
        """Every child of the worker has worked and has its modules."""
        for _ in range(2):
            job = self._client.jobs.wait(self._client.jobs.submit(self._tiny).id)
            if job.status != "succeeded":
                raise RuntimeError(f"expected the first job to succeed, got {job.error}")

    def post_and_cancel(self) -> float:
        """Milliseconds of the POST, while the worker is at the jobs before it."""
        _, milliseconds, job_id = self._post(self._tiny)
        self._client.jobs.cancel(job_id)
        return milliseconds

    def first_line(self) -> tuple[float, float]:
        """Milliseconds from the POST to the claim of its first trial, and of the POST itself."""
        self._wait_until_idle()
        began, milliseconds, job_id = self._post(self._tiny)
        time.sleep(0.1)  # looking at once would take a core from the worker
        started = self._started_at(job_id)
        self._client.jobs.cancel(job_id)
        return (started - began) * 1000, milliseconds

    def cancel(self) -> float:
        """Seconds from the cancel of a job that trains to the first trial of the job behind it."""
        self._wait_until_idle()
        _, _, training = self._post(self._long)
        wait_for("an epoch", lambda: self._has_epochs(training))
        _, _, following = self._post(self._tiny)
        began = time.time()
        self._client.jobs.cancel(training)
        started = self._started_at(following)
        self._client.jobs.cancel(following)
        return started - began

    def process(self, words: str) -> psutil.Process:
        """The first below `ktl up` whose command line holds the words."""
        below = psutil.Process(self._pid).children(recursive=True)
        return next(process for process in below if words in " ".join(process.cmdline()))

    def _post(self, spec: Spec) -> tuple[float, float, str]:
        """When it was sent (seconds since 1970), milliseconds to the answer, the job's id."""
        body = json.dumps(spec).encode()
        headers = {"Content-Type": "application/json", "Idempotency-Key": uuid4().hex}
        began, counter = time.time(), time.perf_counter()
        self._http.request("POST", "/v1/jobs", body, headers)
        response = self._http.getresponse()
        answer = response.read()
        milliseconds = (time.perf_counter() - counter) * 1000
        if response.status != 202:
            raise RuntimeError(f"expected a job, got {answer.decode()}")
        return began, milliseconds, json.loads(answer)["id"]

    def _upload(self, path: Path) -> str:
        rng = np.random.default_rng(0)
        x, y = rng.integers(0, 256, (64, 8, 8), dtype=np.uint8), np.tile(np.arange(4), 16)
        np.savez(path, x_train=x[:48], y_train=y[:48], x_test=x[48:], y_test=y[48:])
        return self._client.datasets.wait(self._client.datasets.upload([path]).id).id

    def _has_epochs(self, job_id: str) -> bool:
        return any(trial.epochs for trial in self._client.jobs.metrics(job_id).trials)

    def _started_at(self, job_id: str) -> float:
        """Of the job's first trial, seconds since 1970, as the worker wrote it."""

        def first() -> float | None:
            trials = self._client.jobs.trials(job_id)
            return min((t.started_at.timestamp() for t in trials if t.started_at), default=None)

        return wait_for("a trial to start", first)

    def _wait_until_idle(self) -> None:
        worker = self.process("-m worker")
        tree = [worker, *worker.children(recursive=True)]

        def used() -> float:
            return float(sum(sum(process.cpu_times()[:2]) for process in tree))

        def is_idle() -> bool:
            before = used()
            time.sleep(QUIET_SECONDS)
            return used() - before < 0.1 * QUIET_SECONDS

        wait_for("an idle worker", is_idle)


def wait_for(what: str, look: Callable[[], Found | None]) -> Found:
    while time.monotonic() < DEADLINE:
        if found := look():
            return found
        time.sleep(0.01)
    raise TimeoutError(f"expected {what} within the benchmark's {LIMIT_SECONDS:g} s")


@contextmanager
def running(words: list[str], home: Path, port: int) -> Iterator[Popen[bytes]]:
    """A Python process with ktl's default settings, ended with all its children."""
    own = {n: value for n, value in os.environ.items() if not n.startswith("KTL_")}
    ktl = {"KTL_DATA_DIR": str(home), "KTL_PORT": str(port), "TF_CPP_MIN_LOG_LEVEL": "3"}
    with tempfile.TemporaryFile() as log:
        process = spawn([sys.executable, *words], log, own | ktl)
        try:
            yield process
        except Exception:
            log.seek(0)
            print(log.read().decode(errors="replace")[-4000:], file=sys.stderr)
            raise
        finally:
            children = psutil.Process(process.pid).children(recursive=True)
            stop(process, 30)
            kill_session(process)
            for child in psutil.wait_procs(children, timeout=2)[1]:
                child.kill()


def answers(port: int, path: str) -> bool:
    try:
        return httpx.get(url(port) + path, trust_env=False).is_success
    except httpx.TransportError:
        return False


def url(port: int) -> str:
    return f"http://127.0.0.1:{port}"


def resident_mb(pid: int) -> float:
    return float(psutil.Process(pid).memory_info().rss) / 1e6


def rounded(values: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 3) for name, value in values.items()}


def percentile(values: list[float] | tuple[float, ...], at: float) -> float:
    return float(np.percentile(values, at))


if __name__ == "__main__":
    main()
