"""Answers to a supervisor: is the process alive, can it work, what has it done."""

from collections.abc import Callable
from functools import lru_cache
from time import perf_counter
from typing import Literal

from fastapi import APIRouter, Depends, Request, Response
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.database import Database
from app.dependencies import DatabaseOf, SettingsOf, StorageOf
from app.errors import Finding, KtlError, Unavailable, WorkFailure
from app.gate import BEARER, Needs
from app.jobs import trial_rows
from app.problems import PREDICTION_PATH
from app.turns import TurnRoute
from app.workers import repository as workers

router = APIRouter(tags=["operation"], route_class=TurnRoute)

REQUESTS = Counter("ktl_http_requests", "HTTP requests answered.", ["method", "route", "status"])
SECONDS = Histogram("ktl_http_request_seconds", "From request to last byte.", ["method", "route"])


# A worker says every ten seconds that its event loop turns; one that stands still ends itself after
# thirty.
ALIVE_SECONDS = 60.0


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
def metrics(database: DatabaseOf) -> Response:
    told = generate_latest() + generate_latest(_standing(database))
    return Response(told, media_type=CONTENT_TYPE_LATEST)


def _standing(database: Database) -> CollectorRegistry:
    """Gauges of what the database says at this moment, the same from each process of the API; where
    it does not answer, that alone."""
    registry = CollectorRegistry()

    def gauge(name: str, told: str, *labels: str) -> Gauge:
        return Gauge(name, told, labels, registry=registry)

    answers = gauge("ktl_database_up", "Whether the database answered.")
    try:
        with database.read() as session:
            seen, trials = workers.last_seen(session), trial_rows.open_trials(session)
    except (KtlError, SQLAlchemyError):
        return registry
    answers.set(1)
    ages = gauge("ktl_worker_age_seconds", "Since a worker was last seen to work.", "worker")
    for name, (seconds, _) in seen.items():
        ages.labels(name).set(seconds)
    alive = [slots for seconds, slots in seen.values() if seconds <= ALIVE_SECONDS]
    gauge("ktl_workers", f"Workers seen within {ALIVE_SECONDS:g} s.").set(len(alive))
    gauge("ktl_worker_slots", "Trials that these can train at once.").set(sum(alive))
    count = gauge("ktl_trials", "Trials of jobs under way, by what they do.", "status")
    for status, number in trials.items():
        count.labels(status).set(number)
    return registry


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
