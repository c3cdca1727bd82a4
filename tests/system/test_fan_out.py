"""One job on three workers at once gets, trial by trial, what one worker gets."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from app.child_process import kill_session, spawn, stop
from app.jobs.schemas import TrialOut
from app.settings import Settings
from tests.system.service import Service, images, job_spec, running, wait_for

pytestmark = pytest.mark.slow

ONE_SLOT = {"KTL_TRAINING_SLOTS": "1"}  # a worker trains one trial at a time
SEEDS, BUDGETS = 3, [None, 10]
EPOCHS = 200


@contextmanager
def more_workers(count: int, folder: Path, database_url: str) -> Iterator[None]:
    """Each with a data folder of its own, as on other machines; ready when the block begins."""
    shared = Settings(data_dir=folder / "data")
    variables = {
        **os.environ,
        "KTL_DATABASE_URL": database_url,
        "KTL_BROKER_URL": shared.broker,
        "KTL_STORAGE_URL": shared.storage,
        "TF_CPP_MIN_LOG_LEVEL": "3",
        **ONE_SLOT,
    }
    log = folder / "workers.log"
    with log.open("wb") as output:
        workers = [
            spawn(
                [sys.executable, "-m", "app.cli.main", "worker"],
                output,
                {**variables, "KTL_DATA_DIR": str(folder / f"worker {number}")},
            )
            for number in range(count)
        ]
    try:
        for worker in workers:
            process = psutil.Process(worker.pid)
            wait_for(process.children, 90, f"a worker has no children: {log.read_text()[-4000:]}")
        yield
    finally:
        for worker in workers:
            stop(worker, 60)
            kill_session(worker)


def run_job(service: Service, folder: Path) -> str:
    """The id of the job once it has ended well."""
    path = folder / "patterns.npz"
    path.write_bytes(images(classes=4, per_class=200, seed=1))
    dataset = service.client.datasets.wait(service.client.datasets.upload([path]).id).id
    spec = job_spec(
        dataset,
        dataset,
        training={"epochs": EPOCHS, "batch_size": 16, "min_steps": 0, "augmentation": None},
        evaluation={"seeds": SEEDS, "learning_curve": BUDGETS},
    )
    job = service.client.jobs.wait(service.client.jobs.submit(spec).id)
    assert job.status == "succeeded", job.error
    return job.id


def results(service: Service, job_id: str) -> dict[tuple[Any, ...], Any]:
    """Of each trial, all that it recorded but the seconds."""
    return {
        (trial.arm, trial.seed, trial.labels_per_class): (
            [{**epoch, "seconds": None} for epoch in trial.epochs],
            trial.test,
        )
        for trial in service.client.jobs.metrics(job_id).trials
    }


def most_at_once(trials: list[TrialOut]) -> int:
    """A worker trains one trial at a time, so more at once are so many workers."""
    running = [(trial.started_at, trial.ended_at) for trial in trials]
    return max(
        sum(began <= moment < ended for began, ended in running if began and ended)
        for moment, _ in running
        if moment
    )


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_three_workers_get_what_one_gets(database_url: str, tmp_path: Path) -> None:
    one, three = tmp_path / "one", tmp_path / "three"
    for folder in (one, three):
        folder.mkdir()
    with running(one, **ONE_SLOT) as service:
        job_id = run_job(service, one)
        alone = results(service, job_id)
        assert most_at_once([*service.client.jobs.trials(job_id)]) == 1

    with (
        running(three, KTL_DATABASE_URL=database_url, **ONE_SLOT) as service,
        more_workers(2, three, database_url),
    ):
        job_id = run_job(service, three)
        together = results(service, job_id)
        trials = [*service.client.jobs.trials(job_id)]
        begun = [
            event.data["id"]
            for event in service.client.jobs.events(job_id)
            if event.kind == "trial" and event.data["status"] == "running"
        ]

    assert len(trials) == 1 + 2 * SEEDS * len(BUDGETS)
    assert {(trial.status, trial.attempt) for trial in trials} == {("succeeded", 1)}
    assert sorted(begun) == sorted(trial.id for trial in trials)
    assert most_at_once(trials) > 1
    assert together == alone
