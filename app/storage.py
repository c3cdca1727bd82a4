"""The artifact store: a local folder, or S3 and its like through fsspec.

Two kinds of names. `put` names content by its sha256, so that equal content is stored once and a
half-written file can never pass for a whole one. `write` names a thing that is replaced and deleted
(checkpoints, uploads). Both write a temporary file first and move it into place.

Which files are still needed only the rows know: app/usage/sweep.py deletes the others.
"""

import errno
import os
import shutil
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

import fsspec
from fsspec.implementations.local import LocalFileSystem

from app.errors import DamagedArtifact, FailureCode, WorkFailure
from app.integrity import FileIntegrity, sha256_of

UPLOADS = "uploads"  # raw files, each of one dataset alone
FOLDERS = ("sha256", UPLOADS, "checkpoints", "probe")  # all that a store holds, but for
OWNERS = "owners"  # a small file for each database whose files it holds
ASIDE_SECONDS = (0.01, 0.05, 0.2)  # looked again after each
WRITABLE_SECONDS = 60.0  # a store that was written to is taken for writable so long
FEW = 20  # sizes that are asked for one by one; more are read from the store's own list


class Storage:
    """Refs are relative paths (`sha256/ab/ab12….npy`), the same whatever the store is.

    Raises WorkFailure `disk_full`, `storage_failed`, `artifact_damaged` or `artifact_missing`;
    nothing else.
    """

    def __init__(self, url: str, cache_dir: Path) -> None:
        # Without listings kept in memory: other processes write and delete too.
        self._filesystem, self._root = fsspec.core.url_to_fs(url, use_listings_cache=False)
        self._is_local = isinstance(self._filesystem, LocalFileSystem)
        self._cache = cache_dir
        self._wholeness = FileIntegrity(cache_dir)
        self._refused: dict[str, str] = {}  # objects that were damaged when fetched, by their state
        self._sizes: dict[str, int] = {}  # of what an S3 store has told
        self._writable_until = 0.0

    @property
    def folder(self) -> Path | None:
        """The store on this machine's disks; None for one that is elsewhere."""
        return Path(self._root) if self._is_local else None

    @property
    def cache(self) -> Path:
        """A folder of this machine for what can be fetched or made again."""
        return self._cache

    def put(self, source: Path) -> str:
        """Stores the file under the hash of its content; the suffix stays for people's sake. It
        takes the place of a damaged one: on S3 always, as to look would be to fetch.

        What is there already is as new from now on: a row will name it, and no sweep may take it.
        """
        with failures(f"storing {source.name}"):
            digest = sha256_of(source)
            ref = f"sha256/{digest[:2]}/{digest}{''.join(source.suffixes[-1:])}"
            if not (self._renewed(ref) and self._is_whole(ref)):
                self._place(source, ref)
            return ref

    def _is_whole(self, ref: str) -> bool:
        """False also where a sweep has taken the file aside, to look whether it was renewed."""
        try:
            return self._wholeness.of(ref, Path(self._path(ref)))
        except FileNotFoundError:
            return False

    def write(self, ref: str, source: Path) -> str:
        with failures(f"storing {ref}"):
            self._place(source, ref)
            return ref

    def write_upload(self, source: Path) -> str:
        """Under a name of its own: whoever lets go of it may delete it at once."""
        return self.write(f"{UPLOADS}/{uuid4().hex}{''.join(source.suffixes[-1:])}", source)

    def delete_uploads(self, refs: Iterable[str]) -> None:
        """Those of another kind, which rows may share, are left to a sweep; and so is what cannot
        be deleted now."""
        for ref in refs:
            if ref.startswith(f"{UPLOADS}/"):
                with suppress(WorkFailure):
                    self.delete(ref)

    def local(self, ref: str) -> Path:
        """A path to read or to memory-map. From S3 it is fetched once into the cache. Raises
        DamagedArtifact where it is gone, or is not what its name says."""
        with failures(f"reading {ref}"):
            path = Path(self._path(ref)) if self._is_local else self._fetched(ref)
            if not _stands(path):
                raise self._gone(ref)
            if not self._wholeness.of(ref, path):
                raise DamagedArtifact(FailureCode.ARTIFACT_DAMAGED, ref)
            return path

    def verify(self, ref: str) -> None:
        """Looks the file through again, whatever was known of it. Raises as `local` does."""
        self._refused.pop(ref, None)
        self._wholeness.forget(ref, Path(self._path(ref)))
        if not self._is_local:
            (self._cache / ref).unlink(missing_ok=True)
        self.local(ref)

    def delete(self, ref: str) -> None:
        with failures(f"deleting {ref}"):
            with suppress(FileNotFoundError):
                self._filesystem.rm_file(self._path(ref))
            if not self._is_local:
                (self._cache / ref).unlink(missing_ok=True)

    def sizes(self, refs: Collection[str]) -> dict[str, int]:
        """Bytes of each file that is there."""
        with failures("measuring files"):
            if self._is_local:
                found = {}
                for ref in refs:
                    with suppress(FileNotFoundError):
                        found[ref] = os.stat(self._path(ref)).st_size
                return found
            unknown = [ref for ref in refs if ref not in self._sizes]
            if len(unknown) > FEW:
                self._sizes = self._listed()
            else:
                for ref in unknown:
                    with suppress(FileNotFoundError):
                        self._sizes[ref] = int(self._filesystem.size(self._path(ref)))
            return {ref: self._sizes[ref] for ref in refs if ref in self._sizes}

    def _listed(self) -> dict[str, int]:
        found = {}
        for folder in FOLDERS:
            for path, info in self._filesystem.find(self._path(folder), detail=True).items():
                found[path.removeprefix(f"{self._root}/")] = int(info["size"])
        return found

    def check(self) -> None:
        """Raises unless the store can be read and written to. To write at every look would cost
        more than what it finds: once a minute is enough."""
        with failures("checking the store"):
            if time.monotonic() < self._writable_until and self._is_readable():
                return
            self._writable_until = 0.0
            probe = f"probe/{uuid4().hex}"
            if self._is_local:  # on S3 this would make a bucket of a mistyped name
                Path(self._path(probe)).parent.mkdir(parents=True, exist_ok=True)
            self._filesystem.pipe_file(self._path(probe), b"ktl")
            self._filesystem.rm_file(self._path(probe))
            self._writable_until = time.monotonic() + WRITABLE_SECONDS

    def _is_readable(self) -> bool:
        """False where there is nothing to read, as in an S3 store that holds no file."""
        with suppress(FileNotFoundError):
            if self._is_local:
                os.listdir(self._root)
            else:
                self._filesystem.ls(self._root, detail=False)
            return True
        return False

    def _renewed(self, ref: str) -> bool:
        """The file is there, and as new as one that was written now."""
        if not self._is_local:  # S3 knows no such thing: writing it again is
            return False
        try:
            os.utime(self._path(ref))
        except OSError:  # it is not there, or another user's
            return False
        return True

    def _fetched(self, ref: str) -> Path:
        cached = self._cache / ref
        if cached.exists() and self._wholeness.of(ref, cached):
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
            if not self._wholeness.of(ref, cached):
                self._refused[ref] = state
        return cached

    def _gone(self, ref: str) -> WorkFailure:
        # A folder's root may be made anew by who marks the store as its own; what was in it is not.
        place = self._path(ref.partition("/")[0]) if self._is_local else self._root
        if self._filesystem.exists(place):
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
        partial = target.with_name(f"{target.name}.{uuid4().hex}.partial")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, partial)
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)


def _stands(path: Path) -> bool:
    """Looks more than once: a sweep moves an old file aside for a moment, and back where it was put
    again since."""
    for pause in ASIDE_SECONDS:
        if path.is_file():
            return True
        time.sleep(pause)
    return path.is_file()


@contextmanager
def failures(doing: str) -> Iterator[None]:
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
