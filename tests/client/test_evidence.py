"""Downloads of a job's evidence, against the real API."""

import json
from pathlib import Path
from zipfile import ZipFile

import pytest

from app.client import ApiError, Client
from app.database import Database
from app.settings import Settings
from app.spec.spec import EXAMPLE
from tests.jobs.factories import add_dataset
from tests.jobs.requests import LOCAL, spec


def test_predictions_are_written_whole_or_not_at_all(
    client: Client, settings: Settings, tmp_path: Path
) -> None:
    database = Database(settings.database)
    source, target = (add_dataset(database, project=LOCAL) for _ in range(2))
    database.dispose()
    job_id = client.jobs.submit(spec(source, target)).id
    written = client.jobs.predictions(job_id, tmp_path / "evidence.zip")
    with ZipFile(written) as archive:
        trials = json.loads(archive.read("job.json"))["trials"]
    assert [trial["id"] for trial in trials] == [each.id for each in client.jobs.trials(job_id)]
    assert client.jobs.trial(job_id, trials[0]["id"]).role == "pretrain"

    unready = client.jobs.submit(EXAMPLE).id
    with pytest.raises(ApiError, match="dataset_not_ready"):
        client.jobs.predictions(unready, tmp_path / "none.zip")
    with pytest.raises(ApiError, match="no_report"):
        client.jobs.report_page(unready)
    assert [path.name for path in tmp_path.glob("*.zip*")] == ["evidence.zip"]
