"""What earlier releases stored is still there after `ktl migrate`, serves, and can be built on."""

import json
import subprocess
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import MetaData, select

from app.client import Client
from app.database import Database
from app.migrate import downgrade
from app.settings import Settings
from tests.cli.conftest import Ktl
from tests.releases.archive import ARCHIVES, KEYS, Released, ask
from tests.releases.jobs import job
from tests.releases.told import as_now, differences, everything
from tests.system.service import Service, running


def test_there_are_archives() -> None:
    assert ARCHIVES


@pytest.mark.parametrize("project", KEYS)
def test_all_is_told_as_before(client: httpx.Client, migrated: Released, project: str) -> None:
    before = migrated.told[project]
    assert {path.split("/")[2] for path in before} >= {"datasets", "jobs", "models"}
    client.headers["Authorization"] = f"Bearer {KEYS[project]}"
    assert [*differences(as_now(before), everything(client))] == []


def test_another_projects_data_stays_its_own(client: httpx.Client, migrated: Released) -> None:
    for path in migrated.told["second"]:
        assert client.get(path).status_code == 404


def test_reports_are_pages_too(client: httpx.Client, migrated: Released) -> None:
    pages = 0
    for path, body in migrated.told["default"].items():
        if path.endswith("/report") and "problem" not in body:
            page = client.get(path, headers={"Accept": "text/html"})
            assert page.status_code == 200, page.text
            assert all(arm in page.text for arm in body["arms"])
            pages += 1
    assert pages >= 5


def test_deployments_answer_as_before(client: httpx.Client, migrated: Released) -> None:
    assert {*migrated.told["deployments"]} == {"adapted", "patterns"}
    for name, before in migrated.told["deployments"].items():
        now = ask(client, name, migrated.asked)
        assert (now["model"], now["calibrated"]) == (before["model"], before["calibrated"])
        assert now["temperature"] == before["temperature"]
        for one, other in zip(before["outputs"], now["outputs"], strict=True):
            assert _scores(other) == pytest.approx(_scores(one), abs=1e-6)
            assert other["label"] == one["label"]


def _scores(output: dict[str, Any]) -> dict[str, float]:
    return {each["label"]: each["score"] for each in output["scores"]}


def test_models_can_be_downloaded(client: httpx.Client, migrated: Released) -> None:
    for model_id in migrated.ids("models").values():
        path = f"/v1/models/{model_id}"
        for kind in ("onnx", "keras"):
            file = client.get(f"{path}/download", params={"format": kind})
            assert (
                sha256(file.content).hexdigest() == migrated.told["default"][path]["hashes"][kind]
            )


def test_every_stored_file_is_whole(migrated: Released, ktl: Ktl) -> None:
    checks = json.loads(ktl("doctor", "--verify", "--json").out)
    found = {check["name"]: (check["status"], check["detail"]) for check in checks}
    stored = [
        path for path in Path(migrated.data, "store", "sha256").rglob("*.*") if path.is_file()
    ]
    assert found["database"][0] == "ok"
    assert found["files"][0] == "ok"
    assert int(found["files"][1].split()[0]) >= len(stored) > 50
    assert [check for check in checks if check["name"] == "files"] == [checks[-1]]


def new_jobs(released: Released) -> dict[str, dict[str, Any]]:
    """Built on what is there: on the old datasets, and on an old model."""
    datasets = {name: {"dataset": id_} for name, id_ in released.ids("datasets").items()}
    source, target = datasets["source"], datasets["target"]
    of_model = job("on a model", [{"model": released.ids("models")["curve"]}], target)
    del of_model["model"]  # the network is then the old one's
    return {
        "datasets": job("on datasets", [source], target, strategies=["auto"]),
        "model": of_model,
    }


def test_new_jobs_are_accepted(client: httpx.Client, migrated: Released) -> None:
    for name, spec in new_jobs(migrated).items():
        answer = client.post("/v1/jobs", json=spec)
        assert answer.status_code == 202, f"{name}: {answer.text}"


def test_the_migrations_can_be_taken_back(released: Released, settings: Settings, ktl: Ktl) -> None:
    before = _rows(settings)
    assert {"datasets", "jobs", "trials", "models"} <= before.keys()
    assert ktl("migrate").status == 0
    downgrade(settings.database, released.told["revision"])
    assert _rows(settings) == before


def _rows(settings: Settings) -> dict[str, list[Any]]:
    """All that is in the database, table by table."""
    database, tables = Database(settings.database), MetaData()
    tables.reflect(database.engine)
    with database.engine.connect() as connection:
        found = {
            name: sorted(map(repr, connection.execute(select(table))))
            for name, table in tables.tables.items()
        }
    database.dispose()
    return found


@pytest.fixture
def service(released: Released, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """`ktl up` on it, which migrates."""
    released.data.rename(released.folder / "data")
    with running(released.folder, KTL_API_KEY=KEYS["default"]) as service:
        yield service


@pytest.mark.slow
def test_work_goes_on_and_new_work_succeeds(service: Service, released: Released) -> None:
    with Client(service.client.url, KEYS["default"]) as client:
        jobs = released.ids("jobs")
        assert client.jobs.get(jobs["paused"]).status == "paused"
        recorded = client.jobs.metrics(jobs["paused"]).trials[0].epochs
        client.jobs.resume(jobs["paused"])
        new = [client.jobs.submit(spec).id for spec in new_jobs(released).values()]
        for job_id in (jobs["queued"], jobs["paused"], *new):
            ended = client.jobs.wait(job_id)
            assert ended.status == "succeeded", ended.error
            assert client.jobs.report(job_id).arms
        went_on = client.jobs.metrics(jobs["paused"]).trials[0].epochs
        assert went_on[: len(recorded)] == recorded  # from its checkpoint, not from the start


@pytest.mark.slow
def test_reports_are_made_anew_from_what_is_stored(
    client: httpx.Client, migrated: Released, tmp_path: Path
) -> None:
    for name in ("curve", "adapted"):
        path = tmp_path / f"{name}.zip"
        job_id = migrated.ids("jobs")[name]
        path.write_bytes(client.get(f"/v1/jobs/{job_id}/predictions").content)
        command = [sys.executable, "-m", "worker.evaluation", str(path)]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        assert ended.returncode == 0, ended.stderr
