"""Check of stored files against their names.

Disks rot and people edit files: a name that holds a sha256 is held against the content at the first
use, and again once the file was touched.
"""

import re
import time
from contextlib import suppress
from hashlib import file_digest
from pathlib import Path

from filelock import FileLock

SHA256 = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
MOST_REMEMBERED = 10_000  # files that were looked through
LARGE_BYTES = 2**26  # takes long enough to look through that one process a machine does
NOTED_SECONDS = 86_400.0
PATIENCE_SECONDS = 60.0

Stamp = tuple[int, int, int, int]  # what changes when anybody touches a file


class FileIntegrity:
    """Knowledge of a process of the files that it has looked through. `cache`: a folder of this
    machine, for what all its processes should know."""

    def __init__(self, cache: Path) -> None:
        self._cache = cache
        self._looked_through: dict[Path, tuple[Stamp, bool]] = {}  # and whether it was whole

    def of(self, ref: str, path: Path) -> bool:
        """Tells whether the file is what `ref` says; True for a name without a hash."""
        named = SHA256.search(ref)
        if named is None:
            return True
        stamp = _stamp(path)
        known = self._looked_through.get(path)
        if known is None or known[0] != stamp:
            if len(self._looked_through) >= MOST_REMEMBERED:
                self._looked_through.clear()
            known = self._looked_through[path] = (stamp, self._is_named(path, stamp, named.group()))
        return known[1]

    def forget(self, ref: str, path: Path) -> None:
        """The next look reads the file."""
        self._looked_through.pop(path, None)
        if named := SHA256.search(ref):
            self._note(named.group()).unlink(missing_ok=True)

    def _is_named(self, path: Path, stamp: Stamp, digest: str) -> bool:
        """Looks at a note, which of large files tells the other processes of this machine, for a
        day."""
        if stamp[0] < LARGE_BYTES:
            return sha256_of(path) == digest
        note = self._note(digest)
        with suppress(OSError):  # who holds the lock has stood still, or there is no room for notes
            note.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(f"{note}.lock", timeout=PATIENCE_SECONDS):
                if _is_noted(note, stamp):
                    return True
                if is_whole := sha256_of(path) == digest:
                    note.write_text(str(stamp))
                return is_whole
        return sha256_of(path) == digest

    def _note(self, digest: str) -> Path:
        return self._cache / "whole" / digest


def sha256_of(path: Path) -> str:
    """Hexadecimal."""
    with path.open("rb") as stream:
        return file_digest(stream, "sha256").hexdigest()


def _is_noted(note: Path, stamp: Stamp) -> bool:
    if not note.exists() or time.time() - note.stat().st_mtime > NOTED_SECONDS:
        return False
    return note.read_text() == str(stamp)


def _stamp(path: Path) -> Stamp:
    found = path.stat()
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino
