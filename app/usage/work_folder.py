"""Temporary folders that say whether their maker still lives: one that was killed leaves them.

A maker holds a lock on a file inside; the system lets go of it when the process ends, however.
"""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from filelock import FileLock, Timeout

LOCK = ".in-use"
# Below the cache folder; none is named as a folder of the store is, whose copies stand there too.
KINDS = ("incoming", "intake", "scratch")
OF_EARLIER_RELEASES = "uploads/tmp*"
NEW_SECONDS = 60.0  # a folder this young may have yet to be locked


@contextmanager
def work_folder(cache: Path, kind: str) -> Iterator[Path]:
    """An empty folder, gone at the end of the block."""
    parent = cache / kind
    parent.mkdir(parents=True, exist_ok=True)
    with (
        TemporaryDirectory(dir=parent, ignore_cleanup_errors=True) as name,
        FileLock(Path(name, LOCK), thread_local=False),
    ):
        yield Path(name)


def abandoned(cache: Path) -> Iterator[Path]:
    """Folders whose maker is dead."""
    for pattern in (*(f"{kind}/*" for kind in KINDS), OF_EARLIER_RELEASES):
        yield from (folder for folder in cache.glob(pattern) if _is_abandoned(folder))


def remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


def _is_abandoned(folder: Path) -> bool:
    try:
        if time.time() - folder.stat().st_mtime < NEW_SECONDS:
            return False
        if (folder / LOCK).exists():
            with FileLock(folder / LOCK, timeout=0):
                pass
    except (Timeout, OSError):  # in use, or gone by now
        return False
    return True
