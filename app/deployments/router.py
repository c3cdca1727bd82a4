from fastapi import APIRouter, Request, Response

from app.actions import post_action
from app.conditional import check_preconditions, conditional, etag_of
from app.dependencies import (
    DatabaseOf,
    PageOf,
    Reader,
    ReadSession,
    Writer,
)
from app.deployments import repository
from app.deployments.gate import check_servable, through_the_gate
from app.deployments.presenting import answer, members, named_of, shown
from app.deployments.schemas import (
    DeploymentIn,
    DeploymentOut,
    DeploymentWithHistory,
)
from app.documented import can_answer
from app.errors import Conflict
from app.models import repository as models
from app.pages import Listing, fetch_page
from app.prediction.dependencies import DeploymentName, ServedOf
from app.tables.deployments import DeploymentRow
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
    canaries = repository.canaries(session, rows)
    names = models.names_of(session, named_of(rows, canaries))
    data = [DeploymentOut(**members(row, names, canaries, served)) for row in rows]
    return Listing(data=data, has_more=has_more, next=following)


@router.get("/{name}", response_model=DeploymentWithHistory, responses=can_answer(304))
def get_deployment(
    name: DeploymentName, request: Request, session: ReadSession, caller: Reader, served: ServedOf
) -> Response:
    row = repository.get(session, caller.project, name)
    return conditional(request, shown(session, row, served))


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
        check_servable(session, model)
    loaded = through_the_gate(served, model, "#/model")
    with database.write() as session:
        current = repository.find(session, caller.project, name, is_locked=True)
        etag = etag_of(shown(session, current, served)) if current else None
        check_preconditions(request, etag)
        models.get(session, caller.project, model.id, is_locked=True, pointer="#/model")
        repository.point(session, caller.project, name, model.id)
    served.refresh(loaded)
    status = 200 if current else 201
    return answer(request, caller.project, name, database, served, status)


@post_action(
    router, "/{name}/rollback", response_model=DeploymentWithHistory, responses=can_answer(409, 412)
)
def roll_back_deployment(
    name: DeploymentName, request: Request, caller: Writer, database: DatabaseOf, served: ServedOf
) -> Response:
    """Points the name to the model it had before, as a new version. Twice: back and forth."""
    with database.read() as session:
        current = repository.get(session, caller.project, name)
        check_preconditions(request, etag_of(shown(session, current, served)))
        model_id = repository.model_before(session, current)
        model = models.get(session, caller.project, model_id)
    loaded = through_the_gate(served, model, None)
    with database.write() as session:
        row = repository.get(session, caller.project, name, is_locked=True)
        if (row.id, row.version) != (current.id, current.version):
            raise Conflict("version_changed", f"`{name}` was pointed elsewhere at this moment")
        models.get(session, caller.project, model_id, is_locked=True)
        repository.point(session, caller.project, name, model_id)
    served.refresh(loaded)
    return answer(request, caller.project, name, database, served, 200)


@router.delete("/{name}", status_code=204, responses=can_answer(412))
def delete_deployment(
    name: DeploymentName, request: Request, caller: Writer, database: DatabaseOf, served: ServedOf
) -> None:
    """The name and its history go, the models stay."""
    with database.write() as session:
        row = repository.get(session, caller.project, name, is_locked=True)
        check_preconditions(request, etag_of(shown(session, row, served)))
        repository.remove(session, row)
    served.refresh()
