"""The body of POST /v1/datasets: JSON, or multipart that goes to disk as it comes."""

import errno
import re
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, BinaryIO, TypeVar
from urllib.parse import quote

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ValidationError
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from app.datasets.schemas import DatasetFrom, DatasetSpec
from app.dependencies import DatabaseOf, SettingsOf, StorageOf, Writer
from app.errors import (
    BadRequest,
    Finding,
    Invalid,
    TooLarge,
    Unavailable,
    UnsupportedMedia,
    invalid,
)
from app.findings import invalid_from
from app.idempotency import IdempotencyKey, is_answered
from app.json_text import decode
from app.settings import Settings
from app.storage import failures
from app.usage import quotas
from app.usage.quotas import UploadAllowance
from app.usage.work_folder import work_folder

FILES_LIMIT = 1000  # loose pictures are many; more of them come in an archive
JSON_LIMIT_BYTES = 64 * 2**10
LOOK_BYTES = 16 * 2**20  # of an upload, between two looks at the disk
Spec = TypeVar("Spec", bound=BaseModel)
SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,8}$")


@dataclass(frozen=True)
class ReceivedFile:
    name: str  # the client's, without folders
    path: Path
    bytes: int


@dataclass(frozen=True)
class Parts:
    """A body as it came: the part `spec`, and files."""

    written: bytes
    files: tuple[ReceivedFile, ...]

    def spec(self, kind: type[Spec]) -> Spec:
        """Raises Invalid."""
        body = decode(self.written, "the part `spec`", "#/spec")
        try:
            return kind.model_validate(body)
        except ValidationError as error:
            raise invalid_from(error, body, "#/spec") from error


@dataclass(frozen=True)
class Upload:
    spec: DatasetSpec
    files: tuple[ReceivedFile, ...]


async def _received(
    request: Request,
    settings: SettingsOf,
    database: DatabaseOf,
    storage: StorageOf,
    caller: Writer,
    key: IdempotencyKey,
) -> AsyncIterator[DatasetFrom | Upload]:
    """The caller is known before the body is read, and whether it fits. The files are gone after
    the answer."""

    def room_of_project() -> UploadAllowance:
        with database.read() as session:
            again = is_answered(session, caller, key)
            return quotas.room(session, storage, settings, caller.project, is_repeated=again)

    content_type = request.headers.get("content-type", "")
    kind, options = parse_options_header(content_type)
    if kind == b"application/json":
        body = decode(await small_body(request))
        try:
            yield DatasetFrom.model_validate(body)
        except ValidationError as error:
            raise invalid_from(error, body) from error
    elif kind == b"multipart/form-data":
        room = await run_in_threadpool(room_of_project)
        async with parts_of(request, settings, room, options.get(b"boundary", b"")) as parts:
            yield Upload(parts.spec(DatasetSpec), parts.files)
    else:
        detail = "expected Content-Type: application/json or multipart/form-data"
        raise UnsupportedMedia(
            "unsupported_media_type", f"{detail}, got {content_type[:80] or 'none'}"
        )


Received = Annotated[DatasetFrom | Upload, Depends(_received)]


@asynccontextmanager
async def parts_of(
    request: Request,
    settings: Settings,
    room: UploadAllowance,
    boundary: bytes,
    most_files: int = FILES_LIMIT,
) -> AsyncIterator["Parts"]:
    """The parts of a multipart body, whose files are gone after the block."""
    with ExitStack() as held:
        with failures("keeping the upload"):
            folder = held.enter_context(work_folder(settings.cache_dir, "incoming"))
        reader = _PartReader(folder, most_files)
        try:
            await reader.read(boundary, _fitting(request, room))
            yield reader.parts()
        finally:
            reader.close()


async def small_body(request: Request) -> bytes:
    """A body of JSON. Raises TooLarge."""
    return b"".join([chunk async for chunk in _within(request, _small)])


async def _within(request: Request, check: Callable[[int], None]) -> AsyncIterator[bytes]:
    """The body's chunks. `check` raises where a size is too large; it is asked of Content-Length
    before the body is read, and of what has come, as that may be absent or wrong."""
    check(_declared(request))
    total = 0
    async for chunk in request.stream():
        total += len(chunk)
        check(total)
        yield chunk


async def _fitting(request: Request, room: UploadAllowance) -> AsyncIterator[bytes]:
    """The body's chunks, while the project's quota and the disk have room for them."""
    await run_in_threadpool(room.check_disk, quotas.COPIES * _declared(request))
    total = looked = 0
    async for chunk in _within(request, room.check):
        total += len(chunk)
        if total - looked >= LOOK_BYTES:
            await run_in_threadpool(room.check_disk, total)  # its copy in the store
            looked = total
        yield chunk


def _declared(request: Request) -> int:
    declared = request.headers.get("content-length", "")
    return int(declared) if declared.isdecimal() else 0


def _small(size: int) -> None:
    if size > JSON_LIMIT_BYTES:
        detail = f"expected a body of at most {JSON_LIMIT_BYTES} bytes, got {size} or more"
        raise TooLarge("too_large", detail)


@dataclass
class _Part:
    headers: dict[bytes, bytes] = field(default_factory=dict)
    name: str = ""
    file: BinaryIO | None = None
    value: bytearray = field(default_factory=bytearray)


class _PartReader:
    """Parts named `file` go to disk, the part `spec` is kept, any other is refused."""

    def __init__(self, folder: Path, most_files: int) -> None:
        self._folder, self._most_files = folder, most_files
        self._part = _Part()
        self._header = (bytearray(), bytearray())
        self._spec: bytes | None = None
        self._files: list[tuple[str, Path]] = []
        self._is_complete = False

    async def read(self, boundary: bytes, stream: AsyncIterator[bytes]) -> None:
        try:
            if not boundary:
                raise FormParserError("the Content-Type names no boundary")
            parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._begin,
                    "on_header_field": self._header_field,
                    "on_header_value": self._header_value,
                    "on_header_end": self._header_end,
                    "on_headers_finished": self._open,
                    "on_part_data": self._data,
                    "on_part_end": self._end,
                    "on_end": self._complete,
                },
            )
            async for chunk in stream:
                await run_in_threadpool(parser.write, chunk)  # it writes to the disk
            if not self._is_complete:
                raise FormParserError("it ends before its last boundary")
        except FormParserError as error:
            detail = f"expected a multipart/form-data body: {error}"
            raise BadRequest("invalid_multipart", detail) from error
        except OSError as error:
            full = error.errno in {errno.ENOSPC, errno.EDQUOT}
            code = "disk_full" if full else "storage_failed"
            raise Unavailable(code, f"the upload cannot be kept: {error.strerror}") from error

    def parts(self) -> "Parts":
        missing = [
            Finding(f"expected a part `{name}`, got none", f"#/{name}")
            for name, found in (("spec", self._spec is not None), ("file", self._files))
            if not found
        ]
        if missing:
            raise Invalid("missing_field", missing[0].detail, *missing)
        files = [ReceivedFile(name, path, path.stat().st_size) for name, path in self._files]
        return Parts(self._spec or b"", tuple(files))

    def close(self) -> None:
        if self._part.file:
            self._part.file.close()

    def _begin(self) -> None:
        self._part = _Part()

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._header[0].extend(data[start:end])

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._header[1].extend(data[start:end])

    def _header_end(self) -> None:
        name, value = (bytes(part) for part in self._header)
        self._part.headers[name.lower()] = value
        self._header = (bytearray(), bytearray())

    def _open(self) -> None:
        _, options = parse_options_header(self._part.headers.get(b"content-disposition"))
        name = self._part.name = options.get(b"name", b"").decode(errors="replace")
        if name == "file":
            if len(self._files) == self._most_files:
                limit = "one file" if self._most_files == 1 else f"{self._most_files} files"
                detail = f"expected at most {limit}, got more"
                raise invalid("too_many_files", detail, "#/file")
            called = _plain(options.get(b"filename", b"").decode(errors="replace"))
            suffix = SUFFIX.search(called)
            path = self._folder / f"{len(self._files)}{suffix.group() if suffix else ''}"
            self._part.file = path.open("wb")
            self._files.append((called, path))
        elif name != "spec":
            detail = f"expected parts named `file` and `spec`, got `{name[:80]}`"
            raise invalid("unknown_field", detail, f"#/{quote(name[:80], safe='')}")

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._part.file:
            self._part.file.write(data[start:end])
            return
        self._part.value.extend(data[start:end])
        if len(self._part.value) > JSON_LIMIT_BYTES:
            detail = f"expected at most {JSON_LIMIT_BYTES} bytes in the part `spec`, got more"
            raise TooLarge("too_large", detail, Finding(detail, "#/spec"))

    def _end(self) -> None:
        if self._part.file:
            self._part.file.close()
        else:
            self._spec = bytes(self._part.value)

    def _complete(self) -> None:
        self._is_complete = True


def _plain(name: str) -> str:
    """A file's name without its folders and without characters that cannot be shown."""
    last = re.split(r"[\\/]", name)[-1]
    return "".join(letter for letter in last if letter.isprintable())[:200] or "unnamed"
