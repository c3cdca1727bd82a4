from pathlib import PurePosixPath
from typing import Annotated, get_args

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import FileResponse
from sqlalchemy.orm import Session

from app.conditional import check_if_match, conditional, etag_of
from app.datasets.schemas import LISTED_CLASSES
from app.dependencies import (
    DatabaseOf,
    PageOf,
    Reader,
    ReadSession,
    StorageOf,
    Writer,
    WriteSession,
)
from app.documented import can_answer
from app.errors import NotFound
from app.models import repository
from app.models.schemas import Format, ModelOut, Signature, VersionStatuses
from app.models.stored import file_path
from app.pages import Listing, fetch_page
from app.tables.models import ModelRow
from app.turns import TurnRoute

router = APIRouter(prefix="/v1/models", tags=["models"], route_class=TurnRoute)


@router.get("")
def list_models(session: ReadSession, caller: Reader, page: PageOf) -> Listing[ModelOut]:
    """Newest first."""
    rows, has_more, following = fetch_page(
        session, repository.of_project(caller.project), ModelRow.id, page
    )
    data = [_shown(session, row, is_listed=True) for row in rows]
    return Listing(data=data, has_more=has_more, next=following)


@router.get("/{model_id}", response_model=ModelOut | VersionStatuses, responses=can_answer(304))
def get_model(model_id: str, request: Request, session: ReadSession, caller: Reader) -> Response:
    """A model by its id, `mdl_…`. By any other name, the version status of the deployment of that
    name, for clients of TensorFlow Serving."""
    row = repository.get(session, caller.project, model_id)
    return conditional(request, _shown(session, row))


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
    frozen encoder, from its features. `tokenizer`: that encoder's tokenizer.json."""
    with database.read() as session:  # no longer: to look a large file through takes a while
        row = repository.get(session, caller.project, model_id)
    if file_format not in row.files:
        able = ", ".join(name for name in get_args(Format) if name in row.files)
        detail = f"expected one of the formats that {row.id} has, {able}, got {file_format}"
        raise NotFound("no_such_format", detail)
    return FileResponse(
        file_path(storage, row, file_format),
        media_type="application/octet-stream",
        filename=f"{row.id}.{file_format}",
        headers={"ETag": f'"{_hash(row.files[file_format])}"'},
    )


@router.delete("/{model_id}", status_code=204, responses=can_answer(409, 412))
def delete_model(model_id: str, request: Request, session: WriteSession, caller: Writer) -> None:
    """409 while a deployment points to it, or an open job starts from it."""
    row = repository.get(session, caller.project, model_id, is_locked=True)
    check_if_match(request, etag_of(_shown(session, row)))
    repository.remove(session, row)


def _shown(session: Session, row: ModelRow, is_listed: bool = False) -> ModelOut:
    signature = Signature.model_validate(row.signature)
    names = signature.task.names
    shown = names[:LISTED_CLASSES] if is_listed else names
    return ModelOut(
        id=row.id,
        name=row.name,
        job_id=row.job_id,
        trial_id=row.trial_id,
        signature=signature.model_copy(update={"task": signature.task.named(shown)}),
        classes_left_off=len(names) - len(shown),
        card=row.card,
        status="damaged" if row.error else "ready",
        error=row.error,
        hashes={kind: _hash(ref) for kind, ref in row.files.items()},
        deployments=repository.deployed_as(session, row.id),
        created_at=row.created_at,
    )


def _hash(ref: str) -> str:
    """Refs name content by its sha256."""
    return PurePosixPath(ref).stem
