"""The body of POST /v1/models: one file, and what its sender says of it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool
from python_multipart.multipart import parse_options_header

from app.datasets.uploads import ReceivedFile, parts_of
from app.dependencies import DatabaseOf, SettingsOf, StorageOf, Writer
from app.errors import UnsupportedMedia, invalid
from app.models.importing import KERAS, ONNX, ImportSpec
from app.usage import quotas
from app.usage.quotas import UploadAllowance

ZIP = b"PK\x03\x04"


@dataclass(frozen=True)
class UploadedNetwork:
    spec: ImportSpec
    file: ReceivedFile


async def _received(
    request: Request, settings: SettingsOf, database: DatabaseOf, storage: StorageOf, caller: Writer
) -> AsyncIterator[UploadedNetwork]:
    """The caller is known before the body is read, and whether it fits. The file is gone after the
    answer."""

    def room_of_project() -> UploadAllowance:
        with database.read() as session:
            return quotas.room(session, storage, settings, caller.project, datasets=0)

    content_type = request.headers.get("content-type", "")
    kind, options = parse_options_header(content_type)
    if kind != b"multipart/form-data":
        detail = "expected Content-Type: multipart/form-data"
        raise UnsupportedMedia(
            "unsupported_media_type", f"{detail}, got {content_type[:80] or 'none'}"
        )
    room = await run_in_threadpool(room_of_project)
    boundary = options.get(b"boundary", b"")
    async with parts_of(request, settings, room, boundary, most_files=1) as parts:
        (file,) = parts.files
        spec = parts.spec(ImportSpec)
        await run_in_threadpool(_check_form, file)
        yield UploadedNetwork(spec, file)


ReceivedNetwork = Annotated[UploadedNetwork, Depends(_received)]


def _check_form(file: ReceivedFile) -> None:
    """What can be told before a worker reads it. Raises Invalid."""
    with file.path.open("rb") as stream:
        begins = stream.read(len(ZIP))
    name = file.name.lower()
    is_keras = name.endswith(KERAS) and begins == ZIP
    is_onnx = name.endswith(ONNX) and begins not in (b"", ZIP)
    if not (is_keras or is_onnx):
        detail = (
            'expected a network as Keras 3 saves it, `model.save("NAME.keras")`, or an .onnx file, '
            "got another; a .h5 becomes one by loading it with Keras 3 and saving it so"
        )
        raise invalid("unknown_format", detail, "#/file")
