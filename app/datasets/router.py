"""/v1/datasets: upload, name from the catalogue, look at, delete."""

from collections.abc import Iterator
from typing import Annotated, Any

import numpy as np
import orjson
from fastapi import APIRouter, Depends, Query, Request, Response
from sqlalchemy.orm import Session

from app.conditional import check_preconditions, conditional, etag_of
from app.datasets import repository
from app.datasets.audits import repository as audits
from app.datasets.catalogue import CATALOGUE, PREFIX
from app.datasets.derivation import derived_row
from app.datasets.presenting import present_dataset
from app.datasets.preview_schemas import PreviewOut
from app.datasets.schemas import (
    CataloguedDataset,
    CatalogueOut,
    DatasetFrom,
    DatasetOut,
    DatasetSpec,
    DatasetStatus,
    Schema,
    Split,
)
from app.datasets.stored import UPLOAD, array_path
from app.datasets.stored_uploads import StoredUpload, stored_upload
from app.datasets.uploads import Received
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
from app.errors import invalid
from app.idempotency import (
    IdempotencyKey,
    StoredAnswer,
    answer_once,
    fingerprint,
    forget_answers,
    respond,
)
from app.integrity import sha256_of
from app.pages import Listing, fetch_page
from app.storage import Storage
from app.tables.datasets import DatasetRow
from app.turns import TurnRoute
from app.usage import quotas

router = APIRouter(prefix="/v1", tags=["datasets"], route_class=TurnRoute)

POLL_SECONDS = "1"
PREVIEW_VALUES = 2**21  # in one answer

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
                            "type": "array",
                            "minItems": 1,
                            "items": {"type": "string", "format": "binary"},
                            "description": "one table, or a training and a test one with `train` "
                            "and `test` in their names: CSV or TSV (.gz too), with a line of names "
                            "of columns, Parquet, JSONL (.gz too) or Arrow; or pictures: .zip, "
                            ".tar or .tar.gz by the imagefolder convention (`class/file.jpg`, "
                            "`train/class/file.jpg`, `metadata.csv` with `file_name` and `label`), "
                            "one archive or one per split, or up to 1000 loose files; or one .npz "
                            "(x_train[, y_train][, x_test[, y_test]][, class_names]; or x[, y]; or "
                            "train_images[, train_labels] and so on), or IDX files (.gz or plain). "
                            "Items of several parts: .npz with x_train.PART of each, or an archive "
                            "whose metadata has columns with the role `feature`, and pictures in "
                            "`file_name` and `PART_file_name`. "
                            "A split has labels for all its items or none; training items "
                            "without labels serve as a target with `use_labels` false",
                        },
                        "spec": inlined(DatasetSpec),
                    },
                },
                "encoding": {"spec": {"contentType": "application/json"}},
                "example": {"file": ["letters.npz"], "spec": {"name": "letters"}},
            },
            "application/json": {
                "schema": inlined(DatasetFrom),
                "example": {"name": "digits", "from": "catalog:mnist_5k"},
            },
        },
    }
}


def _stored(
    received: Received, storage: StorageOf
) -> Iterator[tuple[dict[str, Any], StoredUpload]]:
    """What a repeated request is known by, and the raw files. Storing large ones takes long, so it
    is done before the route's turn, which may not come."""
    if isinstance(received, DatasetFrom):
        name = received.origin.removeprefix(PREFIX)
        if received.origin.startswith(PREFIX) and name not in CATALOGUE:
            known = ", ".join(entry.reference for entry in CATALOGUE.values())
            detail = f"expected one of {known}, got {received.origin[:80]}"
            raise invalid("unknown_dataset", detail, "#/from")
        if received.is_empty and not received.origin.startswith(PREFIX):
            detail = (
                "expected `catalog:NAME`; or a dataset of this project and `where`, `classes`, "
                "`columns`, `rows` or `split`, got none of them"
            )
            raise invalid("nothing_chosen", detail, "#/from")
        yield received.model_dump(mode="json"), StoredUpload(storage)
        return
    with stored_upload(storage, received.files) as upload:
        contents = [[file.name, sha256_of(file.path)] for file in received.files]
        yield {"spec": received.spec.model_dump(mode="json"), "files": contents}, upload


@router.post(
    "/datasets",
    status_code=202,
    response_model=DatasetOut,
    openapi_extra=_BODY,
    responses=can_answer(404, 409, 507),
)
def create(
    received: Received,
    stored: Annotated[tuple[dict[str, Any], StoredUpload], Depends(_stored)],
    request: Request,
    session: WriteSession,
    storage: StorageOf,
    settings: SettingsOf,
    caller: Writer,
    key: IdempotencyKey,
) -> Response:
    """Stores an upload, names a dataset of the catalogue, or derives one from another: rows,
    classes or columns of it. A worker takes it in afterwards."""
    body, upload = stored

    def make() -> StoredAnswer:
        if isinstance(received, DatasetFrom) and not received.is_empty:
            row = derived_row(session, storage, caller.project, received)
            repository.add(session, row)
        elif isinstance(received, DatasetFrom):
            name = received.origin.removeprefix(PREFIX)
            row = repository.obtain_from_catalogue(session, caller.project, name, received.name)
        else:
            row = DatasetRow(
                project=caller.project,
                name=received.spec.name,
                origin=UPLOAD,
                spec=received.spec.model_dump(mode="json"),
                files=upload.files,
            )
            repository.add(session, row)
        quotas.admit_dataset(session, storage, settings, caller.project)
        upload.is_kept = True
        headers = {"Location": f"/v1/datasets/{row.id}", "Retry-After": POLL_SECONDS}
        return StoredAnswer(
            202, headers, present_dataset(row).model_dump(mode="json", by_alias=True)
        )

    mark = fingerprint(request.method, request.url.path, body)
    try:
        return respond(answer_once(session, caller, key, mark, make))
    finally:  # refused, or a repetition
        upload.let_go()


@router.get("/datasets")
def list_datasets(
    session: ReadSession, caller: Reader, page: PageOf, status: DatasetStatus | None = None
) -> Listing[DatasetOut]:
    """Newest first."""
    statement = repository.of_project(caller.project, status)
    rows, has_more, following = fetch_page(session, statement, DatasetRow.id, page)
    twins = repository.twins(session, caller.project, rows)
    data = [present_dataset(row, is_listed=True, twins=twins[row.id]) for row in rows]
    return Listing[DatasetOut](data=data, has_more=has_more, next=following)


@router.get("/datasets/{dataset_id}", response_model=DatasetOut, responses=can_answer(304))
def show(dataset_id: str, request: Request, session: ReadSession, caller: Reader) -> Response:
    row = repository.find(session, caller.project, dataset_id)
    headers = {"Retry-After": POLL_SECONDS} if row.status == "ingesting" else {}
    return conditional(request, _shown(session, row), headers=headers)


@router.get("/datasets/{dataset_id}/preview", response_model=PreviewOut, responses=can_answer(409))
def preview(
    dataset_id: str,
    database: DatabaseOf,
    caller: Reader,
    storage: StorageOf,
    split: Split = "train",
    offset: Annotated[int, Query(ge=0, lt=2**31)] = 0,
    limit: Annotated[int, Query(ge=1, le=50)] = 10,
) -> Response:
    """Stored items as raw values, with their labels where there are any."""
    with database.read() as session:  # no longer: to look a large file through takes seconds
        row = repository.find(session, caller.project, dataset_id)
        suspects = audits.suspects_of(session, row.id, split)
    schema = repository.ready_schema_of(row)
    count = max(1, min(limit, PREVIEW_VALUES // schema.inputs.values))
    labels = _open(storage, row, f"y_{split}")
    shown = slice(offset, offset + count)
    arrays = schema.inputs.arrays(split)
    columns = {name: _open(storage, row, array)[shown] for name, array in arrays.items()}
    member = schema.inputs.member
    items = [
        {
            "index": offset + place,
            **_shown_label(schema, label),
            **suspects.get(offset + place, {}),
            **(item if member is None else {member: item}),
        }
        for place, (label, item) in enumerate(
            zip(labels[shown], schema.inputs.preview(columns), strict=True)
        )
    ]
    body = {
        "dataset": row.id,
        "split": split,
        "offset": offset,
        "total": len(labels),
        "data": items,
    }
    content = orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY)
    return Response(content, media_type="application/json")


@router.delete("/datasets/{dataset_id}", status_code=204, responses=can_answer(409, 412))
def delete(dataset_id: str, request: Request, session: WriteSession, caller: Writer) -> None:
    """Later jobs cannot use it; ended ones keep their results, and cannot be retried. Its data are
    gone from the disk with a sweep, within the grace period."""
    row = repository.find(session, caller.project, dataset_id)
    check_preconditions(request, etag_of(_shown(session, row)))
    repository.delete(session, row)
    forget_answers(session, row.project, row.id)


@router.get("/catalog/datasets")
def list_catalogue(_: Reader) -> CatalogueOut:
    """Datasets that a job can name as they are."""
    return CatalogueOut(
        data=[
            CataloguedDataset(
                name=entry.name,
                reference=entry.reference,
                title=entry.title,
                licence=entry.licence,
                schema=entry.schema,
                download_bytes=sum(file.bytes for file in entry.files),
            )
            for entry in CATALOGUE.values()
        ]
    )


def _shown(session: Session, row: DatasetRow) -> DatasetOut:
    return present_dataset(row, twins=repository.twins(session, row.project, [row])[row.id])


def _shown_label(schema: Schema, label: Any) -> dict[str, Any]:
    match schema.task.form:
        case "value":
            return {"label": None, "value": None if np.isnan(label) else float(label)}
        case "labels":
            known = [schema.classes[k] for k in np.flatnonzero(label == 1)]
            return {"label": None, "labels": None if (label < 0).all() else known}
        case "label":
            return {"label": schema.classes[label] if label >= 0 else None}


def _open(storage: Storage, row: DatasetRow, array: str) -> np.ndarray[Any, Any]:
    path = array_path(storage, row, array)
    return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))  # orjson knows no memmap
