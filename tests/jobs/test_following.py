"""Many streams of one process: what they cost, and where they end."""

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import Any

import httpx
import pytest
from sqlalchemy import event

from app.access import repository as keys
from app.database import Database
from app.errors import TooManyRequests
from app.jobs import following, lifecycle
from app.jobs.following import Follower, Following
from app.main import create_app
from app.settings import Settings
from tests.jobs.factories import add_dataset, add_job, finish, must_claim, ready_job
from tests.jobs.requests import problem
from tests.jobs.test_stream import ended_job, story
from tests.serving import serve

STREAMS = 120


def paused_job(database: Database) -> str:
    source, target = (add_dataset(database, project="default") for _ in range(2))
    job_id = add_job(database, source, target, project="default")
    with database.write() as session:
        lifecycle.pause(session, job_id)
    return job_id


@contextmanager
def streams(client: httpx.Client, job_id: str, count: int) -> Iterator[list[socket.socket]]:
    """So many that have told all there is; closed all at once."""
    head = f"GET /v1/jobs/{job_id}/events HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    address = (client.base_url.host, client.base_url.port or 0)
    with ExitStack() as opened:
        made = []
        for _ in range(count):
            stream = opened.enter_context(closing(socket.create_connection(address, timeout=20)))
            stream.sendall(head)
            made.append(stream)
        for stream in made:
            received = b""
            while b"paused" not in received:
                received += stream.recv(2**16)
                assert received.startswith(b"HTTP/1.1 200"), received
        yield made


def test_many_streams_leave_the_threads_to_others(
    api_settings: Settings, database: Database
) -> None:
    job_id = paused_job(database)
    more = api_settings.model_copy(update={"key_stream_limit": STREAMS})
    app = create_app(more)
    asked: list[str] = []
    with serve(app) as client:
        with streams(client, job_id, STREAMS):
            event.listen(
                app.state.database.engine,
                "before_cursor_execute",
                lambda *arguments: asked.append(arguments[2]),
            )
            for _ in range(10):
                assert client.get("/v1/jobs").status_code == 200
                time.sleep(0.02)
            looks = [statement for statement in asked if "event_count" in statement]
            assert len(looks) < STREAMS  # one look for all, not one each
        for _ in range(10):
            assert client.get("/v1/jobs").status_code == 200
        assert app.state.database.engine.pool.size() < STREAMS


def test_an_event_reaches_every_stream(api_settings: Settings, database: Database) -> None:
    job_id = paused_job(database)
    with serve(create_app(api_settings)) as client, streams(client, job_id, 80) as opened:
        assert client.post(f"/v1/jobs/{job_id}/cancel").status_code == 200
        for stream in opened:
            received = b""
            while not received.endswith(b"0\r\n\r\n"):  # the end of the answer
                received += stream.recv(2**16)
            assert b"cancelled" in received


def test_a_key_has_so_many_streams(api_settings: Settings, database: Database) -> None:
    job_id = paused_job(database)
    few = api_settings.model_copy(update={"key_stream_limit": 2})
    with database.write() as session:
        _, other = keys.create(session, "another", "default", ["read"])
        _, mine = keys.create(session, "mine", "default", ["read"])
    path = f"/v1/jobs/{job_id}/events"
    with serve(create_app(few)) as client, ExitStack() as opened:

        def open_stream(key: str) -> httpx.Response:
            headers = {"Authorization": f"Bearer {key}"}
            return opened.enter_context(client.stream("GET", path, headers=headers))

        assert [open_stream(mine).status_code for _ in range(2)] == [200, 200]
        refused = open_stream(mine)
        refused.read()
        problem(refused, 429, "too_many_streams")
        assert int(refused.headers["retry-after"]) > 0
        assert open_stream(other).status_code == 200
        opened.pop_all().close()
        deadline = time.monotonic() + 10
        while (again := open_stream(mine).status_code) == 429 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert again == 200


@pytest.mark.parametrize("window", [1, 3])
def test_a_long_story_is_told_whole(
    client: httpx.Client, database: Database, monkeypatch: pytest.MonkeyPatch, window: int
) -> None:
    """What is no longer in memory comes from the database, in its order."""
    monkeypatch.setattr(following, "WINDOW", window)
    job_id = ended_job(database)
    events = story(client, job_id)
    assert [int(told.number) for told in events] == list(range(1, len(events) + 1))
    assert events[-1].data["status"] == "cancelled"
    assert story(client, job_id, after="2") == events[2:]
    assert story(client, job_id, after="1000") == []


def followed(
    database: Database, settings: Settings, act: Callable[[Following], Awaitable[Any]]
) -> Any:
    async def run() -> Any:
        watcher = Following(database, settings)
        try:
            return await act(watcher)
        finally:
            watcher.stop()

    return asyncio.run(run())


async def all_of(follower: Follower) -> list[bytes]:
    told = []
    while (content := await follower.next()) is not None:
        told.append(content)
    return told


def test_who_has_nothing_to_tell_says_that_it_lives(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "PING_SECONDS", 0.05)
    job_id = ready_job(database)

    async def act(watcher: Following) -> bytes | None:
        with watcher.follow(job_id, None, 99, progress=False) as follower:
            return await follower.next()

    assert followed(database, settings, act) == b": ping\n\n"


def test_a_database_that_is_away_for_a_while_ends_no_stream(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = ready_job(database)
    finish(database, must_claim(database))
    with database.write() as session:
        lifecycle.cancel(session, job_id)
    read, failures = database.read, iter(range(2))

    def away() -> Any:
        if next(failures, None) is not None:
            raise ConnectionError("it is away")
        return read()

    monkeypatch.setattr(database, "read", away)

    async def act(watcher: Following) -> list[bytes]:
        with watcher.follow(job_id, None, 0, progress=False) as follower:
            return await all_of(follower)

    told = b"".join(followed(database, settings, act))
    assert told.count(b"\nid: ") > 2


def test_a_deleted_job_ends_its_streams(database: Database, settings: Settings) -> None:
    async def act(watcher: Following) -> list[bytes]:
        with watcher.follow("job_gone", None, 0, progress=True) as follower:
            return await all_of(follower)

    assert followed(database, settings, act) == []


def test_the_process_has_so_many_streams_and_forgets_who_left(
    database: Database, settings: Settings
) -> None:
    job_id = ready_job(database)
    three = settings.model_copy(update={"stream_limit": 3})

    async def act(watcher: Following) -> None:
        for _ in range(2):
            with ExitStack() as seats:
                for number in range(3):
                    seats.enter_context(watcher.follow(job_id, f"key_{number}", 0, False))
                with pytest.raises(TooManyRequests), watcher.follow(job_id, "key_9", 0, False):
                    pass
        assert watcher._topics == {}

    followed(database, three, act)
