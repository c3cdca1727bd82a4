"""The data folder is its owner's alone: other users of the machine neither read nor change it.

What is made from now on is (umask); what an earlier release made is mended.
"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import fsspec
from fsspec.implementations.local import LocalFileSystem
from sqlalchemy import make_url

from app.settings import Settings
from app.storage import FOLDERS, OWNERS

OTHERS = stat.S_IRWXG | stat.S_IRWXO
SQLITE_FILES = ("", "-wal", "-shm", "-journal")


def keep_private(settings: Settings) -> list[Path]:
    """Called first in each process that ktl starts. Returns what stays open to others, because it
    belongs to another user or is a folder of everyone's."""
    os.umask(OTHERS)
    left = []
    for path in _own(settings):
        try:
            if not _is_closed(path):
                left.append(Path(path))
        except FileNotFoundError:
            continue
        except OSError:
            left.append(Path(path))
    return left


def complaint(left: list[Path]) -> str:
    more = f" and {len(left) - 1} more" if len(left) > 1 else ""
    return (
        f"expected data that other users of this machine cannot reach, got {left[0]}{more}: as its "
        "owner `chmod -R go= FOLDER`, or name a folder of your own in KTL_DATA_DIR"
    )


def _is_closed(path: str | Path) -> bool:
    """Closes it where it is not. What a link leads to is another's affair."""
    mode = os.lstat(path).st_mode
    if stat.S_ISLNK(mode) or not mode & OTHERS:
        return True
    if mode & stat.S_ISVTX and stat.S_ISDIR(mode):  # as /tmp: to close it would stop the machine
        return False
    os.chmod(path, stat.S_IMODE(mode) & ~OTHERS)
    return True


def _own(settings: Settings) -> Iterator[str | Path]:
    """All that ktl makes; not what a user keeps beside it in the same folder."""
    home = settings.home
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError:  # nothing of it is needed where database, broker and store are elsewhere
        return
    yield home.resolve()  # it may be a link
    yield from (home / name for name in ("log", "store"))
    for folder in (settings.cache_dir, settings.run_dir, home / "broker", *_store(settings)):
        yield from _all(folder)
    database = make_url(settings.database)
    if database.get_backend_name() == "sqlite" and database.database:
        yield from (Path(database.database + suffix) for suffix in SQLITE_FILES)
    if settings.first_key_file and settings.first_key_file.is_relative_to(home):
        yield settings.first_key_file


def _store(settings: Settings) -> Iterator[Path]:
    filesystem, root = fsspec.core.url_to_fs(settings.storage)
    if isinstance(filesystem, LocalFileSystem):
        yield from (Path(root, folder) for folder in (*FOLDERS, OWNERS))


def _all(top: Path) -> Iterator[str | Path]:
    yield top
    for found, folders, files in os.walk(top):
        yield from (os.path.join(found, name) for name in (*folders, *files))
