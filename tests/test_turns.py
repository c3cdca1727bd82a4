"""Many clients at once: all are answered, reads are not held up by writes, and no wait is long."""

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from pydantic import BaseModel
from sqlalchemy import text

from app import main, turns
from app.database import Database
from app.dependencies import ReadSession
from app.errors import Unavailable
from app.main import create_app
from app.settings import Settings
from tests.serving import serve

CLIENTS = 100
SMALL = {"name": "digits", "from": "catalog:digits"}


class Looked(BaseModel):
    count: int


@pytest.fixture
def api_settings(settings: Settings, database: Database) -> Settings:
    url = database.engine.url.render_as_string(hide_password=False)
    return settings.model_copy(update={"database_url": url, "broker_url": "memory://"})


@contextmanager
def writing(database: Database) -> Iterator[None]:
    """Another process writes, and takes its time."""
    with database.write() as session:
        is_postgresql = database.engine.dialect.name == "postgresql"
        session.execute(text("LOCK datasets IN EXCLUSIVE MODE" if is_postgresql else "SELECT 1"))
        yield


def test_more_clients_than_threads_and_connections_are_all_answered(database: Database) -> None:
    app = FastAPI()
    app.state.database, app.state.turns = database, turns.Turns()
    app.router.route_class = turns.TurnRoute

    @app.get("/look")
    def _look(session: ReadSession) -> Looked:
        count = session.scalar(text("SELECT count(*) FROM datasets"))
        time.sleep(0.1)  # all others come meanwhile
        return Looked(count=count)

    with serve(app) as client, ThreadPoolExecutor(CLIENTS) as threads:
        answers = list(threads.map(lambda _: client.get("/look"), range(CLIENTS)))
    assert {answer.status_code for answer in answers} == {200}


def test_reads_do_not_wait_for_writes(api_settings: Settings, database: Database) -> None:
    with serve(create_app(api_settings)) as client, ThreadPoolExecutor(30) as threads:
        with writing(database):
            posts = [threads.submit(client.post, "/v1/datasets", json=SMALL) for _ in range(30)]
            for _ in range(5):
                assert client.get("/v1/datasets").json()["data"] == []
            assert not any(post.done() for post in posts)
        assert {post.result().status_code for post in posts} == {202}


def test_a_lock_that_stays_is_unavailable(
    api_settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(main, "PATIENCE_SECONDS", 0.3)
    with serve(create_app(api_settings)) as client, ThreadPoolExecutor(3) as threads:
        with writing(database):
            answers = list(threads.map(lambda _: client.post("/v1/datasets", json=SMALL), range(3)))
        for answer in answers:
            assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
            assert int(answer.headers["retry-after"]) > 0
        assert client.post("/v1/datasets", json=SMALL).status_code == 202


def test_a_turn_that_does_not_come_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "WAIT_SECONDS", 0.2)
    monkeypatch.setattr(turns, "READS", 1)
    monkeypatch.setattr(turns, "WRITES", 1)
    release = Event()

    async def ask() -> Any:
        process = turns.Turns()
        first = asyncio.create_task(process.take(False, lambda: release.wait(20)))
        await asyncio.sleep(0)
        with pytest.raises(Unavailable) as refused:
            await process.take(False, lambda: None)
        assert await process.take(True, lambda: "written") == "written"
        release.set()
        return await first, refused.value

    has_ended, refused = asyncio.run(ask())
    assert has_ended  # it took longer than one may wait, and was not cut
    assert (refused.code, refused.headers) == ("database_unavailable", {"Retry-After": "2"})


def test_every_plain_route_runs_in_a_turn(settings: Settings) -> None:
    """Else it would get no session, and take a thread from where nobody counts them."""
    app = create_app(settings)
    routes = [found.original_route for found in iter_route_contexts(app.routes)]
    ours = [route for route in routes if isinstance(route, APIRoute)]
    assert len(ours) > 20
    for route in ours:
        assert isinstance(route, turns.TurnRoute), route.path
        assert asyncio.iscoroutinefunction(route.endpoint), route.path


def test_a_client_that_leaves_takes_nothing_with_it(api_settings: Settings) -> None:
    """Requests whose clients give up while they wait for the turn free it all the same."""
    with serve(create_app(api_settings)) as client, ThreadPoolExecutor(40) as threads:

        def give_up(_: int) -> None:
            with pytest.raises(httpx.TimeoutException):
                client.get("/v1/datasets", timeout=0.001)

        list(threads.map(give_up, range(40)))
        assert client.get("/v1/datasets").status_code == 200


def test_lost_connections_are_unavailable_and_come_back(
    api_settings: Settings, database: Database
) -> None:
    if database.engine.dialect.name != "postgresql":
        pytest.skip("SQLite has no connections to lose")
    others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = "
    others += "current_database() AND pid <> pg_backend_pid()"
    with serve(create_app(api_settings)) as client, ThreadPoolExecutor(20) as threads:

        def ask(number: int) -> int:
            if number % 2:
                return client.get("/v1/datasets", params={"limit": 3}).status_code
            return client.post("/v1/datasets", json=SMALL).status_code

        assert client.get("/v1/datasets").status_code == 200  # it has started
        asked = [threads.submit(ask, number) for number in range(200)]
        while not all(answer.done() for answer in asked):
            with database.read() as session:
                session.execute(text(others))
            time.sleep(0.02)  # or nothing but dying would be done on a busy machine
        assert {answer.result() for answer in asked} <= {200, 202, 503}
        assert client.get("/v1/datasets").status_code == 200
