"""Celery's worker with the step that hands work out, and a task that needs no TensorFlow."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from app.database import Database
from app.settings import Settings
from app.tables.datasets import DatasetRow
from tests.jobs.factories import add_dataset, ready_job, trials_of
from tests.system.service import wait_for
from worker.process.dispatch import AGAIN_SECONDS
from worker.process.watchdog import EXIT_CODE, LivenessFile

pytestmark = [
    pytest.mark.slow,
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
    pytest.mark.skipif(os.name != "posix", reason="kill -9 is a thing of Unix"),
]

PROGRAM = """
import time
from celery import signals
from app.database import Database
from app.tables.datasets import DatasetRow
from app.messages import IngestDataset, RunTrial, celery_application
from app.settings import Settings
from worker.process import local_broker, lookout_link, watchdog
from worker.process.dispatch import Dispatch

lookout_link.SILENT_SECONDS = 12  # it starts within that on a machine that others load
watchdog.LOOKS = 2
application = celery_application(local_broker.URL)
application.conf.update(worker_concurrency=%(children)s, worker_prefetch_multiplier=0)
application.steps["worker"].add(Dispatch)


@application.task(name=IngestDataset.task)
def ingest(dataset_id):
    with Database(Settings().database).write() as session:
        dataset = session.get_one(DatasetRow, dataset_id)
        dataset.status = "ready" if dataset.project == "p" else "ingesting"
        dataset.attempt += 1


@application.task(name=RunTrial.task)
def train(trial_id):
    time.sleep(60)


@signals.worker_ready.connect
def ready(sender, **_):
    if %(stands_still)s:
        sender.hub.call_soon(time.sleep, 60)


options = ["--without-gossip", "--without-mingle", "--without-heartbeat", "--queues=ktl"]
application.worker_main(["--quiet", "worker", "--pool=prefork", *options])
"""
Start = Callable[..., psutil.Process]


@pytest.fixture
def start(database_url: str, settings: Settings, tmp_path: Path) -> Iterator[Start]:
    variables = {
        "KTL_DATA_DIR": str(settings.data_dir),
        "KTL_DATABASE_URL": database_url,
        "KTL_LOOK_INTERVAL_SECONDS": "0.2",
        "KTL_TRAINING_SLOTS": "1",
    }
    log = tmp_path / "worker.log"
    started: list[subprocess.Popen[bytes]] = []

    def start(children: int, stands_still: bool = False) -> psutil.Process:
        program = PROGRAM % {"children": children, "stands_still": stands_still}
        command = [sys.executable, "-c", program]
        with log.open("wb") as output:
            process = subprocess.Popen(
                command, env=os.environ | variables, stdout=output, stderr=output
            )
        started.append(process)
        return psutil.Process(process.pid)

    yield start
    for process in started:
        process.kill()
        process.wait()
    print(log.read_text())


def lookout(worker: psutil.Process) -> psutil.Process | None:
    return next((p for p in worker.children() if "worker.process.lookout" in p.cmdline()), None)


def must_ingest(database: Database) -> None:
    dataset_id = add_dataset(database, status="ingesting")

    def taken() -> bool:
        with database.read() as session:
            return session.get_one(DatasetRow, dataset_id).status == "ready"

    wait_for(taken, 60, f"{dataset_id} has not been taken in")


def test_work_is_found_whatever_dies_beside_the_loop(
    database: Database, start: Start, settings: Settings
) -> None:
    stubborn = add_dataset(database, status="ingesting", project="which stays as it is")
    began = time.monotonic()
    worker = start(children=1)
    must_ingest(database)
    assert LivenessFile(settings).complaint() is None
    for child in worker.children():  # the lookout as well
        child.kill()
    must_ingest(database)
    silent = wait_for(lambda: lookout(worker), 30, "there is no lookout")
    silent.send_signal(signal.SIGSTOP)
    must_ingest(database)
    assert not silent.is_running()

    worker.send_signal(signal.SIGTERM)
    assert worker.wait(20) == 0
    with database.read() as session:  # it came first each time, and neither span nor starved others
        calls = session.get_one(DatasetRow, stubborn).attempt
    assert 1 <= calls <= (time.monotonic() - began) / AGAIN_SECONDS
    assert "is not there" in (LivenessFile(settings).complaint() or "")


def test_a_worker_whose_loop_stands_still_ends_and_its_children_with_it(
    database: Database, start: Start
) -> None:
    worker = start(children=2, stands_still=True)
    children = wait_for(
        lambda: len(worker.children()) == 3 and worker.children(), 20, "no children"
    )
    assert worker.wait(20) == EXIT_CODE
    assert not psutil.wait_procs(children, timeout=10)[1]


def test_an_intake_does_not_wait_behind_trainings(database: Database, start: Start) -> None:
    job_id = ready_job(database)
    assert [t.status for t in trials_of(database, job_id)].count("queued") == 2
    start(children=2)
    must_ingest(database)
