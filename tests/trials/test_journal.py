"""What a trial tells of itself while it trains, on both databases."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from app.errors import FailureCode, Fenced
from app.integrity import sha256_of
from app.jobs import lifecycle
from app.jobs.budget import TimeBudget
from app.spec.figures import Conditions
from app.tables.jobs import EpochRow, EventRow, TrialRow
from tests.jobs.factories import finish, must_claim, ready_job, trials_of
from tests.system.service import wait_for
from worker.machine.context import WorkerContext
from worker.training.checkpoint import Checkpoint, Position
from worker.training.setup import EpochRecord, Signal
from worker.trials.journal import TrialJournal
from worker.trials.lease_keeper import LeaseKeeper

PATIENCE_SECONDS = 30.0
SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
RECORD = EpochRecord("pretrain", 0, 1, "train", {"loss": 1.0})
CONDITIONS = Conditions(device="CPU", precision="float32", loops=["xla"])


def until(holds: Callable[[], bool]) -> None:
    wait_for(holds, PATIENCE_SECONDS, "it did not come about")


def checkpoint(epochs: int = 0) -> Checkpoint:
    return Checkpoint({}, Position(epochs=epochs), 0, (), threads=1)


def files(context: WorkerContext) -> list[Path]:
    """The checkpoints in the store."""
    folder = context.settings.home / "store" / "checkpoints"
    return [path for path in folder.rglob("*") if path.is_file()]


def warnings(context: WorkerContext) -> list[dict[str, Any]]:
    with context.database.read() as session:
        told = session.scalars(select(EventRow).order_by(EventRow.number)).all()
    return [event.data for event in told if event.kind == "warning"]


def begin(context: WorkerContext) -> tuple[str, TrialRow]:
    job_id = ready_job(context.database)
    return job_id, must_claim(context.database)


def test_a_trial_moves_within_an_epoch(context: WorkerContext, tmp_path: Path) -> None:
    job_id, trial = begin(context)

    def row() -> TrialRow:
        return trials_of(context.database, job_id)[0]

    with LeaseKeeper(context, trial) as keeper:
        journal = TrialJournal(context, trial, keeper, tmp_path)
        journal.moved(0.25)
        until(lambda: row().progress == 0.25)
        before = row()
        assert before.seconds > 0
        until(lambda: row().seconds > before.seconds)  # while nothing moves but the clock
        assert (row().checkpoint, row().progress, row().status) == (None, 0.25, "running")
        with context.database.read() as session:
            assert session.query(EpochRow).count() == 0
        finish(context.database, trial, seconds=journal.seconds)
    assert (row().progress, row().status) == (1.0, "succeeded")


@pytest.fixture
def eager(context: WorkerContext) -> WorkerContext:
    """Where each epoch has a checkpoint of its own."""
    changed = context.settings.model_copy(update={"checkpoint_interval_seconds": 0})
    return replace(context, settings=changed)


def test_metrics_still_stand_with_their_checkpoint(eager: WorkerContext, tmp_path: Path) -> None:
    job_id, trial = begin(eager)
    with LeaseKeeper(eager, trial) as keeper:
        journal = TrialJournal(eager, trial, keeper, tmp_path)
        journal.moved(0.4)
        journal.epoch_ended([RECORD], 0.5, checkpoint)
        (row, *_) = trials_of(eager.database, job_id)
        assert row.checkpoint is not None
        assert row.progress == 0.5
        with eager.database.write() as session:
            lifecycle.cancel(session, job_id)
        journal.moved(0.6)
        until(lambda: journal.signal() is Signal.STOP)
        with pytest.raises(Fenced):
            journal.epoch_ended([RECORD], 1.0, checkpoint)
    (row, *_) = trials_of(eager.database, job_id)
    assert (row.status, row.progress) == ("cancelled", 0.5)
    assert [path.name for path in files(eager)] == [Path(row.checkpoint or "").name]


def test_epochs_wait_for_the_checkpoint_that_they_share(
    context: WorkerContext, tmp_path: Path
) -> None:
    _, trial = begin(context)
    with LeaseKeeper(context, trial) as keeper:
        journal = TrialJournal(context, trial, keeper, tmp_path)
        for _ in range(2):
            journal.epoch_ended([RECORD], 0.5, lambda: pytest.fail("it is too early for one"))
        assert [(row.phase, row.values) for row in journal.pending] == [
            ("pretrain", {"loss": 1.0})
        ] * 2
    assert files(context) == []
    with context.database.read() as session:
        assert session.query(EpochRow).count() == 0


def test_what_is_given_back_goes_on_from_there(eager: WorkerContext, tmp_path: Path) -> None:
    _, trial = begin(eager)
    with LeaseKeeper(eager, trial) as keeper:
        journal = TrialJournal(eager, trial, keeper, tmp_path)
        assert journal.start() is None
        journal.epoch_ended([RECORD], 0.5, lambda: checkpoint(1))
        journal.give_back(checkpoint(2))
    assert len(files(eager)) == 1
    again = must_claim(eager.database)
    assert (again.id, again.progress, again.attempt) == (trial.id, 0.5, 1)
    with LeaseKeeper(eager, again) as keeper:
        journal = TrialJournal(eager, again, keeper, tmp_path)
        found = journal.start()
        assert found is not None
        assert found.position.epochs == 2
        assert journal.seconds > again.seconds > 0
        journal.close()
    assert files(eager) == []


def cut(_: WorkerContext, path: Path) -> None:
    path.write_bytes(path.read_bytes()[:100])


def lose(_: WorkerContext, path: Path) -> None:
    path.unlink()


def replace_by_another_file(context: WorkerContext, path: Path) -> None:
    """Which is whole: its name is made of its content."""
    path.write_bytes(b"no checkpoint")
    ref = f"checkpoints/{path.parent.name}/t-9-{sha256_of(path)}.npz"
    with context.database.write() as session:
        session.execute(update(TrialRow).values(checkpoint=context.storage.write(ref, path)))


@pytest.mark.parametrize("damage", [cut, lose, replace_by_another_file])
def test_a_lost_checkpoint_costs_what_it_had_behind_it(
    eager: WorkerContext, tmp_path: Path, damage: Callable[[WorkerContext, Path], None]
) -> None:
    job_id, trial = begin(eager)
    with LeaseKeeper(eager, trial) as keeper:
        TrialJournal(eager, trial, keeper, tmp_path).epoch_ended([RECORD], 0.5, checkpoint)
    damage(eager, files(eager)[0])
    (row, *_) = trials_of(eager.database, job_id)
    assert (row.progress, row.checkpoint is not None) == (0.5, True)
    with LeaseKeeper(eager, row) as keeper:
        journal = TrialJournal(eager, row, keeper, tmp_path)
        assert journal.start() is None
    (row, *_) = trials_of(eager.database, job_id)
    assert (row.progress, row.checkpoint) == (0.0, None)
    with eager.database.read() as session:
        assert session.query(EpochRow).count() == 0
    (said,) = warnings(eager)
    assert said["trial"] == trial.id
    assert "it starts anew" in said["message"]


@SQLITE
def test_a_job_whose_seconds_are_spent_stops_its_trials(
    context: WorkerContext, tmp_path: Path
) -> None:
    _, trial = begin(context)
    keeper = LeaseKeeper(context, trial)  # which has not begun to look
    journal = TrialJournal(context, trial, keeper, tmp_path)
    assert journal.overdrawn() is None
    keeper.others = TimeBudget(budget=60, spent=20)
    assert journal.signal() is None
    keeper.others = TimeBudget(budget=60, spent=60)
    assert journal.signal() is Signal.BUDGET
    failure = journal.overdrawn()
    assert failure is not None
    assert failure.code is FailureCode.BUDGET
    keeper.signal = Signal.STOP  # the row is another's: nothing may be written about the budget
    assert journal.signal() is Signal.STOP


@SQLITE
def test_what_was_not_as_it_should_be_is_told_once(context: WorkerContext, tmp_path: Path) -> None:
    job_id, trial = begin(context)
    noted = CONDITIONS.model_copy(update={"notes": ["another number of threads"]})
    more = noted.model_copy(update={"notes": [*noted.notes, "no GPU"]})
    keeper = LeaseKeeper(context, trial)
    journal = TrialJournal(context, trial, keeper, tmp_path)
    for conditions in (CONDITIONS, noted, noted, more):
        journal.computed_by(conditions)
    assert [each["message"] for each in warnings(context)] == [
        "another number of threads",
        "no GPU",
    ]
    (row, *_) = trials_of(context.database, job_id)
    assert Conditions.model_validate(row.conditions) == more
    later = TrialJournal(context, row, keeper, tmp_path)  # of the next attempt
    later.computed_by(more)
    assert len(warnings(context)) == 2
