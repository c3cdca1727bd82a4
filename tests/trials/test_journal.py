"""What a trial tells of itself while it trains, on both databases."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from app.errors import Fenced
from app.jobs import lifecycle
from app.tables.jobs import EpochRow, TrialRow
from tests.jobs.factories import finish, must_claim, ready_job, trials_of
from worker.process.workplace import Workplace
from worker.training.checkpoint import Checkpoint, Position
from worker.training.setup import EpochRecord, Signal
from worker.trials.journal import TrialJournal
from worker.trials.lease_keeper import LeaseKeeper

PATIENCE_SECONDS = 30.0


def until(holds: Callable[[], bool]) -> None:
    ends = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < ends
        time.sleep(0.05)


def begin(place: Workplace) -> tuple[str, TrialRow]:
    job_id = ready_job(place.database)
    return job_id, must_claim(place.database)


def test_a_trial_moves_within_an_epoch(place: Workplace, tmp_path: Path) -> None:
    job_id, trial = begin(place)

    def row() -> TrialRow:
        return trials_of(place.database, job_id)[0]

    with LeaseKeeper(place, trial) as keeper:
        journal = TrialJournal(place, trial, keeper, tmp_path)
        journal.moved(0.25)
        until(lambda: row().progress == 0.25)
        before = row()
        assert before.seconds > 0
        until(lambda: row().seconds > before.seconds)  # while nothing moves but the clock
        assert (row().checkpoint, row().progress, row().status) == (None, 0.25, "running")
        with place.database.read() as session:
            assert session.query(EpochRow).count() == 0
        finish(place.database, trial, seconds=journal.seconds)
    assert (row().progress, row().status) == (1.0, "succeeded")


def test_metrics_still_stand_with_their_checkpoint(place: Workplace, tmp_path: Path) -> None:
    eager = place.settings.model_copy(update={"checkpoint_interval_seconds": 0})
    place = Workplace(eager, place.database, place.storage, place.slots, place.is_draining)
    job_id, trial = begin(place)
    record = EpochRecord("pretrain", 0, 1, "train", {"loss": 1.0})
    with LeaseKeeper(place, trial) as keeper:
        journal = TrialJournal(place, trial, keeper, tmp_path)
        journal.moved(0.4)
        journal.epoch_ended([record], 0.5, lambda: Checkpoint({}, Position(), 0, (), threads=1))
        (row, *_) = trials_of(place.database, job_id)
        assert row.checkpoint is not None
        assert row.progress == 0.5
        with place.database.write() as session:
            lifecycle.cancel(session, job_id)
        journal.moved(0.6)
        until(lambda: journal.signal() is Signal.STOP)
        with pytest.raises(Fenced):
            journal.epoch_ended([record], 1.0, lambda: Checkpoint({}, Position(), 0, (), threads=1))
    (row, *_) = trials_of(place.database, job_id)
    assert (row.status, row.progress) == ("cancelled", 0.5)
