"""Children that do not outlive their parent, however it ends."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import IO

_PR_SET_PDEATHSIG = 1
# Loaded before any fork: a forked child must not load libraries.
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def spawn(
    command: Sequence[str],
    log: IO[bytes] | None = None,
    environment: Mapping[str, str] | None = None,
    talks: bool = False,
) -> subprocess.Popen[bytes]:
    """Starts the command in its own session, so that a terminal's Ctrl-C does not reach it.
    Its lines go to `log`, or where this process's own go. One that `talks` has pipes to this
    process as stdin and stdout.

    On Linux it gets SIGTERM when the thread that called `spawn` ends: call it from the main thread.
    """
    parent = os.getpid()

    def die_with_parent() -> None:
        if _libc is None:
            return
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it died before the line above
            os._exit(1)

    return subprocess.Popen(  # noqa: S603  commands are ours
        command,
        stdin=subprocess.PIPE if talks else subprocess.DEVNULL,
        stdout=subprocess.PIPE if talks else log,
        stderr=log,
        env=environment,
        start_new_session=True,
        umask=0o077,  # what it writes is its owner's alone
        preexec_fn=die_with_parent,  # noqa: PLW1509  one system call; nothing that can lock
    )


def stop(process: subprocess.Popen[bytes], seconds: float) -> None:
    """SIGTERM, then SIGKILL to its whole session if it is still there after so many seconds."""
    process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        kill_session(process)
        process.wait()


def kill_session(process: subprocess.Popen[bytes]) -> None:
    """Kills a process and what the process itself started and left behind."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
