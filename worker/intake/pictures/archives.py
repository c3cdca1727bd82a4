"""Archives of files: what is in them, and each file's bytes, read by many threads at once.

Nothing is unpacked to disk under a name of the archive's; a .tar.gz is inflated as a whole, as
nothing inside of it can be found otherwise.
"""

import gzip
import os
import stat
import tarfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NoReturn
from zipfile import ZipFile, ZipInfo

from app.inputs.picture_files import FILE_LIMIT_BYTES, UnreadablePicture
from worker.intake.pictures.names import Path as Name
from worker.intake.pictures.names import encoding_of, path_of, refuse_special
from worker.intake.raw import CHUNK_BYTES, IntakeLimits, RawFile, damage_refused, refuse
from worker.intake.sizes import FREE_BYTES, RATIO, SETTING
from worker.machine.capped_file import CappedFile, TooManyMembers

DIRECTORY_BYTES = 2**25  # of a zip's members, or of one member's headers in a .tar
FILES_LIMIT = 300_000
UTF8_FLAG, ENCRYPTED_FLAG = 0x800, 0x1
GZIP_MAGIC, ZIP_MAGICS = b"\x1f\x8b", (b"PK\x03\x04", b"PK\x05\x06")
TAR_MAGIC_AT, TAR_MAGIC = 257, b"ustar"


class ArchiveEntry:
    """A file or a folder of an archive."""

    __slots__ = ("archive", "bytes", "is_folder", "key", "path")

    def __init__(
        self, path: Name, size: int, archive: "PictureArchive", key: Any, is_folder: bool = False
    ) -> None:
        self.path, self.bytes, self.archive, self.key = path, size, archive, key
        self.is_folder = is_folder

    def read(self, most: int = FILE_LIMIT_BYTES) -> bytes:
        """The first `most` bytes; where that is the default, all of them.

        Raises:
            UnreadablePicture: what holds them is damaged, or they are too many.
        """
        if most == FILE_LIMIT_BYTES < self.bytes:
            limit = FILE_LIMIT_BYTES // 2**20
            raise UnreadablePicture(f"a file of more than {limit} MiB: make it smaller")
        return self.archive.read(self, min(most, self.bytes))


class PictureArchive(ABC):
    name: str  # as the user called it
    encoding: str = ""  # of the names, where the archive does not say it

    @abstractmethod
    def entries(self) -> Iterator[ArchiveEntry]:
        """Raises WorkFailure `dataset_invalid`."""

    @abstractmethod
    def read(self, entry: ArchiveEntry, count: int) -> bytes: ...


class ZipArchive(PictureArchive):
    """Archive whose file is shared under zipfile's own lock."""

    def __init__(self, file: RawFile, held: ExitStack) -> None:
        self.name = file.name
        opened = held.enter_context(CappedFile(file.path, DIRECTORY_BYTES, FILES_LIMIT))
        try:
            self._zip = held.enter_context(ZipFile(opened))
        except TooManyMembers as found:
            _refuse_many(file.name, str(found.members))

    def entries(self) -> Iterator[ArchiveEntry]:
        members = self._zip.infolist()
        unsaid = {_dos_bytes(each) for each in members if not each.flag_bits & UTF8_FLAG}
        beyond = {name for name in unsaid if not name.isascii()}
        encoding = encoding_of(beyond)
        self.encoding = encoding if beyond else ""
        for member in members:
            name = member.filename
            if not member.flag_bits & UTF8_FLAG:
                name = _dos_bytes(member).decode(encoding)
            path = path_of(name, self.name)
            if stat.S_ISLNK(member.external_attr >> 16):
                refuse_special(path, "a link", self.name)
            if member.flag_bits & ENCRYPTED_FLAG:
                detail = f"expected no password on `{self.name}`, got encrypted files: pack it anew"
                refuse("encrypted_archive", detail, self.name)
            yield ArchiveEntry(path, member.file_size, self, member, name.endswith(("/", "\\")))

    def read(self, entry: ArchiveEntry, count: int) -> bytes:
        try:
            with self._zip.open(entry.key) as stream:
                chunks = []
                while count > 0 and (chunk := stream.read(min(count, CHUNK_BYTES))):
                    chunks.append(chunk)
                    count -= len(chunk)
                return b"".join(chunks)
        except Exception as error:  # as open as what damaged bytes raise in zlib, bz2 and lzma
            raise UnreadablePicture("a file that cannot be unpacked: it is damaged") from error


def _dos_bytes(member: ZipInfo) -> bytes:
    return member.filename.encode("cp437")


class TarArchive(PictureArchive):
    def __init__(self, file: RawFile, held: ExitStack, inflated: Path | None = None) -> None:
        self.name, self._path = file.name, inflated or file.path
        self._file = held.enter_context(self._path.open("rb"))

    def entries(self) -> Iterator[ArchiveEntry]:
        with (
            CappedFile(self._path, DIRECTORY_BYTES) as opened,
            tarfile.open(
                fileobj=opened, mode="r:", encoding="utf-8", errors="surrogateescape"
            ) as archive,
        ):
            found = list[tuple[bytes, str, int, int]]()
            for each in _members(archive):
                if len(found) == FILES_LIMIT:  # what follows is known by reading it alone
                    _refuse_many(self.name, "more")
                found.append((*self._found(each), each.offset_data))
        beyond = {name for name, *_ in found if not name.isascii()}
        encoding = encoding_of(beyond)
        self.encoding = encoding if encoding != "utf-8" else ""
        for name, kind, size, offset in found:
            path = path_of(name.decode(encoding), self.name)
            if kind not in {"file", "folder"}:
                refuse_special(path, kind, self.name)
            yield ArchiveEntry(path, size, self, offset, kind == "folder")

    @staticmethod
    def _found(member: tarfile.TarInfo) -> tuple[bytes, str, int]:
        kind = "a device or a pipe"
        if member.isdir():
            kind = "folder"
        elif member.issym() or member.islnk():
            kind = "a link"
        elif member.issparse():
            kind = "a file with holes"
        elif member.isreg():
            kind = "file"
        return member.name.encode("utf-8", "surrogateescape"), kind, member.size

    def read(self, entry: ArchiveEntry, count: int) -> bytes:
        found = os.pread(self._file.fileno(), count, entry.key)
        if len(found) < count:
            raise UnreadablePicture("a file that is cut off, as its archive is")
        return found


def _members(archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """Yields members without keeping those that were seen."""
    for member in archive:
        yield member
        archive.members = []  # type: ignore[attr-defined]  # its own, and documented nowhere


class LooseFiles(PictureArchive):
    """Files that were uploaded as they are."""

    name = "the upload"

    def __init__(self, files: Sequence[RawFile]) -> None:
        self._files = files

    def entries(self) -> Iterator[ArchiveEntry]:
        for file in self._files:
            yield ArchiveEntry(
                path_of(file.name, self.name), file.path.stat().st_size, self, file.path
            )

    def read(self, entry: ArchiveEntry, count: int) -> bytes:
        with entry.key.open("rb") as stream:
            found: bytes = stream.read(count)
            return found


def _refuse_many(archive: str, count: str) -> NoReturn:
    detail = (
        f"expected at most {FILES_LIMIT} files in `{archive}`, got {count}: upload several archives"
    )
    refuse("too_many_files", detail, archive)


def is_zip(file: RawFile) -> bool:
    with file.path.open("rb") as stream:
        return stream.read(4) in ZIP_MAGICS


def is_tar(file: RawFile) -> bool:
    """Recognises a tar archive, also a compressed one."""
    try:
        with file.path.open("rb") as stream:
            is_packed = stream.read(2) == GZIP_MAGIC
        with gzip.open(file.path) if is_packed else file.path.open("rb") as stream:
            start = stream.read(TAR_MAGIC_AT + len(TAR_MAGIC))
        return start[TAR_MAGIC_AT:] == TAR_MAGIC
    except (OSError, EOFError, ValueError, zlib.error):
        return False


@contextmanager
def opened(
    files: Sequence[RawFile], limits: IntakeLimits, workdir: Path
) -> Iterator[list[PictureArchive]]:
    """Every archive by itself, and all loose files as one."""
    with ExitStack() as held:
        archives: list[PictureArchive] = []
        loose = []
        for number, file in enumerate(files):
            with archive_damage_refused(file.name):
                if is_zip(file):
                    archives.append(ZipArchive(file, held))
                elif is_tar(file):
                    target = workdir / f"inflated-{number}.tar"
                    archives.append(TarArchive(file, held, _inflated(file, limits, target)))
                else:
                    loose.append(file)
        if loose:
            archives.append(LooseFiles(loose))
        yield archives


@contextmanager
def archive_damage_refused(name: str) -> Iterator[None]:
    with damage_refused(name):
        try:
            yield
        except tarfile.TarError as error:
            raise ValueError(str(error)) from error


def _inflated(file: RawFile, limits: IntakeLimits, target: Path) -> Path | None:
    """A .tar.gz as a .tar; None of a .tar."""
    with file.path.open("rb") as stream:
        if stream.read(2) != GZIP_MAGIC:
            return None
    packed = file.path.stat().st_size
    most, written = min(limits.bytes, max(FREE_BYTES, RATIO * packed)), 0
    with gzip.open(file.path) as stream, target.open("wb") as output:
        while chunk := stream.read(CHUNK_BYTES):
            written += len(chunk)
            if written > most:
                detail = (
                    f"expected `{file.name}` to hold at most {most} bytes once inflated, got more: "
                    f"upload fewer pictures, or raise {SETTING} where the service runs"
                )
                refuse("too_large", detail, file.name)
            output.write(chunk)
    return target
