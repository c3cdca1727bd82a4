"""Disturbances that last: the disk is full, the database is locked, the store is read-only.

A full disk is a tmpfs in the place of the data folder, and a read-only store a mount over itself or
its mode; where neither can be had, the storm is left out, and says so.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path

from tests.system.disturbances import Ground, locked

DISK_MEGABYTES = 512


class NotHere(Exception):
    """This machine cannot have the storm; the message says why."""


@contextmanager
def small_disk(folder: Path) -> Iterator[str | None]:
    """Gives the folder a file system of its own. Yields why it has none, where it has not."""
    folder.mkdir()
    try:
        _run("mount", "-t", "tmpfs", "-o", f"size={DISK_MEGABYTES}m", "ktl-chaos", str(folder))
    except NotHere as reason:
        yield str(reason)
        return
    try:
        yield None
    finally:
        _run("umount", "-l", str(folder))


@contextmanager
def disk_full(ground: Ground) -> Iterator[None]:
    """Not a byte is left, for the database, the broker and the store."""
    home = ground.store.parent
    if not os.path.ismount(home):
        raise NotHere("the data folder is on no disk of its own: mounting one was refused")
    filler = home / "filler"
    try:
        with suppress(OSError), filler.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(min(2**20, max(1, shutil.disk_usage(home).free))))
        yield
    finally:
        filler.unlink()


@contextmanager
def database_locked(ground: Ground) -> Iterator[None]:
    with locked(ground.database_url):
        yield


@contextmanager
def store_read_only(ground: Ground) -> Iterator[None]:
    """Root writes where no mode allows it, so for root it is a mount."""
    with ExitStack() as undo:
        if os.geteuid():
            for folder in [ground.store, *(p for p in ground.store.rglob("*") if p.is_dir())]:
                undo.callback(folder.chmod, folder.stat().st_mode & 0o777)
                folder.chmod(0o500)
        else:
            store = str(ground.store)
            _run("mount", "--bind", store, store)
            undo.callback(_run, "umount", "-l", store)
            _until(lambda: _run("mount", "-o", "remount,ro,bind", store))
        yield


STORMS: dict[str, Callable[[Ground], AbstractContextManager[None]]] = {
    "disk full": disk_full,
    "database locked": database_locked,
    "store read-only": store_read_only,
}


def _until(done: Callable[[], None], seconds: float = 5.0) -> None:
    """A mount is busy while a file on it is being written."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return done()
        except NotHere:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def _run(*command: str) -> None:
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise NotHere(f"{command[0]} is not installed") from error
    if done.returncode:
        raise NotHere(f"{' '.join(command[:2])}: {done.stderr.strip()}")
