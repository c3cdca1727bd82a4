"""A job that takes more memory than there is, under a worker in a control group of its own."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from app.errors import FailureCode
from app.tables.jobs import ENDED
from tests.system.service import Service, images, job_spec, running, wait_for

pytestmark = pytest.mark.slow

CONTROLLED = Path("/sys/fs/cgroup/memory")
LIMIT = 1_800 * 2**20  # for the API, the broker and the worker; TensorFlow alone takes 700 MiB
WIDE = {"backbone": "mlp", "params": {"hidden": [16_384, 8_192]}}  # 540 MB, and Adam twice that

# A child in which little is left trains what takes too much, and what does not.
CRAMPED = """
import resource
import tensorflow as tf
from tests.training import trials
from worker.failures import as_failure
from worker.training.run import train

def bytes_of_data():
    (line,) = (line for line in open("/proc/self/status") if line.startswith("VmData"))
    return 1024 * int(line.split()[1])

small, large = trials.spec("mlp"), trials.spec("mlp", {"hidden": [4096, 4096]})
train(trials.trial("scratch", small), trials.Recorder())
limit = bytes_of_data() + 100 * 2**20
resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
try:
    train(trials.trial("scratch", large), trials.Recorder())
except Exception as error:
    failure = as_failure(error)
    print(failure.code, "batch_size" in failure.detail)
train(trials.trial("scratch", small), trials.Recorder())
"""


@contextmanager
def limited_service(folder: Path, **environment: str) -> Iterator[Service]:
    """A service in a control group of LIMIT bytes. This process is in it for no longer than it
    takes to start one: it has memory of its own, from other tests."""
    group = CONTROLLED / f"ktl-test-{os.getpid()}"
    own = Path("/proc/self/cgroup").read_text().partition(":memory:")[2].partition("\n")[0]
    group.mkdir()
    (group / "memory.limit_in_bytes").write_text(str(LIMIT))

    def enter(place: Path) -> None:
        (place / "cgroup.procs").write_text(str(os.getpid()))

    try:
        with ExitStack() as stack:
            enter(group)
            try:
                service = stack.enter_context(running(folder, **environment))
            finally:
                enter(CONTROLLED / own.lstrip("/"))
            yield service
    finally:
        wait_for(lambda: not (group / "cgroup.procs").read_text(), 20, "a process is left")
        group.rmdir()


@pytest.mark.skipif(not os.access(CONTROLLED, os.W_OK), reason="it makes a control group")
@pytest.mark.timeout(300)
def test_the_kernel_takes_the_trial_and_never_the_worker(tmp_path: Path) -> None:
    environment = {
        "KTL_TRAINING_SLOTS": "1",
        "KTL_SLOT_MEMORY_BYTES": str(2**40),  # it says that it has enough
        "KTL_RECOVERY_INTERVAL_SECONDS": "0.5",
    }
    with limited_service(tmp_path, **environment) as service:
        client, worker = service.client, service.worker()
        assert worker is not None
        path = tmp_path / "letters.npz"
        path.write_bytes(images(3, 20, seed=1))
        letters = client.datasets.wait(client.datasets.upload([path]).id).id
        greedy = job_spec(letters, letters, model=WIDE, evaluation={"seeds": 1, "baseline": False})
        job = client.jobs.submit(greedy)
        wait_for(lambda: client.jobs.get(job.id).status in ENDED, 120, "it has not ended")
        (pretraining, *_) = client.jobs.trials(job.id)
        assert pretraining.error is not None
        assert pretraining.error.code == FailureCode.OUT_OF_MEMORY
        assert pretraining.attempt == 2
        assert "lower training.batch_size" in pretraining.error.message
        small = client.jobs.submit(job_spec(letters, letters, evaluation={"seeds": 1}))
        wait_for(lambda: client.jobs.get(small.id).status in ENDED, 120, "it has not ended")
        assert client.jobs.get(small.id).status == "succeeded"
        assert service.worker() == worker


@pytest.mark.skipif(sys.platform != "linux", reason="it limits the process's memory")
def test_a_trial_that_gets_no_memory_says_so_and_its_child_goes_on() -> None:
    command = [sys.executable, "-c", CRAMPED]
    told = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=120, check=True)
    assert told.stdout.split() == [FailureCode.OUT_OF_MEMORY, "True"]
