"""The body of POST /v1/datasets: JSON, or multipart that goes to disk as it comes."""

import errno
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, BinaryIO
from urllib.parse import quote

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import ValidationError
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from app.datasets.schemas import DatasetFrom, DatasetSpec
from app.dependencies import SettingsOf, Writer
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
from app.json_text import decode

FILES_LIMIT = 16
JSON_LIMIT_BYTES = 64 * 2**10
SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,8}$")


@dataclass(frozen=True)
class ReceivedFile:
    name: str  # the client's, without folders
    path: Path
    bytes: int


@dataclass(frozen=True)
class Upload:
    spec: DatasetSpec
    files: tuple[ReceivedFile, ...]


async def _received(
    request: Request, settings: SettingsOf, _: Writer
) -> AsyncIterator[DatasetFrom | Upload]:
    """The caller is known before the body is read. The files are gone after the answer."""
    content_type = request.headers.get("content-type", "")
    kind, options = parse_options_header(content_type)
    if kind == b"application/json":
        parts = [chunk async for chunk in _within(request, JSON_LIMIT_BYTES)]
        body = decode(b"".join(parts))
        try:
            yield DatasetFrom.model_validate(body)
        except ValidationError as error:
            raise invalid_from(error, body) from error
    elif kind == b"multipart/form-data":
        parent = settings.cache_dir / "uploads"
        parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=parent) as folder:
            reader = _PartReader(Path(folder))
            try:
                stream = _within(request, settings.upload_limit_bytes)
                await reader.read(options.get(b"boundary", b""), stream)
                yield reader.upload()
            finally:
                reader.close()
    else:
        detail = "expected Content-Type: application/json or multipart/form-data"
        raise UnsupportedMedia(
            "unsupported_media_type", f"{detail}, got {content_type[:80] or 'none'}"
        )


Received = Annotated[DatasetFrom | Upload, Depends(_received)]


async def _within(request: Request, limit: int) -> AsyncIterator[bytes]:
    """The body's chunks, counted: a Content-Length may be absent or wrong."""
    declared = request.headers.get("content-length", "")
    total = int(declared) if declared.isdecimal() else 0
    detail = f"expected a body of at most {limit} bytes, got"
    if total > limit:
        raise TooLarge("too_large", f"{detail} {total}")
    total = 0
    async for chunk in request.stream():
        total += len(chunk)
        if total > limit:
            raise TooLarge("too_large", f"{detail} more")
        yield chunk


@dataclass
class _Part:
    headers: dict[bytes, bytes] = field(default_factory=dict)
    name: str = ""
    file: BinaryIO | None = None
    value: bytearray = field(default_factory=bytearray)


class _PartReader:
    """Parts named `file` go to disk, the part `spec` is kept, any other is refused."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
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

    def upload(self) -> Upload:
        missing = [
            Finding(f"expected a part `{name}`, got none", f"#/{name}")
            for name, found in (("spec", self._spec is not None), ("file", self._files))
            if not found
        ]
        if missing:
            raise Invalid("missing_field", missing[0].detail, *missing)
        body = decode(self._spec or b"", "the part `spec`", "#/spec")
        try:
            spec = DatasetSpec.model_validate(body)
        except ValidationError as error:
            raise invalid_from(error, body, "#/spec") from error
        files = [ReceivedFile(name, path, path.stat().st_size) for name, path in self._files]
        return Upload(spec, tuple(files))

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
            if len(self._files) == FILES_LIMIT:
                detail = f"expected at most {FILES_LIMIT} files, got more"
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
