"""A worker's end of the line to its lookout: see lookout.py for what the two say."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import structlog

from app.child_process import kill_session, spawn
from app.messages import MESSAGES, Message

log = structlog.get_logger(__name__)

SILENT_SECONDS = 30.0
READ_BYTES = 65536
KINDS = {kind.task: kind for kind in MESSAGES}


class LookoutLink:
    """Starts the process, hears it within the event loop, and replaces it when it has died or
    fallen silent. No call waits for it."""

    def __init__(self, hub: Any, hear: Callable[[list[Message]], None]) -> None:
        self._hub, self._hear = hub, hear
        self._process: subprocess.Popen[bytes] | None = None
        self._heard, self._rest, self._told = 0.0, b"", ""

    def check(self) -> None:
        """Call it every second, which is also the pause between two starts."""
        if self._process is None:
            self._start()
        elif self._process.poll() is not None:
            log.warning("lookout_died", code=self._process.returncode)
            self.close()
        elif time.monotonic() - self._heard > SILENT_SECONDS:
            log.warning("lookout_silent", seconds=SILENT_SECONDS)
            self.close()

    def tell(self, line: str) -> None:
        """Tells the lookout a line. What cannot be told is lost: the lookout is dead, or does not
        listen and soon will be."""
        if self._process and self._process.stdin:
            try:
                os.write(self._process.stdin.fileno(), line.encode() + b"\n")
            except OSError as error:
                log.warning("lookout_not_told", line=line, error=str(error))

    def tell_once(self, line: str) -> None:
        """Tells it unless it was told last."""
        if self._process and line != self._told:
            self._told = line
            self.tell(line)

    def close(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        kill_session(process)
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe:
                self._hub.remove(pipe.fileno())
                pipe.close()

    def _start(self) -> None:
        try:
            process = spawn([sys.executable, "-m", "worker.process.lookout"], talks=True)
        except OSError as error:  # the machine is out of something
            log.warning("lookout_not_started", error=str(error))
            return
        self._process, self._heard = process, time.monotonic()
        self._rest, self._told = b"", ""
        if process.stdin and process.stdout:
            for pipe in (process.stdin, process.stdout):
                os.set_blocking(pipe.fileno(), False)
            self._hub.add_reader(process.stdout.fileno(), self._read, process.stdout.fileno())

    def _read(self, pipe: int) -> None:
        try:
            got = os.read(pipe, READ_BYTES)
        except BlockingIOError:
            return
        if not got:  # it has ended, which `check` sees
            self._hub.remove(pipe)
            return
        self._heard = time.monotonic()
        *lines, self._rest = (self._rest + got).split(b"\n")
        if lines:
            self._hear([KINDS[task](**fields) for task, fields in json.loads(lines[-1])])
