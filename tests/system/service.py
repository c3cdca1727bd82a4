"""The whole service as a user starts it: `ktl up` in a process of its own."""

import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil

from app.cli.supervisor import free_port
from app.client import Client


class Service:
    def __init__(
        self, process: subprocess.Popen[bytes], client: Client, log: Path, url: str
    ) -> None:
        self.process, self.client, self.log, self.url = process, client, log, url

    def children(self, word: str) -> list[psutil.Process]:
        """Processes below the service whose command line holds the word."""
        found = []
        for child in psutil.Process(self.process.pid).children(recursive=True):
            try:
                if word in " ".join(child.cmdline()):
                    found.append(child)
            except psutil.Error:  # it has just ended
                continue
        return found

    def worker(self) -> psutil.Process | None:
        """The worker's parent process."""
        workers = self.children("-m worker")
        pids = {process.pid for process in workers}
        return next((p for p in workers if p.ppid() not in pids), None)

    def worker_children(self) -> list[psutil.Process]:
        """The processes that train, take in and finalise."""
        worker = self.worker()
        lookouts = self.children("worker.process.lookout")
        return [child for child in worker.children() if child not in lookouts] if worker else []


@contextmanager
def running(folder: Path, ready: str = "/readyz", **environment: str) -> Iterator[Service]:
    """Ready when the block begins, says that route; ended, and its children with it, after it."""
    port = free_port()
    log = folder / "service.log"
    variables = {
        **os.environ,
        "KTL_DATA_DIR": str(folder / "data"),
        "KTL_PORT": str(port),
        "TF_CPP_MIN_LOG_LEVEL": "3",
        **environment,
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "app.cli.main", "up"],
            env=variables,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        url = f"http://127.0.0.1:{port}"
        try:
            wait_for(lambda: _is_ready(f"{url}{ready}"), 60, "the service is not ready")
            with Client(url) as client:
                yield Service(process, client, log, url)
        except BaseException:  # a test that is ended for its time as well
            print(log.read_text()[-8000:])
            raise
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(70)
        finally:
            process.kill()


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False, verify=False).is_success
    except httpx.TransportError:
        return False


def wait_for(condition: Callable[[], Any], seconds: float, otherwise: str) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.05)
    raise AssertionError(otherwise)


def images(classes: int, per_class: int, seed: int, side: int = 8) -> bytes:
    """An .npz of noisy patterns, one a class, as a user would upload it."""
    patterns = np.random.default_rng(7).integers(0, 200, (classes, side, side))
    rng = np.random.default_rng(seed)
    y = np.tile(np.arange(classes), per_class)
    x = np.clip(patterns[y] + rng.normal(0, 60, (len(y), side, side)), 0, 255).astype(np.uint8)
    cut = len(y) * 3 // 4
    file = io.BytesIO()
    np.savez(file, x_train=x[:cut], y_train=y[:cut], x_test=x[cut:], y_test=y[cut:])
    return file.getvalue()


def job_spec(source: str, target: str, /, **changes: Any) -> dict[str, Any]:
    return {
        "sources": [{"dataset": source}],
        "target": {"dataset": target},
        "model": {"backbone": "mlp", "params": {"hidden": [32]}},
        "strategies": ["fine_tune"],
        "training": {"epochs": 5, "batch_size": 16, "min_steps": 0, "augmentation": None},
        "evaluation": {"seeds": 2},
        **changes,
    }
