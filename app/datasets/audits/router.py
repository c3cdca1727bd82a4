"""/v1/datasets/{id}/audit: which labels of a dataset are likely wrong."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from app.conditional import conditional
from app.datasets import repository as datasets
from app.datasets.audits import repository
from app.datasets.audits.schemas import AuditOut, AuditResult
from app.dependencies import Reader, ReadSession
from app.documented import can_answer
from app.tables.audits import AuditRow
from app.turns import TurnRoute

router = APIRouter(prefix="/v1", tags=["datasets"], route_class=TurnRoute)

POLL_SECONDS = "1"
SHOWN = 100


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
    return conditional(request, audit_out(audit, offset, limit), headers=headers)


def audit_out(row: AuditRow, offset: int, limit: int) -> AuditOut:
    """The audit as it is answered, with its suspects from `offset` on."""
    found = AuditResult.model_validate(row.result) if row.result else None
    return AuditOut(
        dataset=row.dataset_id,
        features=row.model_id,
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
