"""From trained trials to a report that anyone can make again from what they download."""

import sys
from pathlib import Path
from subprocess import run as run_process

import pytest

from app.main import create_app
from app.settings import Settings
from tests.jobs.requests import LOCAL
from tests.serving import serve
from tests.trials.conftest import AddDataset
from tests.trials.test_run import job_of, run, submit
from worker.machine.context import WorkerContext
from worker.process import runner

pytestmark = pytest.mark.slow


def test_the_downloaded_predictions_give_the_stored_report(
    context: WorkerContext, add_dataset: AddDataset, settings: Settings, tmp_path: Path
) -> None:
    evaluation = {"seeds": 2, "pretrain_seeds": 2, "learning_curve": [4, 6]}
    datasets = add_dataset(1, LOCAL), add_dataset(2, LOCAL)
    job_id = submit(context, *datasets, LOCAL, evaluation=evaluation)
    trials = run(context, job_id)
    assert [trial.status for trial in trials] == ["succeeded"] * (2 + 2 * 2 * 3)
    runner.finalise(context, job_id, "worker")
    job = job_of(context, job_id)
    assert job.status == "succeeded", job.error

    url = context.database.engine.url.render_as_string(hide_password=False)
    changed = settings.model_copy(update={"database_url": url, "broker_url": "memory://"})
    archive = tmp_path / "evidence.zip"
    with serve(create_app(changed)) as client:
        archive.write_bytes(client.get(f"/v1/jobs/{job_id}/predictions").content)
    command = [sys.executable, "-m", "worker.evaluation", str(archive)]
    made = run_process(command, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
