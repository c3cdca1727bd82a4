"""The artifact store as a sweep sees it: all files there are, and the store's own clock."""

import os
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from app.storage import FOLDERS, Storage, failures


@dataclass(frozen=True)
class Stored:
    ref: str
    bytes: int


class Inventory(Storage):
    """Times are the store's, in seconds since 1970. Raises WorkFailure, as Storage does."""

    def files(self) -> Iterator[Stored]:
        """All files of the store; of what is written or deleted meanwhile, some."""
        with failures("listing the store"):
            if self._is_local:
                yield from _files(Path(self._root))
            else:
                yield from (Stored(ref, size) for ref, size in self._listed().items())

    def discard(self, ref: str, before: float) -> bool:
        """Deletes the file if it is older than `before`; says whether it did.

        On a folder it is moved aside first, so that whoever puts it at this moment either makes it
        new, which is seen, or finds it gone and writes it.
        """
        with failures(f"deleting {ref}"), suppress(FileNotFoundError):
            if not self.is_older(ref, before):
                return False
            if not self._is_local:
                self.delete(ref)
                return True
            path = Path(self._path(ref))
            aside = path.with_name(f"{path.name}.{uuid4().hex}.partial")
            path.rename(aside)
            if aside.stat().st_mtime >= before:
                aside.rename(path)
                return False
            aside.unlink()
            return True
        return False

    def is_older(self, ref: str, before: float) -> bool:
        written = self.written(ref)
        return written is not None and written < before

    def discard_empty_folders(self, before: float) -> None:
        """Discards the folders of trials whose checkpoints are gone, where nothing was written
        since `before`."""
        if self._is_local:
            for folder in Path(self._path("checkpoints")).glob("*"):
                with suppress(OSError):  # it is not empty
                    if folder.stat().st_mtime < before:
                        folder.rmdir()

    def copies(self, besides: Collection[str], before: float) -> list[Stored]:
        """Local copies of files of S3, made before `before`; those `besides` are left out."""
        found = []
        for copy in _files(self._cache):
            with suppress(FileNotFoundError):  # another process may sweep too
                made = (self._cache / copy.ref).stat().st_mtime
                found += [copy] if copy.ref not in besides and made < before else []
        return found

    def discard_copy(self, ref: str) -> None:
        (self._cache / ref).unlink(missing_ok=True)

    def mark(self, ref: str) -> float:
        """Writes a small file and returns when that was."""
        with failures(f"marking {ref}"):
            path = self._path(ref)
            if self._is_local:
                Path(path).parent.mkdir(parents=True, exist_ok=True)
            self._filesystem.pipe_file(path, b"ktl")
            return float(self._filesystem.modified(path).timestamp())

    def written(self, ref: str) -> float | None:
        """Time when the file was written or put last; None where there is none."""
        with failures(f"reading {ref}"), suppress(FileNotFoundError):
            return float(self._filesystem.modified(self._path(ref)).timestamp())
        return None

    def names(self, folder: str) -> set[str]:
        with failures(f"listing {folder}"):
            found = self._filesystem.find(self._path(folder))
            return {path.rpartition("/")[2] for path in found}


def _files(root: Path) -> Iterator[Stored]:
    for folder in FOLDERS:
        for found, _, names in os.walk(root / folder):
            for name in names:
                path = os.path.join(found, name)
                with suppress(FileNotFoundError):
                    yield Stored(os.path.relpath(path, root), os.lstat(path).st_size)
