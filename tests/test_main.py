"""The whole API process, on a real server, as its clients and its supervisor see it."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Event
from typing import Any

import httpx
import pytest
from sqlalchemy import update

from app import background
from app.background import Outbox, Repeated
from app.broker import ensure
from app.child_process import kill_session
from app.cli.supervisor import Supervisor
from app.database import Database
from app.main import create_app
from app.messages import IngestDataset
from app.migrate import upgrade
from app.settings import Settings
from app.tables.workers import WorkerRow
from app.workers import repository
from tests.serving import serve


@pytest.fixture
def client(settings: Settings) -> Iterator[httpx.Client]:
    upgrade(settings.database)
    with serve(create_app(settings)) as client:
        yield client


def test_it_lives_without_a_broker_and_says_so(client: httpx.Client) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    refused = client.get("/readyz")
    assert refused.status_code == 503
    body = refused.json()
    assert (body["code"], body["errors"]) == (
        "not_ready",
        [{"detail": "the broker does not answer"}],
    )


def test_it_is_ready_when_all_answer(settings: Settings) -> None:
    upgrade(settings.database)
    broker = ensure(settings)
    assert broker is not None
    try:
        with serve(create_app(settings)) as client:
            assert client.get("/readyz").json() == {"status": "ok"}
    finally:
        kill_session(broker)
        broker.wait()


def test_a_store_and_a_database_that_fail_are_named(settings: Settings) -> None:
    upgrade(settings.database)
    Path(settings.storage).write_text("a file where the folder should be")
    with serve(create_app(settings)) as client:
        assert client.get("/readyz").json()["detail"] == "not ready: broker, store"


def test_requests_are_counted_by_route(client: httpx.Client) -> None:
    client.get("/v1/jobs/job_1")
    client.get("/v1/jobs/job_2")
    client.get("/nowhere/3")
    metrics = client.get("/metrics")
    assert metrics.headers["content-type"].startswith("text/plain")
    lines = [line for line in metrics.text.splitlines() if line.startswith("ktl_http_requests_t")]
    assert any('route="/v1/jobs/{' in line and 'status="404"' in line for line in lines)
    assert not any("job_1" in line or "nowhere" in line for line in lines)


def gauges(client: httpx.Client) -> dict[str, float]:
    lines = [line for line in client.get("/metrics").text.splitlines() if line[:1] != "#"]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def test_workers_and_trials_are_counted(client: httpx.Client, settings: Settings) -> None:
    assert gauges(client)["ktl_workers"] == 0
    database = Database(settings.database)
    with database.write() as session:
        for name, slots in (("one", 2), ("other", 3), ("gone", 5)):
            repository.declare(session, name, slots, 2**30)
        gone = update(WorkerRow).where(WorkerRow.name == "gone")
        session.execute(gone.values(seen_at=WorkerRow.seen_at - 100))
    found = gauges(client)
    assert (found["ktl_database_up"], found["ktl_workers"], found["ktl_worker_slots"]) == (1, 2, 5)
    assert 100 <= found['ktl_worker_age_seconds{worker="gone"}'] < 200
    assert found['ktl_trials{status="queued"}'] == 0
    database.dispose()


def test_metrics_without_a_database(client: httpx.Client, settings: Settings) -> None:
    with closing(sqlite3.connect(settings.home / "ktl.db")) as file:
        file.execute("DROP TABLE workers")
    found = gauges(client)
    assert found["ktl_database_up"] == 0
    assert "ktl_workers" not in found


def test_every_error_is_a_problem(client: httpx.Client) -> None:
    answers = [
        client.get("/v1/jobs/job_1"),
        client.get("/nowhere"),
        client.patch("/v1/jobs"),
        client.post("/v1/jobs", content=b"{", headers={"Content-Type": "application/json"}),
        client.post("/v1/jobs", json={}),
        client.post("/v1/deployments/none/predict", json={"inputs": [1]}),
        client.put("/v1/deployments/NONE", json={}),
    ]
    for answer in answers:
        assert 400 <= answer.status_code < 500, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["request_id"] == answer.headers["x-request-id"]
    assert answers[2].headers["allow"] == "GET, POST"
    assert answers[5].json()["error"]


def test_every_answer_is_what_it_says(client: httpx.Client) -> None:
    for path in ("/healthz", "/v1/jobs", "/nowhere", "/openapi.json", "/docs"):
        assert client.get(path).headers["x-content-type-options"] == "nosniff"
    refused = client.post("/v1/deployments/x/predict", json={})
    assert refused.headers["x-content-type-options"] == "nosniff"


KEY = "ktl_the_first_key_of_this_test"


def monitors(settings: Settings, path: str) -> dict[str, int]:
    """The statuses for one without a key, one with a key that may not read, and one who may."""
    assert settings.first_key_file
    settings.first_key_file.parent.mkdir(exist_ok=True)
    settings.first_key_file.write_text(KEY)
    upgrade(settings.database)
    with serve(create_app(settings)) as client:
        admin = {"Authorization": f"Bearer {KEY}"}
        body = {"name": "p", "scopes": ["predict"]}
        other = client.post("/v1/keys", json=body, headers=admin).json()["key"]
        keys = {"none": {}, "predict": {"Authorization": f"Bearer {other}"}, "admin": admin}
        return {name: client.get(path, headers=key).status_code for name, key in keys.items()}


@pytest.mark.parametrize(
    ("changes", "statuses"),
    [
        ({"host": "0.0.0.0"}, (401, 403, 200)),
        ({"host": "127.0.0.1"}, (200, 200, 200)),
        ({"host": "0.0.0.0", "monitoring": "open"}, (200, 200, 200)),
        ({"host": "127.0.0.1", "monitoring": "keyed"}, (401, 403, 200)),
    ],
)
def test_who_may_look_at_the_figures(
    settings: Settings, changes: dict[str, str], statuses: tuple[int, ...]
) -> None:
    chosen = settings.model_copy(update={**changes, "first_key_file": settings.home / "key"})
    assert tuple(monitors(chosen, "/metrics").values()) == statuses


def test_a_supervisor_without_a_key_sees_that_the_service_lives(settings: Settings) -> None:
    settings.home.mkdir()
    (settings.home / "key").write_text(KEY)
    changes = {"host": "0.0.0.0", "first_key_file": settings.home / "key"}
    chosen = settings.model_copy(update=changes)
    upgrade(chosen.database)
    with serve(create_app(chosen)) as client:
        assert client.get("/readyz").status_code == 401
        here = chosen.model_copy(update={"port": client.base_url.port})
        assert Supervisor(here, print).is_ready()


FOREIGN = [{"Host": "evil.example"}, {"Origin": "https://evil.example"}, {"Origin": "null"}]
OURS = [{"Host": "localhost:8000"}, {"Host": "[::1]"}, {"Origin": "http://127.0.0.1:3000"}]


@pytest.mark.parametrize("headers", FOREIGN)
def test_a_web_page_cannot_use_a_server_without_keys(
    client: httpx.Client, headers: dict[str, str]
) -> None:
    for path in ("/v1/jobs", "/v1/deployments/x/predict"):
        refused = client.post(path, json={}, headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (403, "foreign_origin")


@pytest.mark.parametrize("headers", OURS)
def test_this_machine_can(client: httpx.Client, headers: dict[str, str]) -> None:
    assert client.get("/v1/jobs", headers=headers).status_code == 200


def test_with_a_key_any_host_will_do(client: httpx.Client) -> None:
    made = client.post("/v1/keys", json={"name": "k", "scopes": ["read"]}).json()
    headers = {"Host": "ktl.example", "Authorization": f"Bearer {made['key']}"}
    assert client.get("/v1/jobs", headers=headers).status_code == 200


def test_on_an_open_address_it_does_not_start_without_a_key(settings: Settings) -> None:
    upgrade(settings.database)
    app = create_app(settings.model_copy(update={"host": "0.0.0.0"}))

    async def start() -> None:
        async with app.router.lifespan_context(app):
            pass

    with pytest.raises(RuntimeError, match="refusing to listen"):
        asyncio.run(start())


def test_sending_waits_for_no_broker_and_survives_any_error(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    tried: list[Any] = []

    class Failing:
        def __init__(self, _: Any) -> None: ...

        def __call__(self, message: Any) -> None:
            tried.append(message)
            raise RuntimeError("a transport's own")

    monkeypatch.setattr(background, "Publisher", Failing)
    outbox = Outbox(settings.broker)
    outbox.start()
    messages = [IngestDataset("ds_1"), IngestDataset("ds_2")]
    for message in messages:
        outbox(message)
    outbox.stop()
    assert tried == messages


def test_a_round_that_fails_is_not_the_last() -> None:
    third, rounds = Event(), []

    def work() -> None:
        rounds.append(1)
        if len(rounds) == 3:
            third.set()
        raise RuntimeError("this round")

    repeated = Repeated("test", 0.001, work)
    repeated.start()
    assert third.wait(10)
    repeated.stop()
