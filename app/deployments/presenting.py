"""Deployments as the outside sees them."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import Request, Response
from sqlalchemy.orm import Session

from app.conditional import conditional
from app.database import Database
from app.deployments import repository
from app.deployments.schemas import CanaryOut, DeploymentVersion, DeploymentWithHistory
from app.models import repository as models
from app.prediction.served import ServedModels
from app.tables.deployments import CanaryRow, DeploymentRow


def answer(
    request: Request,
    project: str,
    name: str,
    database: Database,
    served: ServedModels,
    status: int,
) -> Response:
    """The deployment as it stands after a change."""
    with database.read() as session:
        row = repository.get(session, project, name)
        found = shown(session, row, served)
    headers = {"Location": f"/v1/deployments/{name}"} if status == 201 else {}
    return conditional(request, found, status, headers)


def shown(session: Session, row: DeploymentRow, served: ServedModels) -> DeploymentWithHistory:
    pasts, canaries = repository.history(session, row), repository.canaries(session, [row])
    of_past = [past.model_id for past in pasts]
    names = models.names_of(session, [*named_of([row], canaries), *of_past])
    history = [
        DeploymentVersion(
            version=past.version,
            model=past.model_id,
            model_name=names[past.model_id],
            created_at=past.created_at,
        )
        for past in pasts
    ]
    return DeploymentWithHistory(**members(row, names, canaries, served), history=history)


def named_of(rows: Sequence[DeploymentRow], canaries: Mapping[str, CanaryRow]) -> list[str]:
    """Models that these name."""
    return [row.model_id for row in rows] + [each.model_id for each in canaries.values()]


def members(
    row: DeploymentRow,
    names: Mapping[str, str],
    canaries: Mapping[str, CanaryRow],
    served: ServedModels,
) -> dict[str, Any]:
    """Members of a DeploymentOut."""
    status, reason = served.state(row)
    return {
        "name": row.name,
        "model": row.model_id,
        "model_name": names[row.model_id],
        "version": row.version,
        "status": status,
        "reason": reason,
        "canary": _canary(row, names, canaries.get(row.id), served),
        "created_at": row.created_at,
        "updated_at": row.updated_at,
    }


def _canary(
    row: DeploymentRow, names: Mapping[str, str], tried: CanaryRow | None, served: ServedModels
) -> CanaryOut | None:
    if tried is None:
        return None
    status, reason = served.canary_state(row, tried.model_id)
    return CanaryOut(
        model=tried.model_id,
        model_name=names[tried.model_id],
        percent=tried.percent,
        created_at=tried.created_at,
        status=status,
        reason=reason,
    )
