"""What a deployment is asked, and how it answers."""

import time

from fastapi import APIRouter
from sqlalchemy.orm import Session

from app.dependencies import Reader, ReadSession
from app.deployments import repository
from app.models import repository as models
from app.models.schemas import Signature
from app.prediction.dependencies import DeploymentName
from app.tables.deployments import DeploymentRow
from app.tables.traffic import TrafficRow
from app.traffic import repository as traffic
from app.traffic.counts import answers_on_test
from app.traffic.presenting import beside, reference_of, windows_of
from app.traffic.repository import FIRST
from app.traffic.schemas import DeploymentTraffic, ModelTraffic, Role
from app.turns import TurnRoute

router = APIRouter(prefix="/v1/deployments", tags=["deployments"], route_class=TurnRoute)


@router.get("/{name}/traffic")
def get_traffic(name: DeploymentName, session: ReadSession, caller: Reader) -> DeploymentTraffic:
    """Requests, errors, latency and answers of the last minute, hour and day, of each model that
    has answered under the name; and whether its answers are still such as the model is known by.

    Answers are held against those on the items that the model was tested on, by their total
    variation. The limit allows for how many there are: no alarm is raised of a few items.
    """
    row = repository.get(session, caller.project, name)
    at = time.time()
    counted: dict[str, list[TrafficRow]] = {row.model_id: []}
    for each in traffic.of_deployment(session, row.id, int(at)):
        counted.setdefault(each.model_id, []).append(each)
    asked = {
        model_id: rows
        for model_id, rows in counted.items()
        if model_id == row.model_id or any(each.seconds != FIRST for each in rows)
    }
    versions = {past.model_id: past.version for past in reversed(repository.history(session, row))}
    found = repository.canaries(session, [row]).get(row.id)
    tried = found.model_id if found else None
    if tried:
        asked.setdefault(tried, [])
    order = sorted(asked, key=lambda id: (id != row.model_id, id != tried))
    told = [_told(session, row, tried, id, asked[id], versions, at) for id in order]
    model = models.find(session, row.model_id)
    canary = None
    if tried and model:
        task = Signature.model_validate(model.signature).task
        canary = beside(task, asked[tried], asked[row.model_id], at)
    return DeploymentTraffic(name=name, canary=canary, models=[each for each in told if each])


def _role(model_id: str, current: str, tried: str | None) -> Role:
    if model_id == current:
        return "current"
    return "canary" if model_id == tried else "earlier"


def _told(
    session: Session,
    row: DeploymentRow,
    tried: str | None,
    model_id: str,
    rows: list[TrafficRow],
    versions: dict[str, int],
    at: float,
) -> ModelTraffic | None:
    """Returns None of a model that is no more."""
    model = models.find(session, model_id)
    if model is None:
        return None
    reference = reference_of(answers_on_test(model.card), rows)
    task = Signature.model_validate(model.signature).task
    return ModelTraffic(
        model=model_id,
        model_name=model.name,
        role=_role(model_id, row.model_id, tried),
        version=versions.get(model_id),
        windows=windows_of(task, rows, reference, at),
    )
