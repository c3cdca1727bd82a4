"""The artifact store: a local folder, or S3 and its like through fsspec.

Two kinds of names. `put` names content by its sha256, so that equal content is stored once and a
half-written file can never pass for a whole one. `write` names a thing that is replaced and deleted
(checkpoints). Both write a temporary file first and move it into place.
"""

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import file_digest
from pathlib import Path
from uuid import uuid4

import fsspec
from fsspec.implementations.local import LocalFileSystem

from app.errors import FailureCode, WorkFailure


class Storage:
    """Refs are relative paths (`sha256/ab/ab12….npy`), the same whatever the store is.

    Raises WorkFailure `disk_full` or `storage_failed`; nothing else.
    """

    def __init__(self, url: str, cache_dir: Path) -> None:
        self._filesystem, self._root = fsspec.core.url_to_fs(url)
        self._is_local = isinstance(self._filesystem, LocalFileSystem)
        self._cache = cache_dir

    def put(self, source: Path) -> str:
        """Stores the file under the hash of its content; the suffix stays for people's sake."""
        with _failures(f"storing {source.name}"):
            with source.open("rb") as stream:
                digest = file_digest(stream, "sha256").hexdigest()
            ref = f"sha256/{digest[:2]}/{digest}{''.join(source.suffixes[-1:])}"
            if not self._filesystem.exists(self._path(ref)):
                self._place(source, ref)
            return ref

    def write(self, ref: str, source: Path) -> str:
        with _failures(f"storing {ref}"):
            self._place(source, ref)
            return ref

    def local(self, ref: str) -> Path:
        """A path to read or to memory-map. From S3 it is fetched once into the cache."""
        with _failures(f"reading {ref}"):
            if self._is_local:
                path = Path(self._path(ref))
                if not path.exists():
                    raise FileNotFoundError(errno.ENOENT, "no such artifact", ref)
                return path
            cached = self._cache / ref
            if not cached.exists():
                cached.parent.mkdir(parents=True, exist_ok=True)
                partial = cached.with_name(f"{cached.name}.{uuid4().hex}.partial")
                try:
                    self._filesystem.get_file(self._path(ref), str(partial))
                    partial.replace(cached)
                finally:
                    partial.unlink(missing_ok=True)
            return cached

    def delete(self, ref: str) -> None:
        with _failures(f"deleting {ref}"):
            if self._filesystem.exists(self._path(ref)):
                self._filesystem.rm_file(self._path(ref))
            if not self._is_local:
                (self._cache / ref).unlink(missing_ok=True)

    def check(self) -> None:
        """Raises unless the store can be written to."""
        with _failures("checking the store"):
            path = self._path(f"probe/{uuid4().hex}")
            if self._is_local:  # on S3 this would make a bucket of a mistyped name
                Path(path).parent.mkdir(parents=True, exist_ok=True)
            self._filesystem.pipe_file(path, b"ktl")
            self._filesystem.rm_file(path)

    def _path(self, ref: str) -> str:
        return f"{self._root}/{ref}"

    def _place(self, source: Path, ref: str) -> None:
        path = self._path(ref)
        if not self._is_local:
            self._filesystem.put_file(str(source), path)  # an S3 object appears whole or not at all
            return
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f"{target.name}.{uuid4().hex}.partial")
        try:
            shutil.copyfile(source, partial)
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)


@contextmanager
def _failures(doing: str) -> Iterator[None]:
    try:
        yield
    except WorkFailure:
        raise
    except OSError as error:
        full = error.errno in {errno.ENOSPC, errno.EDQUOT}
        code = FailureCode.DISK_FULL if full else FailureCode.STORAGE_FAILED
        raise WorkFailure(code, f"{doing}: {error.strerror or error}") from error
    except Exception as error:  # what an S3 client raises is its own affair
        raise WorkFailure(
            FailureCode.STORAGE_FAILED, f"{doing}: {type(error).__name__}: {error}"
        ) from error
