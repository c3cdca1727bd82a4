"""GET /v1/models/{name}: the version status of a deployment, as TensorFlow Serving answers it, or
the model of that name where no deployment has it."""

from fastapi import APIRouter, Request, Response
from starlette.convertors import Convertor, register_url_convertor

from app.dependencies import Reader, ReadSession
from app.models import repository as models
from app.models.presenting import model_answer
from app.models.schemas import ErrorCode, LoadStatus, State, VersionStatus, VersionStatuses
from app.prediction import repository
from app.prediction.dependencies import ServedOf
from app.turns import TurnRoute

STATES: dict[str, tuple[State, ErrorCode]] = {
    "ready": ("AVAILABLE", "OK"),
    "loading": ("LOADING", "OK"),
    "failed": ("END", "FAILED_PRECONDITION"),
}


class _NameConvertor(Convertor[str]):
    """A deployment's name where a model's id may stand; what begins with `mdl_` is an id."""

    regex = "(?!mdl_)[^/:]+"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("deployment", _NameConvertor())
router = APIRouter(route_class=TurnRoute)


# Documented by app.models.router.
@router.get("/{model_id:deployment}", include_in_schema=False, response_model=VersionStatuses)
def model_status(
    model_id: str,
    request: Request,
    session: ReadSession,
    caller: Reader,
    served: ServedOf,
    deployment: bool = True,
) -> VersionStatuses | Response:
    row = repository.find(session, caller.project, model_id) if deployment else None
    if row is None:
        return model_answer(request, session, models.get(session, caller.project, model_id))
    status, reason = served.state(row)
    state, code = STATES[status]
    told = LoadStatus(error_code=code, error_message=reason or "")
    version = VersionStatus(version=str(row.version), state=state, status=told)
    return VersionStatuses(model_version_status=[version])
