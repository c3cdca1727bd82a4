"""Seconds that XLA may compile one program, in a process whose supervisor starts another.

A compiler cannot be interrupted from within its process. So one that takes too long is ended with
it, by SIGKILL; a file remembers the program, and whoever takes the trial next trains it by the
plain loop.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from threading import Timer

import structlog

log = structlog.get_logger(__name__)

_folder: list[Path] = []  # of the process; none: compiling has no end
_seconds: list[float] = []


def bound_compiling(folder: Path, seconds: float) -> None:
    """Bounds each compilation of this process. `folder` is of this machine and its TensorFlow."""
    folder.mkdir(parents=True, exist_ok=True)
    _folder[:], _seconds[:] = [folder], [seconds]


def overran(program: str) -> str | None:
    """Says why the program is not compiled again; None where nothing speaks against it."""
    if not _folder or not _marker(program).exists():
        return None
    return f"compiling took longer than {_marker(program).read_text()} s"


@contextmanager
def compiling(program: str) -> Iterator[None]:
    """Ends the process where the block takes too long."""
    if not _folder:
        yield
        return
    timer = Timer(_seconds[0], _give_up, [program])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _give_up(program: str) -> None:
    _marker(program).write_text(f"{_seconds[0]:g}")
    log.error("compiling_took_too_long", seconds=_seconds[0], consequence="the process ends")
    os.kill(os.getpid(), signal.SIGKILL)


def _marker(program: str) -> Path:
    return _folder[0] / f"{sha256(program.encode()).hexdigest()[:32]}.too-long"
