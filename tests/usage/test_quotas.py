"""What a project may hold: refused before it is read, and never passed by two at once."""

import json
import os
import shutil
import socket
from collections import namedtuple
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.database import Database
from app.jobs import work
from app.main import create_app
from app.settings import Settings
from app.storage import Storage
from app.tables.datasets import DatasetRow
from app.usage import quotas
from tests.intake.archives import arrays, npz_bytes
from tests.intake.test_intake import add_upload, claim, row_of
from tests.jobs.factories import claim as claim_trial
from tests.jobs.factories import ready_job
from tests.jobs.requests import dataset, spec
from tests.serving import serve
from worker.intake.intake import ingest

Api = Callable[..., AbstractContextManager[httpx.Client]]
Usage = namedtuple("Usage", "total used free")
SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def api(settings: Settings, database: Database) -> Api:
    url = database.engine.url.render_as_string(hide_password=False)

    @contextmanager
    def api(**limits: Any) -> Iterator[httpx.Client]:
        said = {"database_url": url, "broker_url": "memory://", **limits}
        with serve(create_app(settings.model_copy(update=said))) as client:
            yield client

    return api


def upload(client: httpx.Client, size: int) -> httpx.Response:
    parts = {"spec": (None, json.dumps({"name": "n"})), "file": ("a.npz", os.urandom(size))}
    return client.post("/v1/datasets", files=parts)


def refused(answer: httpx.Response, status: int = 507, code: str = "quota_exceeded") -> str:
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    return str(answer.json()["detail"])


@SQLITE
def test_an_upload_that_does_not_fit_is_refused_before_it_is_read(api: Api) -> None:
    with api(quota_bytes=100_000) as client:
        assert upload(client, 60_000).status_code == 202
        host, port = client.base_url.host, client.base_url.port
        with socket.create_connection((host, port or 0), timeout=20) as connection:
            connection.sendall(
                b"POST /v1/datasets HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 60000\r\n"
                b"Content-Type: multipart/form-data; boundary=b\r\n\r\n"
            )
            answer = connection.recv(4096)  # not a byte of the body was sent
        assert answer.startswith(b"HTTP/1.1 507 ")
        assert upload(client, 30_000).status_code == 202


@SQLITE
def test_a_body_without_a_length_is_counted_against_the_quota(api: Api) -> None:
    def body() -> Iterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.npz"\r\n\r\n'
        for _ in range(300):
            yield b"x" * 1000

    with api(quota_bytes=100_000) as client:
        headers = {"Content-Type": "multipart/form-data; boundary=b"}
        refused(client.post("/v1/datasets", content=body(), headers=headers))


def test_two_at_once_do_not_pass_the_quota(api: Api, settings: Settings) -> None:
    with api(quota_bytes=100_000) as client, ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: upload(client, 60_000), range(4)))
        assert sorted(answer.status_code for answer in answers) == [202, 507, 507, 507]
        assert len(client.get("/v1/datasets").json()["data"]) == 1
        uploads = Path(settings.storage, "uploads")
        assert len(list(uploads.iterdir())) == 1  # the refused ones are gone at once


def test_a_projects_datasets_are_counted(api: Api) -> None:
    with api(quota_datasets=2) as client:
        first = upload(client, 10).json()["id"]
        named = {"from": "catalog:digits"}
        assert client.post("/v1/datasets", json=named).status_code == 202
        assert "at most 2 datasets" in refused(upload(client, 10))
        assert "at most 2 datasets" in refused(
            client.post("/v1/datasets", json={"from": "catalog:mnist"})
        )
        assert client.post("/v1/datasets", json=named).status_code == 202  # it is there already
        assert client.delete(f"/v1/datasets/{first}").status_code == 204
        assert upload(client, 10).status_code == 202


@SQLITE
def test_a_project_that_holds_too_much_starts_no_job(
    api: Api, database: Database, storage: Storage, settings: Settings, tmp_path: Any
) -> None:
    body = spec(dataset(database), dataset(database))
    large = tmp_path / "large.npz"
    large.write_bytes(os.urandom(2000))
    with api(quota_bytes=1000) as client:
        assert client.post("/v1/jobs", json=body).status_code == 202
        with database.write() as session:
            row = DatasetRow(id="ds_1", project="default", name="n", origin="upload", spec={})
            row.arrays = {"x": storage.put(large)}
            session.add(row)
        detail = refused(client.post("/v1/jobs", json=body))
        assert "GET /v1/usage" in detail
        assert client.get("/v1/usage").json()["bytes"]["datasets"] == 2000
        assert client.delete("/v1/datasets/ds_1").status_code == 204
        assert client.post("/v1/jobs", json=body).status_code == 202


def test_an_upload_that_holds_too_much_fails_its_intake(
    database: Database, storage: Storage, settings: Settings, tmp_path: Any
) -> None:
    content = npz_bytes(**arrays())
    small = settings.model_copy(update={"quota_bytes": 100})
    dataset_id = add_upload(database, storage, tmp_path, content)
    ingest(database, storage, small, claim(database, dataset_id))
    row = row_of(database, dataset_id)
    assert row.status == "failed"
    assert row.error
    assert row.error["code"] == "quota_exceeded"
    assert (row.files, row.arrays) == ([], {})
    again = add_upload(database, storage, tmp_path, content)
    fits = settings.model_copy(update={"quota_bytes": 100_000})
    ingest(database, storage, fits, claim(database, again))
    assert row_of(database, again).status == "ready"


@SQLITE
def test_a_disk_that_is_nearly_full_refuses_uploads_alone(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    with api(disk_reserve_bytes=1_000_000) as client:
        monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**9, 10**9, 1_100_000))
        assert "stay free" in refused(upload(client, 60_000), 503, "disk_full")
        assert int(upload(client, 60_000).headers["Retry-After"]) >= 30
        assert upload(client, 10_000).status_code == 202
        assert client.get("/v1/usage").json()["disk"]["free_bytes"] == 1_100_000
        assert client.post("/v1/datasets", json={"from": "catalog:digits"}).status_code == 202


@SQLITE
def test_a_disk_that_fills_while_an_upload_comes_is_said(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def body() -> Iterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.npz"\r\n\r\n'
        for _ in range(300):
            yield b"x" * 1000

    monkeypatch.setattr("app.datasets.uploads.LOOK_BYTES", 50_000)
    with api(disk_reserve_bytes=1_000_000) as client:
        monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**9, 10**9, 1_100_000))
        headers = {"Content-Type": "multipart/form-data; boundary=b"}
        refused(client.post("/v1/datasets", content=body(), headers=headers), 503, "disk_full")


def test_more_trials_than_a_project_may_run_wait(database: Database) -> None:
    ready_job(database)
    ready_job(database)
    ready_job(database, project="other")

    def take() -> str | None:
        with database.write() as session:
            trial = work.claim_trial(session, "w", 60, max_attempts=5, quota=1)
            return trial and trial.job_id

    def is_waiting() -> bool:
        with database.read() as session:
            return work.has_queued(session, quota=1)

    with ThreadPoolExecutor(4) as pool:
        taken = list(pool.map(lambda _: take(), range(4)))
    assert len([job for job in taken if job]) == 2  # one of each project
    assert not is_waiting()
    assert claim_trial(database) is not None  # a worker without a limit
    with database.read() as session:
        assert work.has_queued(session)


def test_no_quota_asks_nothing_of_the_store(settings: Settings, database: Database) -> None:
    with database.read() as session:
        nowhere = Storage(str(settings.home / "absent"), settings.cache_dir)
        assert quotas.bytes_left(session, nowhere, settings, "p") is None


@pytest.mark.parametrize("limits", [{"quota_datasets": 1}, {"quota_bytes": 50_000}])
def test_a_repeated_upload_is_answered_though_the_first_has_filled_the_quota(
    api: Api, limits: dict[str, int]
) -> None:
    parts = {"spec": (None, json.dumps({"name": "n"})), "file": ("a.npz", os.urandom(30_000))}
    once = {"Idempotency-Key": "k"}
    with api(**limits) as client:
        first = client.post("/v1/datasets", files=parts, headers=once)
        assert first.status_code == 202
        again = client.post("/v1/datasets", files=parts, headers=once)
        assert (again.status_code, again.json()) == (202, first.json())
        refused(client.post("/v1/datasets", files=parts))
        refused(client.post("/v1/datasets", files=parts, headers={"Idempotency-Key": "other"}))
