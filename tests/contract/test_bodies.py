"""The key and the size come before a body, on every route: what the app takes is counted."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.types import Message

from app.access import repository
from app.gate import LIMIT_BYTES, GuardedRoute
from app.main import create_app
from app.migrate import upgrade
from app.settings import Settings
from tests.contract.operations import PREDICTING, Operation, operations

CHUNK = b"[" * 2**16
ENDLESS = 2**26  # bytes that are on offer
DESCRIBING = {"/openapi.json", "/docs", "/redoc", "/", "/web/{path:path}"}
SCOPES = ("read", "write", "predict", "admin")


class Asked:
    """One request with a large body, and what came of it."""

    def __init__(self, operation: Operation, media_type: str, key: str | None, is_declared: bool):
        self.status = self.taken = 0
        headers = {"host": "localhost", "content-type": media_type}
        headers |= {"authorization": f"Bearer {key}"} if key else {}
        headers |= {"content-length": str(ENDLESS)} if is_declared else {}
        path = operation.path()
        self._scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": operation.method,
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "scheme": "http",
            "query_string": b"",
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        }

    async def of(self, app: FastAPI) -> "Asked":
        async def receive() -> Message:
            self.taken += len(CHUNK)
            more = self.taken < ENDLESS
            return {"type": "http.request", "body": CHUNK, "more_body": more}

        async def send(message: Message) -> None:
            self.status = message.get("status", self.status)

        await app(self._scope, receive, send)
        return self


class Service:
    def __init__(self, folder: Path) -> None:
        settings = Settings(
            data_dir=folder,
            host="0.0.0.0",
            upload_limit_bytes=LIMIT_BYTES,
            predict_limit_bytes=LIMIT_BYTES,
            first_key_file=folder / "key",
        )
        (folder / "key").write_text("ktl_the_first_key_of_this_test")
        upgrade(settings.database)
        self.app = create_app(settings)
        self.operations = list(operations(self.app.openapi()))
        self._loop = asyncio.new_event_loop()
        self._life = self.app.router.lifespan_context(self.app)
        self._loop.run_until_complete(self._life.__aenter__())

    def ask(self, operation: Operation, key: str | None, is_declared: bool) -> list[Asked]:
        """With each media type that it takes, and JSON."""
        types = dict.fromkeys([*operation.media_types, "application/json"])
        return [
            self._loop.run_until_complete(Asked(operation, kind, key, is_declared).of(self.app))
            for kind in types
        ]

    def key(self, scope: str) -> str:
        with self.app.state.database.write() as session:
            return repository.create(session, scope, "default", [scope])[1]

    def close(self) -> None:
        self._loop.run_until_complete(self._life.__aexit__(None, None, None))
        self._loop.close()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    service = Service(tmp_path_factory.mktemp("bodies"))
    yield service
    service.close()


@pytest.mark.parametrize("is_declared", [True, False])
@pytest.mark.parametrize("key", [None, "ktl_not_one_that_was_made_here"])
def test_without_a_key_no_byte_is_read(
    service: Service, key: str | None, is_declared: bool
) -> None:
    for operation in service.operations:
        for asked in service.ask(operation, key, is_declared):
            assert asked.taken == 0, operation.name
            assert asked.status == (200 if operation.is_open else 401), operation.name


@pytest.mark.parametrize("is_declared", [True, False])
def test_without_the_scope_no_byte_is_read(service: Service, is_declared: bool) -> None:
    for operation in service.operations:
        refused = 0
        for scope in SCOPES[:3]:
            for asked in service.ask(operation, service.key(scope), is_declared):
                if asked.status == 403:
                    refused += 1
                    assert asked.taken == 0, operation.name
        assert refused or operation.is_open, operation.name


@pytest.mark.parametrize("is_declared", [True, False])
def test_with_a_key_a_large_body_is_read_to_its_limit(service: Service, is_declared: bool) -> None:
    for operation in service.operations:
        for asked in service.ask(operation, service.key("admin"), is_declared):
            limit = 0 if is_declared or not operation.media_types else LIMIT_BYTES + len(CHUNK)
            assert asked.taken <= limit, operation.name
            assert asked.status in operation.documented, operation.name
            if "application/json" in operation.media_types and operation.template not in PREDICTING:
                assert asked.status in {413, 400}, operation.name


def _documented(path: str) -> str:
    """The form of an action that stands in the document: `/{id}/cancel` for `/{id}:cancel`."""
    resource, _, action = path.rpartition(":")
    return f"{resource}/{action}" if resource and action != "predict" else path


def test_every_route_is_guarded(service: Service) -> None:
    ours = [each for each in iter_route_contexts(service.app.routes) if each.path not in DESCRIBING]
    for each in ours:
        assert isinstance(each.original_route, GuardedRoute), each.path
    found = {
        (method, _documented(each.path_format)) for each in ours for method in each.methods or ()
    }
    assert found == {(each.method, each.template) for each in service.operations}
