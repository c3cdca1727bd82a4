"""What a worker does with stored files that have rotted, in real trainings of small networks."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select

from app.damage import heal
from app.errors import Conflict
from app.jobs import lifecycle
from app.tables.datasets import DatasetRow
from app.tables.jobs import EpochRow, EventRow, TrialRow
from app.tables.models import ModelRow
from tests.jobs.factories import must_claim, ready_job
from tests.trials.conftest import AddDataset
from tests.trials.jobs import run, submit
from worker.machine.context import WorkerContext
from worker.process import runner
from worker.training.checkpoint import Checkpoint, Position
from worker.training.setup import EpochRecord
from worker.trials.journal import TrialJournal
from worker.trials.lease_keeper import LeaseKeeper

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def zero(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:128].ljust(path.stat().st_size, b"\0"))


def array_of(context: WorkerContext, dataset: str, array: str) -> Path:
    with context.database.read() as session:
        return context.storage.local(session.get_one(DatasetRow, dataset).arrays[array])


def retry(context: WorkerContext, job_id: str) -> None:
    with context.database.write() as session:
        lifecycle.retry(session, job_id)


@pytest.mark.parametrize(("array", "harm"), [("x_train", zero), ("y_test", cut)])
def test_no_trial_learns_from_damaged_data(
    context: WorkerContext, add_dataset: AddDataset, array: str, harm: Callable[[Path], None]
) -> None:
    target = add_dataset(2)
    job_id = submit(context, [{"dataset": add_dataset(1)}], target, evaluation={"seeds": 1})
    path = array_of(context, target, array)
    content = path.read_bytes()
    harm(path)
    job, trials = run(context, job_id)
    assert job.status == "failed"
    assert job.error
    assert job.error["code"] == "artifact_damaged"
    assert f"{array} of the dataset {target}" in job.error["message"]
    assert "failed" in {trial.status for trial in trials}
    retry(context, job_id)  # as damaged as before
    job, _ = run(context, job_id)
    assert (job.status, (job.error or {})["code"]) == ("failed", "artifact_damaged")
    path.write_bytes(content)
    heal(context.database, context.storage)
    retry(context, job_id)
    job, _ = run(context, job_id)
    assert (job.status, job.error) == ("succeeded", None)


def test_damaged_weights_are_not_taken_over(
    context: WorkerContext, add_dataset: AddDataset
) -> None:
    source = {"dataset": add_dataset(1)}
    _, trials = run(context, submit(context, [source], add_dataset(2), evaluation={"seeds": 1}))
    first = trials[0]
    flip(context.storage.local(str(first.weights)))
    _, trials = run(context, submit(context, [source], add_dataset(3), evaluation={"seeds": 1}))
    assert {trial.status for trial in trials} == {"succeeded"}
    assert trials[0].reused_from is None
    _, trials = run(context, submit(context, [source], add_dataset(4), evaluation={"seeds": 1}))
    assert trials[0].reused_from not in {None, first.id}


def test_no_trial_starts_from_a_damaged_model(
    context: WorkerContext, add_dataset: AddDataset
) -> None:
    one = {"seeds": 1}
    job_id = submit(context, [{"dataset": add_dataset(1)}], add_dataset(2), evaluation=one)
    job, _ = run(context, job_id)
    with context.database.read() as session:
        model = session.get_one(ModelRow, job.model_id)
    path = context.storage.local(model.files["weights"])
    content = path.read_bytes()
    cut(path)
    job, _ = run(context, submit(context, [{"model": model.id}], add_dataset(3), evaluation=one))
    assert (job.status, (job.error or {})["code"]) == ("failed", "artifact_damaged")
    assert f"`weights` of the model {model.id}" in (job.error or {})["message"]
    with pytest.raises(Conflict, match="is damaged"):
        submit(context, [{"model": model.id}], add_dataset(3), evaluation=one)
    path.write_bytes(content)
    heal(context.database, context.storage)
    retry(context, job.id)
    job, _ = run(context, job.id)
    assert (job.status, job.error) == ("succeeded", None)


@pytest.mark.parametrize("left", ["weights", "predictions"])
def test_a_job_whose_results_are_damaged_fails_typed_and_a_retry_makes_them_anew(
    context: WorkerContext, add_dataset: AddDataset, left: str
) -> None:
    evaluation = {"seeds": 1}
    job_id = submit(context, [{"dataset": add_dataset(1)}], add_dataset(2), evaluation=evaluation)
    runner.train(context, "worker")
    with context.database.read() as session:
        of_arm = select(TrialRow).where(TrialRow.job_id == job_id, TrialRow.role == "transfer")
        trial = session.scalars(of_arm).one()
    cut(context.storage.local(getattr(trial, left)))
    runner.finalise(context, job_id, "worker")
    job, _ = run(context, job_id)
    assert (job.status, (job.error or {})["code"]) == ("failed", "artifact_damaged")
    assert f"what the trial {trial.id} ({trial.arm}) has stored" in job.error["message"]
    retry(context, job_id)
    job, trials = run(context, job_id)
    assert (job.status, job.error) == ("succeeded", None)
    assert {trial.status for trial in trials} == {"succeeded"}


@pytest.mark.parametrize("harm", [flip, cut, Path.unlink])
def test_a_lost_checkpoint_costs_what_it_had_behind_it_and_no_more(
    context: WorkerContext, tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    eager = context.settings.model_copy(update={"checkpoint_interval_seconds": 0})
    context = WorkerContext(
        eager, context.database, context.storage, context.slots, context.is_draining
    )
    job_id = ready_job(context.database)
    trial = must_claim(context.database)
    record = EpochRecord("pretrain", 0, 1, "train", {"loss": 1.0})
    weights: dict[str, Any] = {"w": np.arange(1000.0)}

    def snapshot() -> Checkpoint:
        return Checkpoint(weights, Position(), 0, (), threads=1)

    with LeaseKeeper(context, trial) as keeper:
        journal = TrialJournal(context, trial, keeper, tmp_path)
        journal.epoch_ended([record], 0.5, snapshot)
        whole = journal.start()
        assert whole is not None
        assert np.array_equal(whole.arrays["w"], weights["w"])
        with context.database.read() as session:
            harm(context.storage.local(str(session.get_one(TrialRow, trial.id).checkpoint)))
        assert journal.start() is None
        with context.database.read() as session:
            row = session.get_one(TrialRow, trial.id)
            assert (row.checkpoint, row.progress, row.status) == (None, 0.0, "running")
            assert session.query(EpochRow).count() == 0
            told = session.scalars(select(EventRow).where(EventRow.job_id == job_id)).all()[-1]
            assert told.kind == "warning"
            assert told.data["code"].startswith("artifact_")
            assert "starts anew" in told.data["message"]
        journal.epoch_ended([record], 0.5, snapshot)  # no metric stands twice
        assert journal.start() is not None
