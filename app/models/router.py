from collections.abc import Iterator
from typing import Annotated, Any, get_args

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import FileResponse

from app.conditional import check_preconditions, etag_of
from app.datasets.stored_uploads import StoredUpload, stored_upload
from app.dependencies import (
    DatabaseOf,
    PageOf,
    Reader,
    ReadSession,
    SettingsOf,
    StorageOf,
    Writer,
    WriteSession,
)
from app.documented import can_answer, inlined
from app.errors import NotFound
from app.idempotency import (
    IdempotencyKey,
    StoredAnswer,
    answer_once,
    fingerprint,
    forget_answers,
    respond,
)
from app.integrity import sha256_of
from app.models import repository
from app.models.encoder_spec import EncoderSpec
from app.models.importing import ImportSpec
from app.models.presenting import (
    POLL_SECONDS,
    content_hash,
    model_answer,
    present_model,
    present_models,
)
from app.models.schemas import Format, ModelOut, VersionStatuses
from app.models.stored import file_path
from app.models.uploads import ReceivedNetwork
from app.pages import Listing, fetch_page
from app.tables.models import ModelRow
from app.turns import TurnRoute
from app.usage import quotas

router = APIRouter(prefix="/v1/models", tags=["models"], route_class=TurnRoute)


_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file", "spec"],
                    "additionalProperties": False,
                    "properties": {
                        "file": {
                            "type": "string",
                            "format": "binary",
                            "description": "one .keras file, as Keras 3 saves it: a Sequential or "
                            "Functional network of layers of Keras' own; or one .onnx file of a "
                            "convolutional or dense network. Nothing in it is executed. Or, with "
                            "the kind `encoder`, the three files model.onnx, tokenizer.json and "
                            "encoder.json, a part `file` each",
                        },
                        "spec": {"anyOf": [inlined(ImportSpec), inlined(EncoderSpec)]},
                    },
                },
                "encoding": {"spec": {"contentType": "application/json"}},
                "example": {
                    "file": "digits.keras",
                    "spec": {
                        "name": "digits",
                        "inputs": {"shape": [28, 28, 1], "expects": [0, 1]},
                        "classes": ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
                    },
                },
            },
            "application/json": {
                "schema": inlined(EncoderSpec),
                "example": {
                    "kind": "encoder",
                    "name": "minilm",
                    "from": "hf:sentence-transformers/all-MiniLM-L6-v2@main",
                },
            },
        },
    }
}


def _stored(
    received: ReceivedNetwork, storage: StorageOf
) -> Iterator[tuple[dict[str, Any], StoredUpload]]:
    """What a repeated request is known by, and its files. Storing a large one takes long, so it is
    done before the route's turn, which may not come."""
    spec = received.spec.model_dump(mode="json")
    hashes = {file.name: sha256_of(file.path) for file in received.files}
    single = [*hashes.values()] if isinstance(received.spec, ImportSpec) else []
    with stored_upload(storage, received.files) as upload:
        yield {"spec": spec, "file": single[0] if single else hashes}, upload


@router.post(
    "",
    status_code=202,
    response_model=ModelOut,
    openapi_extra=_BODY,
    responses=can_answer(409, 507),
)
def import_model(
    received: ReceivedNetwork,
    stored: Annotated[tuple[dict[str, Any], StoredUpload], Depends(_stored)],
    request: Request,
    session: WriteSession,
    storage: StorageOf,
    settings: SettingsOf,
    caller: Writer,
    key: IdempotencyKey,
) -> Response:
    """A network that was trained elsewhere, as a source of jobs; or an encoder of texts, which jobs
    name in `params.encoder`. A worker reads the files, or fetches them from the hub, tries them on
    a sample and packages them; until then the model is `importing`."""
    body, upload = stored

    def make() -> StoredAnswer:
        spec = received.spec
        said = spec.model_dump(mode="json")
        row = repository.add_import(session, caller.project, spec.name, said, upload.files)
        quotas.admit(session, storage, settings, caller.project)
        upload.is_kept = True
        headers = {"Location": f"/v1/models/{row.id}", "Retry-After": POLL_SECONDS}
        return StoredAnswer(202, headers, present_model(session, row).model_dump(mode="json"))

    mark = fingerprint(request.method, request.url.path, body)
    try:
        return respond(answer_once(session, caller, key, mark, make))
    finally:  # refused, or a repetition
        upload.let_go()


@router.get("")
def list_models(session: ReadSession, caller: Reader, page: PageOf) -> Listing[ModelOut]:
    """Newest first."""
    rows, has_more, following = fetch_page(
        session, repository.of_project(caller.project), ModelRow.id, page
    )
    data = present_models(session, rows)
    return Listing(data=data, has_more=has_more, next=following)


@router.get("/{model_id}", response_model=ModelOut | VersionStatuses, responses=can_answer(304))
def get_model(
    model_id: str,
    request: Request,
    session: ReadSession,
    caller: Reader,
    deployment: Annotated[
        bool, Query(description="false: a model, also where a deployment has its name")
    ] = True,
) -> Response:
    """A model by its id, `mdl_…`, or its name. Where a deployment has that name, the version status
    of the deployment, for clients of TensorFlow Serving."""
    return model_answer(request, session, repository.get(session, caller.project, model_id))


@router.get("/{model_id}/download", response_class=FileResponse)
def download_model(
    model_id: str,
    database: DatabaseOf,
    caller: Reader,
    storage: StorageOf,
    file_format: Annotated[Format, Query(alias="format")] = "onnx",
) -> FileResponse:
    """`onnx`: raw values in, probabilities out, calibrated where the signature names a temperature.
    `keras`: the same network, with logits out, which no temperature has divided; of a network on a
    frozen encoder, from its features. `tokenizer`: that encoder's tokenizer.json.
    `encoder`: the model.onnx of a model that is an encoder."""
    with database.read() as session:  # no longer: to look a large file through takes a while
        row = repository.get(session, caller.project, model_id)
    if file_format not in row.files:
        able = ", ".join(name for name in get_args(Format) if name in row.files) or "none yet"
        detail = f"expected one of the formats that {row.id} has, {able}, got {file_format}"
        raise NotFound("no_such_format", detail)
    return FileResponse(
        file_path(storage, row, file_format),
        media_type="application/octet-stream",
        filename=f"{row.id}.{file_format}",
        headers={"ETag": f'"{content_hash(row.files[file_format])}"'},
    )


@router.delete("/{model_id}", status_code=204, responses=can_answer(409, 412))
def delete_model(model_id: str, request: Request, session: WriteSession, caller: Writer) -> None:
    """409 while a deployment points to it, or an open job starts from it. One that is still being
    imported goes as well."""
    row = repository.get(session, caller.project, model_id, is_locked=True)
    check_preconditions(request, etag_of(present_model(session, row)))
    repository.remove(session, row)
    forget_answers(session, row.project, row.id)
