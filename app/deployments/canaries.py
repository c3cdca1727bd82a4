"""A new model on a share of a deployment's requests: put, promoted or dropped, while it answers."""

from fastapi import APIRouter, Request, Response

from app.actions import post_action
from app.conditional import check_preconditions, etag_of
from app.dependencies import DatabaseOf, Writer
from app.deployments import repository
from app.deployments.gate import check_servable, through_the_gate
from app.deployments.likeness import differences
from app.deployments.presenting import answer, shown
from app.deployments.schemas import CanaryIn, DeploymentWithHistory
from app.documented import can_answer
from app.errors import Conflict, invalid
from app.models import repository as models
from app.models.schemas import Signature
from app.prediction.dependencies import DeploymentName, ServedOf
from app.tables.models import ModelRow
from app.turns import TurnRoute

router = APIRouter(prefix="/v1/deployments", tags=["deployments"], route_class=TurnRoute)


@router.put("/{name}/canary", response_model=DeploymentWithHistory, responses=can_answer(409, 412))
def put_canary(
    name: DeploymentName,
    body: CanaryIn,
    request: Request,
    caller: Writer,
    database: DatabaseOf,
    served: ServedOf,
) -> Response:
    """Has another model answer so many of each 100 requests, in every process of the API. Each
    answer names the model that gave it; `traffic` shows both side by side.

    The model must take the same inputs and have the same task and classes as the current one, and
    answer its stored inputs as the trainer did. A canary that there is already is replaced;
    pointing the name elsewhere ends it.
    """
    with database.read() as session:
        row = repository.get(session, caller.project, name)
        model = models.get(session, caller.project, body.model, pointer="#/model")
        check_servable(session, model)
        _check_like(model, models.find(session, row.model_id), name)
    loaded = through_the_gate(served, model, "#/model")
    with database.write() as session:
        row = repository.get(session, caller.project, name, is_locked=True)
        check_preconditions(request, etag_of(shown(session, row, served)))
        models.get(session, caller.project, model.id, is_locked=True, pointer="#/model")
        _check_like(model, models.find(session, row.model_id), name)  # pointed elsewhere meanwhile
        repository.try_out(session, row, model.id, body.percent)
    served.refresh(loaded)
    return answer(request, caller.project, name, database, served, 200)


@router.delete("/{name}/canary", status_code=204, responses=can_answer(409, 412))
def delete_canary(
    name: DeploymentName, request: Request, caller: Writer, database: DatabaseOf, served: ServedOf
) -> None:
    """All requests go to the current model again."""
    with database.write() as session:
        row = repository.get(session, caller.project, name, is_locked=True)
        check_preconditions(request, etag_of(shown(session, row, served)))
        repository.canary(session, row)
        repository.end_canary(session, row)
    served.refresh()


@post_action(
    router,
    "/{name}/canary/promote",
    response_model=DeploymentWithHistory,
    responses=can_answer(409, 412),
)
def promote_canary(
    name: DeploymentName, request: Request, caller: Writer, database: DatabaseOf, served: ServedOf
) -> Response:
    """Points the name to its canary, as a new version; a rollback goes back. Before it, the model
    must answer its stored inputs as the trainer did, as for any re-pointing."""
    with database.read() as session:
        row = repository.get(session, caller.project, name)
        tried = repository.canary(session, row)
        model = models.get(session, caller.project, tried.model_id)
    loaded = through_the_gate(served, model, None)
    with database.write() as session:
        row = repository.get(session, caller.project, name, is_locked=True)
        check_preconditions(request, etag_of(shown(session, row, served)))
        if repository.canary(session, row).model_id != model.id:
            raise Conflict("version_changed", f"`{name}` tries another model since this moment")
        repository.point(session, caller.project, name, model.id)
    served.refresh(loaded)
    return answer(request, caller.project, name, database, served, 200)


def _check_like(model: ModelRow, current: ModelRow | None, name: str) -> None:
    """Raises Invalid where the model cannot answer what `name` is asked."""
    if current is None or current.id == model.id:
        detail = f"expected another model than the one that `{name}` points to, got that one"
        raise invalid("canary_of_itself", detail, "#/model")
    ours, theirs = (Signature.model_validate(each.signature) for each in (model, current))
    if told := differences(ours, theirs):
        detail = f"expected a model that answers what `{name}` is asked: {'; '.join(told)}"
        raise invalid("other_signature", detail, "#/model")
