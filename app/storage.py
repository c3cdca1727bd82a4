"""The artifact store: a local folder, or S3 and its like through fsspec.

Two kinds of names. `put` names content by its sha256, so that equal content is stored once and a
half-written file can never pass for a whole one. `write` names a thing that is replaced and deleted
(checkpoints). Both write a temporary file first and move it into place.

Disks rot and people edit files: a name that holds a sha256 is held against the content at the first
use, and again once the file was touched.
"""

import errno
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import file_digest
from pathlib import Path
from uuid import uuid4

import fsspec
from filelock import FileLock
from fsspec.implementations.local import LocalFileSystem

from app.errors import DamagedArtifact, FailureCode, WorkFailure

SHA256 = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
MOST_REMEMBERED = 10_000  # files that were looked through
LARGE_BYTES = 2**26  # takes long enough to look through that one process a machine does
NOTED_SECONDS = 86_400.0
PATIENCE_SECONDS = 60.0

Stamp = tuple[int, int, int, int]  # what changes when anybody touches a file


class Storage:
    """Refs are relative paths (`sha256/ab/ab12….npy`), the same whatever the store is.

    Raises WorkFailure `disk_full`, `storage_failed`, `artifact_damaged` or `artifact_missing`;
    nothing else.
    """

    def __init__(self, url: str, cache_dir: Path) -> None:
        self._filesystem, self._root = fsspec.core.url_to_fs(url)
        self._is_local = isinstance(self._filesystem, LocalFileSystem)
        self._cache = cache_dir
        self._looked_through: dict[Path, tuple[Stamp, bool]] = {}  # and whether it was whole
        self._refused: dict[str, str] = {}  # objects that were damaged when fetched, by their state

    def put(self, source: Path) -> str:
        """Stores the file under the hash of its content; the suffix stays for people's sake. It
        takes the place of a damaged one: on S3 always, as to look would be to fetch."""
        with _failures(f"storing {source.name}"):
            digest = sha256_of(source)
            ref = f"sha256/{digest[:2]}/{digest}{''.join(source.suffixes[-1:])}"
            path = Path(self._path(ref))
            if not (self._is_local and path.is_file() and self._is_whole(ref, path)):
                self._place(source, ref)
            return ref

    def write(self, ref: str, source: Path) -> str:
        with _failures(f"storing {ref}"):
            self._place(source, ref)
            return ref

    def local(self, ref: str) -> Path:
        """A path to read or to memory-map. From S3 it is fetched once into the cache. Raises
        DamagedArtifact where it is gone, or is not what its name says."""
        with _failures(f"reading {ref}"):
            path = Path(self._path(ref)) if self._is_local else self._fetched(ref)
            if not path.is_file():
                raise self._gone(ref)
            if not self._is_whole(ref, path):
                raise DamagedArtifact(FailureCode.ARTIFACT_DAMAGED, ref)
            return path

    def verify(self, ref: str) -> None:
        """Looks the file through again, whatever was known of it. Raises as `local` does."""
        self._refused.pop(ref, None)
        self._looked_through.pop(Path(self._path(ref)), None)
        if named := SHA256.search(ref):
            self._note(named.group()).unlink(missing_ok=True)
        if not self._is_local:
            (self._cache / ref).unlink(missing_ok=True)
        self.local(ref)

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

    def _fetched(self, ref: str) -> Path:
        cached = self._cache / ref
        if cached.exists() and self._is_whole(ref, cached):
            return cached
        self._filesystem.invalidate_cache()  # of what others have stored since
        try:
            state = str(self._filesystem.info(self._path(ref)))
        except FileNotFoundError:
            raise self._gone(ref) from None
        if self._refused.get(ref) != state:
            cached.parent.mkdir(parents=True, exist_ok=True)
            partial = cached.with_name(f"{cached.name}.{uuid4().hex}.partial")
            try:
                self._filesystem.get_file(self._path(ref), str(partial))
                partial.replace(cached)
            finally:
                partial.unlink(missing_ok=True)
            if not self._is_whole(ref, cached):
                self._refused[ref] = state
        return cached

    def _is_whole(self, ref: str, path: Path) -> bool:
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

    def _is_named(self, path: Path, stamp: Stamp, digest: str) -> bool:
        """Of large files a note tells the other processes of this machine, for a day."""
        if stamp[0] < LARGE_BYTES:
            return sha256_of(path) == digest
        note = self._note(digest)
        with suppress(OSError):  # who holds the lock has stood still, or there is no room for notes
            note.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(f"{note}.lock", timeout=PATIENCE_SECONDS):
                if self._is_noted(note, stamp):
                    return True
                if is_whole := sha256_of(path) == digest:
                    note.write_text(str(stamp))
                return is_whole
        return sha256_of(path) == digest

    def _note(self, digest: str) -> Path:
        return self._cache / "whole" / digest

    def _is_noted(self, note: Path, stamp: Stamp) -> bool:
        if not note.exists() or time.time() - note.stat().st_mtime > NOTED_SECONDS:
            return False
        return note.read_text() == str(stamp)

    def _gone(self, ref: str) -> WorkFailure:
        if self._filesystem.exists(self._root):
            return DamagedArtifact(FailureCode.ARTIFACT_MISSING, ref)
        return WorkFailure(FailureCode.STORAGE_FAILED, f"reading {ref}: the whole store is away")

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


def sha256_of(path: Path) -> str:
    """Hexadecimal."""
    with path.open("rb") as stream:
        return file_digest(stream, "sha256").hexdigest()


def _stamp(path: Path) -> Stamp:
    found = path.stat()
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino


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
