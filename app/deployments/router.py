from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session

from app.actions import post_action
from app.conditional import check_if_match, conditional, etag_of
from app.database import Database
from app.dependencies import (
    DatabaseOf,
    PageOf,
    Reader,
    ReadSession,
    Writer,
)
from app.deployments import repository
from app.deployments.schemas import (
    DeploymentIn,
    DeploymentOut,
    DeploymentVersion,
    DeploymentWithHistory,
)
from app.documented import can_answer
from app.errors import Conflict, invalid
from app.models import encoders
from app.models import repository as models
from app.pages import Listing, fetch_page
from app.prediction.dependencies import DeploymentName, ServedOf
from app.prediction.served import Loaded, ServedModels
from app.prediction.sessions import LoadFailed
from app.tables.deployments import DeploymentRow
from app.tables.models import ModelRow
from app.turns import TurnRoute

router = APIRouter(prefix="/v1/deployments", tags=["deployments"], route_class=TurnRoute)


@router.get("")
def list_deployments(
    session: ReadSession, caller: Reader, page: PageOf, served: ServedOf
) -> Listing[DeploymentOut]:
    """Newest first."""
    rows, has_more, following = fetch_page(
        session, repository.of_project(caller.project), DeploymentRow.id, page
    )
    names = models.names_of(session, [row.model_id for row in rows])
    data = [DeploymentOut(**_members(row, names, served)) for row in rows]
    return Listing(data=data, has_more=has_more, next=following)


@router.get("/{name}", response_model=DeploymentWithHistory, responses=can_answer(304))
def get_deployment(
    name: DeploymentName, request: Request, session: ReadSession, caller: Reader, served: ServedOf
) -> Response:
    row = repository.get(session, caller.project, name)
    return conditional(request, _shown(session, row, served))


@router.put(
    "/{name}",
    response_model=DeploymentWithHistory,
    responses={
        201: {"model": DeploymentWithHistory, "description": "The name is new"},
        **can_answer(409, 412),
    },
)
def put_deployment(
    name: DeploymentName,
    body: DeploymentIn,
    request: Request,
    caller: Writer,
    database: DatabaseOf,
    served: ServedOf,
) -> Response:
    """Points the name to a model, at once: no request fails during the switch.

    Before it, the model's packaged graph must answer its stored inputs as the trainer did.
    """
    with database.read() as session:
        model = models.get(session, caller.project, body.model, pointer="#/model")
        _check_servable(session, model)
    loaded = _through_the_gate(served, model, "#/model")
    with database.write() as session:
        current = repository.find(session, caller.project, name, is_locked=True)
        etag = etag_of(_shown(session, current, served)) if current else None
        check_if_match(request, etag)
        models.get(session, caller.project, model.id, is_locked=True, pointer="#/model")
        repository.point(session, caller.project, name, model.id)
    served.refresh(loaded)
    status = 200 if current else 201
    return _answer(request, caller.project, name, database, served, status)


@post_action(
    router, "/{name}/rollback", response_model=DeploymentWithHistory, responses=can_answer(409, 412)
)
def roll_back_deployment(
    name: DeploymentName, request: Request, caller: Writer, database: DatabaseOf, served: ServedOf
) -> Response:
    """Points the name to the model it had before, as a new version. Twice: back and forth."""
    with database.read() as session:
        current = repository.get(session, caller.project, name)
        check_if_match(request, etag_of(_shown(session, current, served)))
        model_id = repository.model_before(session, current)
        model = models.get(session, caller.project, model_id)
    loaded = _through_the_gate(served, model, None)
    with database.write() as session:
        row = repository.get(session, caller.project, name, is_locked=True)
        if (row.id, row.version) != (current.id, current.version):
            raise Conflict("version_changed", f"`{name}` was pointed elsewhere at this moment")
        models.get(session, caller.project, model_id, is_locked=True)
        repository.point(session, caller.project, name, model_id)
    served.refresh(loaded)
    return _answer(request, caller.project, name, database, served, 200)


@router.delete("/{name}", status_code=204, responses=can_answer(412))
def delete_deployment(
    name: DeploymentName, request: Request, caller: Writer, database: DatabaseOf, served: ServedOf
) -> None:
    """The name and its history go, the models stay."""
    with database.write() as session:
        row = repository.get(session, caller.project, name, is_locked=True)
        check_if_match(request, etag_of(_shown(session, row, served)))
        repository.remove(session, row)
    served.refresh()


def _check_servable(session: Session, model: ModelRow) -> None:
    """Raises Conflict or Invalid where an imported model is not read yet, or has no head."""
    if model.files:
        if encoders.stored_of(model):
            detail = "expected a model that answers, got an encoder, which jobs stand on"
            raise invalid("model_without_head", detail, "#/model")
        if "onnx" not in model.files:
            detail = "expected a model with a head, got features alone, which jobs start from"
            raise invalid("model_without_head", detail, "#/model")
        return
    models.ready_signature(session, model, "#/model")


def _through_the_gate(served: ServedModels, model: ModelRow, pointer: str | None) -> Loaded:
    try:
        return served.load(model)
    except LoadFailed as failure:
        if pointer:
            raise invalid("gate_failed", str(failure), pointer) from failure
        raise Conflict("gate_failed", str(failure)) from failure


def _answer(
    request: Request,
    project: str,
    name: str,
    database: Database,
    served: ServedModels,
    status: int,
) -> Response:
    with database.read() as session:
        row = repository.get(session, project, name)
        shown = _shown(session, row, served)
    headers = {"Location": f"/v1/deployments/{name}"} if status == 201 else {}
    return conditional(request, shown, status, headers)


def _shown(session: Session, row: DeploymentRow, served: ServedModels) -> DeploymentWithHistory:
    history = [
        DeploymentVersion(version=past.version, model=past.model_id, created_at=past.created_at)
        for past in repository.history(session, row)
    ]
    names = models.names_of(session, [row.model_id])
    return DeploymentWithHistory(**_members(row, names, served), history=history)


def _members(row: DeploymentRow, names: dict[str, str], served: ServedModels) -> dict[str, Any]:
    status, reason = served.state(row)
    return {
        "name": row.name,
        "model": row.model_id,
        "model_name": names[row.model_id],
        "version": row.version,
        "status": status,
        "reason": reason,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
    }
