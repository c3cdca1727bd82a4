"""`ktl predictions` and `ktl report --html`, against the real API."""

from pathlib import Path
from zipfile import ZipFile

import pytest

from app.client import Client
from app.database import Database
from app.settings import Settings
from app.tables.jobs import JobRow
from tests.cli.conftest import Ktl
from tests.client.running_api import RunningApi
from tests.jobs.factories import add_dataset
from tests.jobs.page.examples import report
from tests.jobs.requests import LOCAL, spec


def test_a_jobs_evidence_as_files(
    ktl: Ktl, api: RunningApi, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Database(settings.database)
    source, target = (add_dataset(database, project=LOCAL) for _ in range(2))
    with Client(api.url) as client:
        job_id = client.jobs.submit(spec(source, target)).id
    with database.write() as session:
        session.get_one(JobRow, job_id).report = report().model_dump(mode="json")
    database.dispose()

    monkeypatch.chdir(tmp_path)
    ended = ktl("predictions", job_id)
    assert (ended.status, ended.out.strip()) == (0, f"{job_id}.zip")
    assert ktl("predictions", job_id, "-o", "evidence.zip").status == 0
    with ZipFile("evidence.zip") as archive:
        assert archive.namelist() == ["job.json"]
    assert ktl("report", job_id, "--html", "report.html").status == 0
    assert Path("report.html").read_text(encoding="utf-8").lower().startswith("<!doctype html>")
    refused = ktl("predictions", "job_none")
    assert refused.status == 1
    assert "404 job_not_found" in refused.err
