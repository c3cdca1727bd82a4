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
from app.traffic.presenting import reference_of, windows_of
from app.traffic.repository import FIRST
from app.traffic.schemas import DeploymentTraffic, ModelTraffic
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
    told = [_told(session, row, model_id, rows, versions, at) for model_id, rows in asked.items()]
    return DeploymentTraffic(name=name, models=[each for each in told if each])


def _told(
    session: Session,
    row: DeploymentRow,
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
        role="current" if model_id == row.model_id else "earlier",
        version=versions.get(model_id),
        windows=windows_of(task, rows, reference, at),
    )
