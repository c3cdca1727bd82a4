"""A watch on whether a worker's event loop turns: seen from inside by a thread, from outside by a
file's age.

A process whose loop stands still lives, and never works again. It ends itself, and whoever
supervises it starts another; its children die with it, and their leases are recovered.
"""

import os
import socket
import time
from contextlib import suppress
from threading import Event, Thread

import structlog

from app.settings import Settings

log = structlog.get_logger(__name__)

LOOKS = 30  # without a turn in between, before the process ends itself
LOOK_SECONDS = 1.0
OLD_SECONDS = 60.0
EXIT_CODE = 70  # EX_SOFTWARE


class Watchdog:
    """`turned()` at every turn of the loop. It counts its own looks and not seconds: a process that
    was stopped and goes on has missed none."""

    def __init__(self, look_seconds: float = LOOK_SECONDS) -> None:
        self._look_seconds, self._turned = look_seconds, False
        self._done = Event()

    def start(self) -> None:
        Thread(target=self._watch, name="watchdog", daemon=True).start()

    def stop(self) -> None:
        self._done.set()

    def turned(self) -> None:
        self._turned = True

    def _watch(self) -> None:
        looks = 0
        while not self._done.wait(self._look_seconds):
            looks = 0 if self._turned else looks + 1
            self._turned = False
            if looks >= LOOKS:
                try:
                    seconds = LOOKS * self._look_seconds
                    log.error("event_loop_stands_still", seconds=seconds, consequence="it ends")
                finally:  # there may be no room for a line either
                    os._exit(EXIT_CODE)


class LivenessFile:
    """A file that is touched while the worker can work. Its name holds the machine's, because
    workers of several machines may share a data folder."""

    def __init__(self, settings: Settings) -> None:
        self._path = settings.run_dir / f"worker-{socket.gethostname()}.alive"

    def give(self) -> None:
        with suppress(OSError):  # a full disk, say: the file grows old, and that is told
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._path.touch(mode=0o600)

    def withdraw(self) -> None:
        with suppress(OSError):
            self._path.unlink(missing_ok=True)

    def complaint(self) -> str | None:
        """Returns what is wrong with this machine's worker; None when it is well."""
        try:
            age = time.time() - self._path.stat().st_mtime
        except FileNotFoundError:
            return f"expected {self._path}, which a running worker touches; it is not there"
        if age > OLD_SECONDS:
            return f"expected a sign of life within {OLD_SECONDS:g} s, the last is {age:.0f} s old"
        return None
