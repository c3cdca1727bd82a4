"""All of ktl on one machine: the broker, the API and a worker as children of this process."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from types import FrameType
from typing import IO

import httpx

from app import broker
from app.child_process import kill_session, spawn, stop
from app.cli.preconditions import bring_schema, close_data_folder, require_key, require_port
from app.settings import Settings

Say = Callable[[str], None]

POLL_SECONDS = 0.2
BACK_OFF_SECONDS = (0.5, 1.0, 2.0, 5.0, 10.0)
STABLE_SECONDS = 30.0  # a child that lived so long starts again without a back-off
ELSEWHERE_SECONDS = 2.0  # between looks at a broker that another process keeps


class Child:
    """One process that is started again when it dies."""

    def __init__(
        self,
        name: str,
        start: Callable[[], subprocess.Popen[bytes] | None],
        patience_seconds: float,
    ) -> None:
        self.name, self._start, self._patience = name, start, patience_seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._started = self._due = 0.0
        self._deaths = 0

    def start(self) -> None:
        self._started = time.monotonic()
        self._process = self._start()
        self._due = self._started + ELSEWHERE_SECONDS

    def watch(self, say: Say) -> None:
        """Starts it again when its time has come; the caller calls this often."""
        now = time.monotonic()
        if self._process is not None:
            if self._process.poll() is None:
                return
            self._deaths = 0 if now - self._started > STABLE_SECONDS else self._deaths
            wait = BACK_OFF_SECONDS[min(self._deaths, len(BACK_OFF_SECONDS) - 1)]
            self._deaths += 1
            say(f"{self.ending()}; starting it again in {wait:g} s")
            kill_session(self._process)
            self._process, self._due = None, now + wait
        elif now >= self._due:
            self.start()

    def ending(self) -> str | None:
        """Says in words how it has ended; None while it runs."""
        code = self._process.poll() if self._process else None
        if code is None:
            return None
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with {code}"
        return f"the {self.name} {how}"

    def stop(self) -> None:
        if self._process is None:
            return
        stop(self._process, self._patience)
        kill_session(self._process)
        self._process = None

    def kill(self) -> None:
        if self._process is not None:
            kill_session(self._process)


class Supervisor:
    """`start()`, then `watch()` until it is told to end, then `stop()`; from the main thread.

    `log` and `environment` are the children's; without them they have this process's own.
    """

    def __init__(
        self,
        settings: Settings,
        say: Say,
        log: IO[bytes] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._settings, self._say = settings, say
        self.stopping = False

        def command(*words: str) -> Callable[[], subprocess.Popen[bytes]]:
            return lambda: spawn([sys.executable, "-m", *words], log, environment)

        self._broker = Child("broker", lambda: broker.ensure(settings), patience_seconds=10)
        self._api = Child("api", command("app.cli.main", "api"), patience_seconds=10)
        self._worker = Child("worker", command("worker"), patience_seconds=60)

    def start(self) -> None:
        """Raises CannotStart, and BrokerFailed."""
        close_data_folder(self._settings)
        require_port(self._settings)
        bring_schema(self._settings)
        require_key(self._settings)
        self._broker.start()
        self._api.start()
        self._worker.start()

    def watch(self) -> None:
        """One look at each child."""
        for child in (self._broker, self._api, self._worker):
            if not self.stopping:
                try:
                    child.watch(self._say)
                except broker.BrokerFailed as error:
                    self._say(str(error))

    def casualty(self) -> str | None:
        """Says how a child ended, if one did, for those who do not `watch`."""
        children = (self._broker, self._api, self._worker)
        return next((ending for child in children if (ending := child.ending())), None)

    def is_ready(self) -> bool:
        """Tells whether the API and all that it stands on answer; the API alone where `/readyz`
        asks for a key, which the supervisor has not."""
        path = "/readyz" if self._settings.monitoring_is_open else "/healthz"
        host = "127.0.0.1" if self._settings.host == "0.0.0.0" else self._settings.host  # noqa: S104  asked
        try:
            url = httpx.URL(scheme="http", host=host, port=self._settings.port, path=path)
            # Plain HTTP: to read the certificates would take longer than the rest, many times over.
            return httpx.get(url, timeout=2, trust_env=False, verify=False).is_success  # noqa: S501  http
        except httpx.TransportError:
            return False

    def wait_until_ready(self, seconds: float) -> bool:
        """Watches meanwhile. False when the time is over or the end was asked for."""
        deadline = time.monotonic() + seconds
        while not self.stopping and time.monotonic() < deadline:
            if self.is_ready():
                return True
            self.watch()
            time.sleep(POLL_SECONDS / 4)
        return False

    def stop(self) -> None:
        """The API first: nothing new comes in. The broker last, after the worker's drain."""
        self.stopping = True
        for child in (self._api, self._worker, self._broker):
            child.stop()

    def kill(self) -> None:
        for child in (self._api, self._worker, self._broker):
            child.kill()


def serve(settings: Settings, say: Say) -> None:
    """Runs until SIGINT or SIGTERM; a second one ends the children at once."""
    supervisor = Supervisor(settings, say)
    on_signal(supervisor, say)
    try:
        supervisor.start()
        if supervisor.wait_until_ready(60):
            say(f"ktl is ready at {settings.base_url} (documentation at {settings.base_url}/docs)")
        while not supervisor.stopping:
            supervisor.watch()
            time.sleep(POLL_SECONDS)
    finally:
        supervisor.stop()
        say("stopped")


def on_signal(supervisor: Supervisor, say: Say) -> None:
    def handle(number: int, _: FrameType | None) -> None:
        if supervisor.stopping:
            supervisor.kill()
            return
        supervisor.stopping = True
        say("stopping: trials under way make a checkpoint first; again to end at once")

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, handle)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
