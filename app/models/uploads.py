"""The body of POST /v1/models: one network, or the three files of an encoder, and what their
sender says of them; or JSON, for an encoder that a worker fetches."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import ValidationError
from python_multipart.multipart import parse_options_header

from app.datasets.uploads import Parts, ReceivedFile, parts_of, small_body
from app.dependencies import DatabaseOf, SettingsOf, StorageOf, Writer
from app.errors import UnsupportedMedia, invalid
from app.findings import invalid_from
from app.idempotency import IdempotencyKey, is_answered
from app.inputs.encoders import EncoderFacts
from app.json_text import decode
from app.models.encoder_spec import FACTS, FILES, EncoderSpec
from app.models.importing import KERAS, ONNX, ImportSpec
from app.settings import Settings
from app.usage import quotas
from app.usage.quotas import UploadAllowance

ZIP = b"PK\x03\x04"
FACTS_BYTES = 4 * 2**20


@dataclass(frozen=True)
class UploadedNetwork:
    spec: ImportSpec | EncoderSpec
    files: tuple[ReceivedFile, ...]


async def _received(
    request: Request,
    settings: SettingsOf,
    database: DatabaseOf,
    storage: StorageOf,
    caller: Writer,
    key: IdempotencyKey,
) -> AsyncIterator[UploadedNetwork]:
    """The caller is known before the body is read, and whether it fits. The files are gone after
    the answer."""

    def room_of_project() -> UploadAllowance:
        with database.read() as session:
            again = is_answered(session, caller, key)
            return quotas.room(session, storage, settings, caller.project, 0, is_repeated=again)

    content_type = request.headers.get("content-type", "")
    kind, options = parse_options_header(content_type)
    if kind == b"application/json":
        yield UploadedNetwork(_from_hub(await small_body(request), settings), ())
        return
    if kind != b"multipart/form-data":
        detail = "expected Content-Type: multipart/form-data, or application/json"
        raise UnsupportedMedia(
            "unsupported_media_type", f"{detail}, got {content_type[:80] or 'none'}"
        )
    room = await run_in_threadpool(room_of_project)
    boundary = options.get(b"boundary", b"")
    async with parts_of(request, settings, room, boundary, most_files=len(FILES)) as parts:
        spec = _spec_of(parts)
        if isinstance(spec, EncoderSpec):
            await run_in_threadpool(_check_encoder, spec, parts.files)
        else:
            await run_in_threadpool(_check_form, parts.files)
        yield UploadedNetwork(spec, parts.files)


ReceivedNetwork = Annotated[UploadedNetwork, Depends(_received)]


def _spec_of(parts: Parts) -> ImportSpec | EncoderSpec:
    body = decode(parts.written, "the part `spec`", "#/spec")
    is_encoder = isinstance(body, dict) and "kind" in body
    return parts.spec(EncoderSpec) if is_encoder else parts.spec(ImportSpec)


def _from_hub(content: bytes, settings: Settings) -> EncoderSpec:
    """Raises Invalid where it names no place of the hub, or nothing may be fetched."""
    body = decode(content)
    if not isinstance(body, dict) or "kind" not in body:
        detail = "expected Content-Type: multipart/form-data with a network's file; as JSON comes "
        detail += "an encoder of the hub, whose `kind` says so"
        raise UnsupportedMedia("unsupported_media_type", detail)
    try:
        spec = EncoderSpec.model_validate(body)
    except ValidationError as error:
        raise invalid_from(error, body) from error
    if spec.origin is None:
        detail = f"expected `from`, or a multipart body with the files {', '.join(FILES)}"
        raise invalid("missing_field", detail, "#/from")
    if settings.offline:
        detail = (
            "expected files, as KTL_OFFLINE is set and nothing is fetched: send "
            f"{', '.join(FILES)} (`ktl models add FOLDER`), or unset it"
        )
        raise invalid("offline", detail, "#/from")
    return spec


def _check_encoder(spec: EncoderSpec, files: Sequence[ReceivedFile]) -> None:
    """What can be told before a worker reads them. Raises Invalid."""
    if spec.origin is not None:
        detail = "expected no files beside `from`: send application/json"
        raise invalid("unexpected_file", detail, "#/file")
    names = [file.name for file in files]
    if sorted(names) != sorted(FILES):
        detail = f"expected {', '.join(FILES)}, each once, got {len(names)} files, not these"
        raise invalid("unexpected_file", detail, "#/file")
    facts = next(file for file in files if file.name == FACTS)
    if facts.bytes > FACTS_BYTES:
        detail = f"expected at most {FACTS_BYTES} bytes in {FACTS}, got {facts.bytes}"
        raise invalid("too_large", detail, "#/file")
    body = decode(facts.path.read_bytes(), FACTS, "#/file")
    try:
        EncoderFacts.model_validate(body)
    except ValidationError as error:
        raise invalid_from(error, body, f"#/file/{FACTS}") from error


def _check_form(files: Sequence[ReceivedFile]) -> None:
    """What can be told before a worker reads it. Raises Invalid."""
    if len(files) > 1:
        raise invalid("too_many_files", "expected at most one file, got more", "#/file")
    (file,) = files
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
