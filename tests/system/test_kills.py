"""kill -9 at random moments, on both databases: every accepted job ends well, exactly once."""

import os
import random
import time
from collections import Counter
from contextlib import suppress
from functools import partial
from pathlib import Path

import psutil
import pytest
from sqlalchemy import func, select

from app.client import ApiError, Unreachable
from app.database import Database
from app.jobs.schemas import JobOut
from app.tables.jobs import ENDED, EpochRow, EventRow, TrialRow
from tests.system.service import Service, images, job_spec, running, wait_for

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name != "posix", reason="kill -9 is a thing of Unix"),
]

KILLS = 20
EPOCHS = 40
# A child is killed most often: it is quickest to come back. Every victim comes up several times.
VICTIMS = ["child"] * 9 + ["worker"] * 3 + ["broker"] * 4 + ["api"] * 4


def kill(service: Service, victim: str) -> bool:
    """Ends one process as a power cut would. False: it was not there at this moment."""
    if victim == "child":
        found = service.worker_children()
    elif victim == "worker":
        worker = service.worker()
        found = [worker, *service.worker_children()] if worker else []
    else:
        found = service.children("valkey" if victim == "broker" else "app.cli.main api")
    for process in found if victim != "child" else found[:1]:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            return False
    return bool(found)


@pytest.mark.timeout(900)
def test_every_accepted_job_ends_well_under_kill_9(database_url: str, tmp_path: Path) -> None:
    environment = {
        "KTL_DATABASE_URL": database_url,
        "KTL_LEASE_SECONDS": "4",
        "KTL_RECOVERY_INTERVAL_SECONDS": "0.5",
        "KTL_REPUBLISH_AFTER_SECONDS": "1",
        "KTL_MAX_ATTEMPTS": "100",
        "KTL_CHECKPOINT_INTERVAL_SECONDS": "0.05",
    }
    dice = random.Random(0)
    with running(tmp_path, **environment) as service:
        upload = tmp_path / "letters.npz"
        upload.write_bytes(images(classes=4, per_class=400, seed=1))
        dataset = service.client.datasets.wait(service.client.datasets.upload([upload]).id)
        spec = job_spec(
            dataset.id,
            dataset.id,
            model={"backbone": "convnet", "params": {"filters": [8], "dense": 16}},
            training={"epochs": EPOCHS, "batch_size": 16, "min_steps": 0, "augmentation": None},
        )
        jobs: list[str] = []
        killed: Counter[str] = Counter()
        victims = dice.sample(VICTIMS, KILLS)
        while victims:
            keep_busy(service, spec, jobs)
            time.sleep(dice.uniform(0.3, 2.0))
            if kill(service, victims[-1]):
                killed[victims.pop()] += 1
        assert killed.total() == KILLS
        for job_id in jobs:
            job = wait_for(partial(ended, service, job_id), 180, f"{job_id} has not ended")
            assert job.status == "succeeded", job.error
    check_books(Database(database_url), jobs)


def keep_busy(service: Service, spec: dict[str, object], jobs: list[str]) -> None:
    """Two jobs are under way whenever something is killed. An API that was just killed does not
    accept; what it accepted counts."""
    with suppress(Unreachable, ApiError):
        active = [job for job in service.client.jobs.list() if job.status in {"queued", "running"}]
        if len(active) < 2:
            jobs.append(service.client.jobs.submit(spec).id)


def ended(service: Service, job_id: str) -> JobOut | None:
    with suppress(Unreachable, ApiError):
        job = service.client.jobs.get(job_id)
        return job if job.status in ENDED else None
    return None


def check_books(database: Database, jobs: list[str]) -> None:
    with database.read() as session:
        trials = session.scalars(select(TrialRow).where(TrialRow.job_id.in_(jobs))).all()
        assert {trial.status for trial in trials} == {"succeeded"}
        counted = dict(
            session.execute(
                select(EpochRow.trial_id, func.count()).group_by(EpochRow.trial_id)
            ).all()
        )
        trained = [trial.id for trial in trials if trial.reused_from is None]
        assert counted == dict.fromkeys(trained, 2 * EPOCHS)  # train and validation
        for job_id in jobs:
            story = session.scalars(
                select(EventRow).where(EventRow.job_id == job_id).order_by(EventRow.number)
            ).all()
            assert [event.number for event in story] == list(range(1, len(story) + 1))
            epochs: dict[str, list[int]] = {}
            for event in story:
                if event.kind == "epoch" and event.data["split"] == "train":
                    epochs.setdefault(event.data["trial"], []).append(event.data["epoch"])
            # Two attempts that overlapped would have told an epoch twice, or out of order.
            assert all(told == list(range(1, EPOCHS + 1)) for told in epochs.values())
            ends = [e.data["status"] for e in story if e.kind == "status"]
            assert ends.count("succeeded") == 1
    database.dispose()
