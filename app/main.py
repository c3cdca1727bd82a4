"""The API process: `create_app` for any ASGI server."""

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.types import Receive, Scope, Send

from app import health
from app.background import Outbox, Repeated
from app.body_limit import BodyLimit
from app.database import Database
from app.datasets import router as datasets
from app.deployments import router as deployments
from app.idempotency import forget_old
from app.jobs import catalogue
from app.jobs import router as jobs
from app.jobs.recovery import recover
from app.keys import router as keys
from app.keys.authentication import Authenticator, require_key_or_loopback
from app.keys.loopback import LoopbackGuard
from app.logs import configure_logs
from app.models import router as models
from app.prediction.native import PredictionFront, deployment_in
from app.prediction.served import ServedModels
from app.problems import RESPONSES, LastResort, add_error_handlers, schemas
from app.request_id import RequestId
from app.settings import Settings
from app.storage import Storage

TAGS = [
    {"name": "datasets", "description": "Labelled data, stored once and never changed."},
    {"name": "jobs", "description": "One transfer job: pretrain, transfer, compare, package."},
    {"name": "models", "description": "Packaged winners."},
    {"name": "deployments", "description": "Names that serve a model."},
    {"name": "catalogue", "description": "What a job can choose from."},
    {"name": "keys", "description": "Bearer keys and their scopes."},
    {"name": "operation", "description": "For supervisors and monitoring."},
]
ROUTERS = (
    datasets.router,
    jobs.router,
    catalogue.router,
    models.router,
    deployments.router,
    keys.router,
    health.router,
)


class Api(FastAPI):
    predictions: PredictionFront  # whose requests come by neither the middlewares nor the routers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if (name := deployment_in(scope)) is None:
            await super().__call__(scope, receive, send)
        else:
            await self.predictions(name, scope, receive, send)

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            described = super().openapi()
            described.setdefault("components", {}).setdefault("schemas", {}).update(schemas())
        assert self.openapi_schema is not None
        return self.openapi_schema


def create_app(settings: Settings | None = None) -> FastAPI:
    """The schema must stand (app.migrate); the broker and the store may come later."""
    configure_logs()
    settings = settings or Settings()
    outbox = Outbox(settings.broker)
    database = Database(settings.database, outbox)
    storage = Storage(settings.storage, settings.cache_dir)
    authenticator = Authenticator(database, settings)
    served = ServedModels(database, storage)

    def repair() -> None:
        recover(database, settings)
        with database.write() as session:
            forget_old(session)
        authenticator.note_use()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        require_key_or_loopback(database, settings)
        recovery = Repeated("recovery", settings.recovery_interval_seconds, repair)
        threads = (outbox, recovery, served)
        for thread in threads:
            thread.start()
        # What is loaded by now stays: a collection that looks through it all holds a request up.
        gc.collect()
        gc.freeze()
        try:
            yield
        finally:
            for thread in reversed(threads):
                thread.stop()
            database.dispose()

    app = Api(
        title="ktl",
        summary="Transfer learning as a service: POST one job, get evidence and an endpoint.",
        version=_version(),
        openapi_tags=TAGS,
        responses=RESPONSES,
        lifespan=lifespan,
        redirect_slashes=False,
        middleware=[
            Middleware(RequestId),
            Middleware(health.RequestMetrics),
            Middleware(LastResort),
            Middleware(LoopbackGuard, authenticator),
            Middleware(BodyLimit),
        ],
    )
    app.predictions = PredictionFront(settings, authenticator, served)
    app.state.settings, app.state.database, app.state.storage = settings, database, storage
    app.state.authenticator, app.state.outbox, app.state.served = authenticator, outbox, served
    for router in ROUTERS:
        app.include_router(router)
    add_error_handlers(app)
    return app


def _version() -> str:
    try:
        return version("ktl")
    except PackageNotFoundError:  # run from a checkout that was not installed
        return "0+checkout"
