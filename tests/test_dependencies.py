"""A client that has an answer finds what it was told of; a commit that fails is told."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import event, func, select
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.access import repository
from app.database import Database, announce
from app.dependencies import WriteSession
from app.errors import Conflict
from app.messages import IngestDataset
from app.problems import add_error_handlers
from app.request_id import RequestId
from app.tables.keys import KeyRow
from app.turns import TurnRoute, Turns
from tests.serving import serve


def rows(database: Database) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(KeyRow)) or 0


class Watch:
    """Counts the rows that another connection sees when the answer begins."""

    def __init__(self, app: ASGIApp, database: Database, seen: list[int]) -> None:
        self._app, self._database, self._seen = app, database, seen

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def watch(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._seen.append(rows(self._database))
            await send(message)

        await self._app(scope, receive, watch)


@pytest.fixture
def seen() -> list[int]:
    return []


@pytest.fixture
def sent() -> list[Any]:
    return []


@pytest.fixture
def client(
    database_url: str, database: Database, seen: list[int], sent: list[Any]
) -> Iterator[httpx.Client]:
    app = FastAPI(middleware=[Middleware(RequestId), Middleware(Watch, database, seen)])
    app.state.database = Database(database_url, sent.append)
    app.state.turns = Turns()
    app.router.route_class = TurnRoute
    add_error_handlers(app, on_damage=lambda _: None)

    @app.post("/make/{end}")
    def _make(end: str, session: WriteSession) -> None:
        repository.create(session, "made", "default", ["read"])
        announce(session, IngestDataset("ds_1"))
        if end == "refused":
            raise Conflict("no", "not now")
        if end == "uncommitted":

            def fail(_: Any) -> None:
                raise Conflict("late", "the commit failed")

            event.listen(session, "before_commit", fail)

    with serve(app) as client:
        yield client
    app.state.database.dispose()


def test_the_commit_comes_before_the_answer(
    client: httpx.Client, seen: list[int], sent: list[Any]
) -> None:
    assert client.post("/make/well").status_code == 200
    assert seen == [1]
    assert sent == [IngestDataset("ds_1")]


@pytest.mark.parametrize(("end", "code"), [("refused", "no"), ("uncommitted", "late")])
def test_what_fails_leaves_nothing_and_sends_nothing(
    client: httpx.Client, database: Database, sent: list[Any], end: str, code: str
) -> None:
    answer = client.post(f"/make/{end}")
    assert (answer.status_code, answer.json()["code"]) == (409, code)
    assert (rows(database), sent) == (0, [])
