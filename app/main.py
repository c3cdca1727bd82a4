"""The API process: `create_app` for any ASGI server."""

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import structlog
from fastapi import FastAPI
from sqlalchemy.exc import SQLAlchemyError
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Scope, Send

from app import health
from app.access.authentication import Authenticator, require_key_or_loopback
from app.access.loopback import LoopbackGuard
from app.at_once import WholeAnswer
from app.background import Outbox, Repeated
from app.damage import heal, mark
from app.database import Database
from app.datasets import router as datasets
from app.datasets.audits import router as audits
from app.deployments import canaries, watching
from app.deployments import router as deployments
from app.documented import complete
from app.idempotency import forget_old
from app.jobs import auditing, catalogue
from app.jobs import router as jobs
from app.jobs.following import Following
from app.jobs.recovery import recover
from app.keys import router as keys
from app.logs import configure_logs
from app.models import router as models
from app.prediction.explaining import router as explaining
from app.prediction.explaining.line import ExplanationLine
from app.prediction.front import PROTOCOLS, PredictionFront, route_of
from app.prediction.served import ServedModels
from app.private_folder import complaint, keep_private
from app.problems import LastResort, add_error_handlers
from app.request_id import RequestId
from app.settings import Settings
from app.storage import Storage
from app.traffic.recording import INTERVAL_SECONDS, Recorder
from app.traffic.tally import Tallies
from app.turns import CONNECTIONS, Turns
from app.usage import router as usage
from app.usage.sweep import sweep_now_and_then
from app.web import router as web

log = structlog.get_logger(__name__)

PATIENCE_SECONDS = 5.0  # of a request with the database's locks
SWEEP_SECONDS = 20.0  # between looks at whether it is time

TAGS = [
    {"name": "datasets", "description": "Labelled data, stored once and never changed."},
    {"name": "jobs", "description": "One transfer job: pretrain, transfer, compare, package."},
    {"name": "models", "description": "Packaged winners."},
    {"name": "deployments", "description": "Names that serve a model."},
    {"name": "catalogue", "description": "What a job can choose from."},
    {"name": "usage", "description": "What a project holds, and may hold."},
    {"name": "keys", "description": "Bearer keys and their scopes."},
    {"name": "operation", "description": "For supervisors and monitoring."},
]
ROUTERS = (
    datasets.router,
    audits.router,
    auditing.router,
    jobs.router,
    catalogue.router,
    *(protocol.router for protocol in PROTOCOLS),  # before models: names beside ids
    models.router,
    deployments.router,
    watching.router,
    canaries.router,
    explaining.router,
    usage.router,
    keys.router,
    health.router,
    web.router,
)


class Api(FastAPI):
    predictions: PredictionFront  # whose requests come by neither the middlewares nor the routers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if (route := route_of(scope)) is None:
            await super().__call__(scope, receive, send)
        else:
            await self.predictions(route, scope, receive, send)

    def at_once(self, scope: Scope, body: bytes) -> WholeAnswer | ASGIApp | None:
        route = route_of(scope)
        return None if route is None else self.predictions.at_once(route, scope, body)

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            complete(super().openapi())
        assert self.openapi_schema is not None
        return self.openapi_schema


def create_app(settings: Settings | None = None) -> FastAPI:
    """The schema must stand (app.migrate); the broker and the store may come later."""
    configure_logs()
    settings = settings or Settings()
    outbox = Outbox(settings.broker)
    database = Database(
        settings.database, outbox, connections=CONNECTIONS, patience_seconds=PATIENCE_SECONDS
    )
    storage = Storage(settings.storage, settings.cache_dir)
    authenticator = Authenticator(database, settings)
    served = ServedModels(database, storage)
    following = Following(database, settings)
    tallies = Tallies()
    recorder = Recorder(database, tallies)

    def repair() -> None:
        recover(database, settings)
        heal(database, storage)
        with database.write() as session:
            forget_old(session)
        authenticator.note_use()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        if left := keep_private(settings):
            log.warning("data_folder_open", reason=complaint(left))
        require_key_or_loopback(database, settings)
        recovery = Repeated("recovery", settings.recovery_interval_seconds, repair)
        sweeping = Repeated(
            "sweep",
            SWEEP_SECONDS,
            lambda: sweep_now_and_then(database, settings),
            is_prompt=True,  # so that a new store is this database's before it holds anything
        )
        recording = Repeated("traffic", INTERVAL_SECONDS, recorder.record)
        threads = (outbox, recovery, served, sweeping, recording)
        for thread in threads:
            thread.start()
        # What is loaded by now stays: a collection that looks through it all holds a request up.
        gc.collect()
        gc.freeze()
        try:
            yield
        finally:
            following.stop()
            for thread in reversed(threads):
                thread.stop()
            with suppress(SQLAlchemyError):  # what came since the last round
                recorder.record()
            database.dispose()

    app = Api(
        title="ktl",
        summary="Transfer learning as a service: POST one job, get evidence and an endpoint.",
        version=_version(),
        openapi_tags=TAGS,
        lifespan=lifespan,
        docs_url=None,  # FastAPI's two pages load scripts from elsewhere; app/web shows its own
        redoc_url=None,
        redirect_slashes=False,
        middleware=[
            Middleware(RequestId),
            Middleware(health.RequestMetrics),
            Middleware(LastResort),
            Middleware(LoopbackGuard, authenticator),
        ],
    )
    app.predictions = PredictionFront(settings, authenticator, served, tallies)
    app.state.settings, app.state.database, app.state.storage = settings, database, storage
    app.state.authenticator, app.state.outbox, app.state.served = authenticator, outbox, served
    app.state.turns, app.state.following = Turns(), following
    app.state.explanations = ExplanationLine()
    for router in ROUTERS:
        app.include_router(router)
    add_error_handlers(app, partial(mark, database))
    return app


def _version() -> str:
    try:
        return version("ktl")
    except PackageNotFoundError:  # run from a checkout that was not installed
        return "0+checkout"
