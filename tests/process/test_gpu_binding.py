"""Children of a worker on several GPUs; none is needed for it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from app.errors import FailureCode, WorkFailure
from app.jobs import repository
from tests.trials.conftest import AddDataset
from tests.trials.test_run import submit
from worker.machine.context import WorkerContext
from worker.machine.gpu_binding import GpuBinding
from worker.process import runner
from worker.trials import run as trial_run

TWO = ("0", "MIG-8f")


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "all")


@pytest.fixture
def other_child(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that is bound to the first GPU."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    (tmp_path / f"gpu-0-{process.pid}.child").touch()
    yield process
    process.kill()
    process.wait()


def bound(slots: Path, gpus: tuple[str, ...] = TWO) -> GpuBinding:
    binding = GpuBinding(slots, gpus)
    binding.bind()
    return binding


def test_a_child_goes_where_the_fewest_are(
    tmp_path: Path, other_child: subprocess.Popen[bytes]
) -> None:
    binding = bound(tmp_path)
    assert binding.number == 1
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "MIG-8f"
    assert [binding.has_slot(slot) for slot in range(4)] == [False, True, False, True]


def test_the_dead_do_not_count(tmp_path: Path, other_child: subprocess.Popen[bytes]) -> None:
    other_child.kill()
    other_child.wait()
    assert bound(tmp_path).number == 0


def test_of_equals_the_one_without_a_trial(tmp_path: Path) -> None:
    with FileLock(tmp_path / "0.lock"):
        assert bound(tmp_path).number == 1


def test_one_that_failed_is_left_out(tmp_path: Path) -> None:
    first = bound(tmp_path)
    first.leave_out()
    assert first.has_failed
    assert bound(tmp_path).number == 1
    assert bound(tmp_path, TWO[:1]).number == 0  # there is no other


def test_on_a_cpu_every_slot_is_for_every_child(tmp_path: Path) -> None:
    binding = bound(tmp_path, ())
    assert binding.number is None
    assert binding.has_slot(3)
    assert not binding.is_misplaced(2)
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "all"


def test_a_child_beside_a_free_gpu_is_misplaced(tmp_path: Path) -> None:
    binding = bound(tmp_path)
    assert binding.number == 0
    assert not binding.is_misplaced(2)
    with FileLock(tmp_path / "0.lock"):
        assert binding.is_misplaced(2)
        with FileLock(tmp_path / "1.lock"):
            assert not binding.is_misplaced(2)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_child_whose_gpu_failed_ends_and_the_trial_says_why(
    context: WorkerContext, add_dataset: AddDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes no second trial: CUDA does not come back within a process."""
    ended: list[int] = []

    def fail(*_: object) -> None:
        raise WorkFailure(FailureCode.DEVICE_FAILED, "H100 failed in phase pretrain: ECC")

    def end() -> None:
        ended.append(1)
        raise SystemExit

    monkeypatch.setattr(trial_run, "train", fail)
    monkeypatch.setattr(runner, "_end_process", end)
    object.__setattr__(context, "binding", bound(context.slots))
    job_id = submit(context, add_dataset(1), add_dataset(2))
    with pytest.raises(SystemExit):
        runner.train(context, "worker")
    with context.database.read() as session:
        first, *_ = repository.trials(session, job_id)
    assert first.error["code"] == "device_failed"
    assert ended == [1]
