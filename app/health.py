"""Answers to a supervisor: is the process alive, can it work, what has it done."""

from collections.abc import Callable
from functools import lru_cache
from time import perf_counter
from typing import Literal

from fastapi import APIRouter, Depends, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Histogram, generate_latest
from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.database import Database
from app.dependencies import DatabaseOf, SettingsOf, StorageOf
from app.errors import Finding, KtlError, Unavailable, WorkFailure
from app.gate import BEARER, Needs
from app.problems import PREDICTION_PATH
from app.turns import TurnRoute

router = APIRouter(tags=["operation"], route_class=TurnRoute)

REQUESTS = Counter("ktl_http_requests", "HTTP requests answered.", ["method", "route", "status"])
SECONDS = Histogram("ktl_http_request_seconds", "From request to last byte.", ["method", "route"])


class Health(BaseModel):
    status: Literal["ok"] = "ok"


@router.get("/healthz", summary="The process is alive")
async def healthz() -> Health:
    return Health()


async def _may_monitor(request: Request, settings: SettingsOf, _: object = BEARER) -> None:
    """Asks for a key where strangers could ask: what is counted is of all projects."""
    if not settings.monitoring_is_open:
        await Needs("read").admit(request)


MONITOR = [Depends(_may_monitor)]


@router.get("/readyz", summary="Database, broker and store answer", dependencies=MONITOR)
def readyz(request: Request, database: DatabaseOf, storage: StorageOf) -> Health:
    checks: dict[str, Callable[[], None]] = {
        "database": lambda: _check_database(database),
        "broker": request.app.state.outbox.check,
        "store": storage.check,
    }
    failed = []
    for name, check in checks.items():
        try:
            check()
        except (KtlError, WorkFailure, SQLAlchemyError):
            failed.append(name)
    if failed:
        findings = [Finding(f"the {name} does not answer") for name in failed]
        raise Unavailable("not_ready", f"not ready: {', '.join(failed)}", *findings)
    return Health()


@router.get("/metrics", summary="Prometheus metrics", response_class=Response, dependencies=MONITOR)
def metrics() -> Response:
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


def _check_database(database: Database) -> None:
    with database.read() as session:
        session.execute(text("SELECT 1 FROM alembic_version"))


class RequestMetrics:
    """Counts by the route's template, never by the path: ids would be labels without end."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, begin = 500, perf_counter()

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watch)
        finally:
            count_request(scope["method"], _template(scope), status, perf_counter() - begin)


def count_request(method: str, route: str, status: int, seconds: float) -> None:
    requests, durations = _labelled(method, route, status)
    requests.inc()
    durations.observe(seconds)


@lru_cache(maxsize=1024)  # to look labels up costs more than to count
def _labelled(method: str, route: str, status: int) -> tuple[Counter, Histogram]:
    return REQUESTS.labels(method, route, status), SECONDS.labels(method, route)


def _template(scope: Scope) -> str:
    if route := scope.get("route"):
        return str(route.path)
    return "prediction" if PREDICTION_PATH.search(scope["path"]) else "other"
