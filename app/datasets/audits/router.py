"""/v1/datasets/{id}/audit: which labels of a dataset are likely wrong."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from app.conditional import conditional
from app.datasets import repository as datasets
from app.datasets.audits import repository
from app.datasets.audits.schemas import AuditOut, AuditResult
from app.dependencies import Reader, ReadSession, Writer, WriteSession
from app.documented import can_answer
from app.errors import Invalid
from app.tables.audits import AuditRow
from app.tables.datasets import DatasetRow
from app.turns import TurnRoute

router = APIRouter(prefix="/v1", tags=["datasets"], route_class=TurnRoute)

POLL_SECONDS = "1"
SHOWN = 100


@router.post(
    "/datasets/{dataset_id}/audit",
    status_code=202,
    response_model=AuditOut,
    responses=can_answer(409),
)
def begin(dataset_id: str, response: Response, session: WriteSession, caller: Writer) -> AuditOut:
    """Has a worker look for labels that are likely wrong. Nothing of the dataset is changed. The
    same call again answers with the same audit, one that failed is begun anew."""
    row = datasets.find(session, caller.project, dataset_id)
    _refuse(row)
    audit = repository.obtain(session, row.id)
    response.headers["Location"] = f"/v1/datasets/{row.id}/audit"
    response.headers["Retry-After"] = POLL_SECONDS
    return _out(audit, 0, SHOWN)


@router.get("/datasets/{dataset_id}/audit", response_model=AuditOut, responses=can_answer(304))
def show(
    dataset_id: str,
    request: Request,
    session: ReadSession,
    caller: Reader,
    offset: Annotated[int, Query(ge=0, lt=2**31)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = SHOWN,
) -> Response:
    """Says how the audit stands, and what it has found."""
    row = datasets.find(session, caller.project, dataset_id)
    audit = repository.get(session, row.id)
    is_open = audit.status in {"queued", "running"}
    headers = {"Retry-After": POLL_SECONDS} if is_open else {}
    return conditional(request, _out(audit, offset, limit), headers=headers)


def _refuse(row: DatasetRow) -> None:
    """Raises Conflict while the dataset is not ready, Invalid where no label can be judged."""
    schema = datasets.ready_schema_of(row)
    if not schema.task.has_classes:
        detail = (
            f"expected a classification, whose labels neighbours can contradict, got a "
            f"{schema.task.kind}"
        )
        raise Invalid("needs_classification", detail)
    if not any(schema.has_labels(split) for split in schema.splits):
        raise Invalid("no_labels", f"expected labels to look at, {row.id} has none")


def _out(row: AuditRow, offset: int, limit: int) -> AuditOut:
    found = AuditResult.model_validate(row.result) if row.result else None
    return AuditOut(
        dataset=row.dataset_id,
        status=row.status,
        created_at=row.created_at,
        ended_at=row.ended_at,
        items=found.items if found else None,
        suspects=found.suspects if found else None,
        classes=found.classes if found else [],
        offset=offset,
        data=found.listed[offset : offset + limit] if found else [],
        error=row.error,
    )
