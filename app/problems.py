"""Every error of every route, as application/problem+json (RFC 9457)."""

import re
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

import orjson
import structlog
from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel, Field
from sqlalchemy.exc import (
    DatabaseError,
    DataError,
    IntegrityError,
    InterfaceError,
    PendingRollbackError,
    ProgrammingError,
    SQLAlchemyError,
)
from sqlalchemy.exc import TimeoutError as NotInTime
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import (
    BadRequest,
    Conflict,
    DamagedArtifact,
    Finding,
    Invalid,
    KtlError,
    Unavailable,
    UnsupportedMedia,
    WorkFailure,
)
from app.findings import SHOWN, invalid_of
from app.request_id import request_id_of

log = structlog.get_logger(__name__)

OnDamage = Callable[[DamagedArtifact], None]

MEDIA_TYPE = "application/problem+json"
# Open Inference and TensorFlow Serving clients read the member `error`.
PREDICTION_PATH = re.compile(
    r"^/v2(/|$)|^/v1/models/[^/]+:|^/v1/models/(?!mdl_)[^/]+$|^/v1/deployments/[^/]+/predict$"
)


class ProblemError(BaseModel):
    detail: str = Field(description="what was expected and what came")
    pointer: str | None = Field(None, description="into the body: `#/target/dataset`")
    parameter: str | None = Field(None, description="name of a query, path or header parameter")


class Problem(BaseModel):
    type: str = Field(description="`urn:ktl:problem:CODE`")
    title: str
    status: int
    detail: str
    instance: str = Field(description="the request's path")
    code: str = Field(description="stable: branch on this")
    request_id: str
    errors: list[ProblemError] = Field([], description="the first 20")
    errors_left_off: int | None = Field(
        None, description="how many more there are; absent where there are none"
    )
    error: str | None = Field(None, description="`detail` again, on prediction routes only")


def schemas() -> dict[str, Any]:
    """Schemas for OpenAPI's components."""
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    return {**problem.pop("$defs"), "Problem": problem}


def problem_json(
    error: Exception, instance: str, request_id: str
) -> tuple[int, dict[str, Any], dict[str, str]]:
    """Status, body and headers. What is no known error is logged and answered as `internal`."""
    findings: tuple[Finding, ...] = ()
    left_off = 0
    if isinstance(error, HTTPException):
        status, title = error.status_code, HTTPStatus(error.status_code).phrase
        code, detail = HTTPStatus(status).name.lower(), str(error.detail)
        headers = dict(error.headers or {})
    else:
        known = _known(error)
        status, title, code, detail = known.status, known.title, known.code, known.detail
        headers, findings, left_off = dict(known.headers), known.findings, known.left_off
        if known.status == HTTPStatus.INTERNAL_SERVER_ERROR:
            log.error("request_failed", instance=instance, request_id=request_id, exc_info=error)
    body: dict[str, Any] = {
        "type": f"urn:ktl:problem:{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": instance,
        "code": code,
        "request_id": request_id,
        "errors": [finding.as_json() for finding in findings[:SHOWN]],
    }
    if left_off := left_off + max(0, len(findings) - SHOWN):
        body["errors_left_off"] = left_off
    if PREDICTION_PATH.search(instance):
        body["error"] = detail
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers.setdefault("Retry-After", "1")
    return status, body, {**headers, "Content-Type": MEDIA_TYPE}


def problem_response(error: Exception, scope: Scope) -> Response:
    status, body, headers = problem_json(error, scope["path"], request_id_of(scope))
    return Response(orjson.dumps(body), status, headers)


def _known(error: Exception) -> KtlError:
    match error:
        case KtlError():
            return error
        case DamagedArtifact():  # waiting does not cure it
            return Conflict(error.reason, error.detail)
        case WorkFailure():
            return Unavailable(error.reason, error.detail)
        case ClientDisconnect():  # nobody reads this; it stands in no log of errors
            return BadRequest("client_gone", "expected a whole body, the client went away")
        case SQLAlchemyError():
            return _of_database(error)
        case _:
            return _internal()


def _of_database(error: SQLAlchemyError) -> KtlError:
    match error:
        case DataError():  # a NUL in a text, say, which PostgreSQL does not store
            detail = "expected values that the database can store, got a NUL or too large a number"
            return Invalid("unstorable_value", detail)
        case IntegrityError() | ProgrammingError():  # mistakes of ours
            return _internal()
        case DatabaseError() | InterfaceError() | NotInTime() | PendingRollbackError():
            # Away, locked, without a connection to give, on a full disk, gone in mid-transaction.
            log.error("database_failed", error=str(getattr(error, "orig", error)))
            return Unavailable("database_unavailable", "the database does not answer")
        case _:
            return _internal()


def _internal() -> KtlError:
    return KtlError("internal", "an error of ours; the request_id finds it in our log")


def add_error_handlers(app: FastAPI, on_damage: OnDamage) -> None:
    """`on_damage`: told, in a thread, of each damaged file before its problem is answered."""

    async def render(request: Request, error: Exception) -> Response:
        return problem_response(error, request.scope)

    async def render_validation(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return problem_response(_invalid_request(error, request), request.scope)

    async def render_http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return problem_response(_clearer(error, request, app), request.scope)

    async def render_damage(request: Request, error: Exception) -> Response:
        assert isinstance(error, DamagedArtifact)
        await run_in_threadpool(on_damage, error)
        return problem_response(error, request.scope)

    app.add_exception_handler(DamagedArtifact, render_damage)
    for kind in (KtlError, WorkFailure, SQLAlchemyError):
        app.add_exception_handler(kind, render)
    app.add_exception_handler(RequestValidationError, render_validation)
    app.add_exception_handler(HTTPException, render_http)


class LastResort:
    """Answers what no handler knew with a 500 that keeps its secrets; the log has the trace."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        has_started = False

        async def watch(message: Message) -> None:
            nonlocal has_started
            has_started = True
            await send(message)

        try:
            await self._app(scope, receive, watch)
        except Exception as error:
            if scope["type"] != "http" or has_started:
                raise
            await problem_response(error, scope)(scope, receive, send)


def _invalid_request(error: RequestValidationError, request: Request) -> KtlError:
    if isinstance(error.body, bytes):  # FastAPI reads as JSON only what says that it is
        got = request.headers.get("content-type", "none")[:80]
        detail = f"expected Content-Type: application/json, got {got}"
        return UnsupportedMedia("unsupported_media_type", detail)
    return invalid_of(error.errors(), error.body)


def _clearer(error: HTTPException, request: Request, app: FastAPI) -> Exception:
    path, method = request.scope["path"], request.method
    if error.status_code == HTTPStatus.NOT_FOUND:
        detail = "expected a path of /openapi.json, got one that is not there"
        if b"%2f" in request.scope.get("raw_path", b"").lower():
            detail += ": a name with a slash stands in no path, its id does"
        return HTTPException(error.status_code, detail, error.headers)
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = ", ".join(sorted(_methods(app, path)))
        headers = {**(error.headers or {}), "Allow": allowed}
        return HTTPException(error.status_code, f"expected {allowed}, got {method}", headers)
    if isinstance(error.__cause__, KtlError):  # raised while FastAPI read the body
        return error.__cause__
    return error


def _methods(app: FastAPI, path: str) -> Iterable[str]:
    """Methods of all routes with this path: the router itself names only the first one's."""
    for route in iter_route_contexts(app.routes):
        pattern = getattr(route, "path_regex", None)
        if pattern and pattern.match(path):
            yield from route.methods or ()
