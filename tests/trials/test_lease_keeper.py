"""A lease is kept while the work goes on, and the work hears what is asked of it."""

import os
import signal
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import update

from app.database import Database
from app.jobs import lifecycle, recovery, work
from app.jobs.budget import Account
from app.leases import Leased
from app.tables.datasets import DatasetRow
from app.tables.jobs import TrialRow
from tests.jobs.factories import add_dataset, finish, must_claim, ready_job, trials_of
from tests.system.service import wait_for
from worker.process.workplace import Workplace
from worker.training.setup import Signal
from worker.trials import lease_keeper
from worker.trials.lease_keeper import LeaseKeeper

PATIENCE_SECONDS = 30.0
LEASE_SECONDS = 3.0  # a look every 0.4 s, and room for a machine that is busy
sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def place(place: Workplace) -> Workplace:
    quick = place.settings.model_copy(update={"lease_seconds": LEASE_SECONDS})
    return replace(place, settings=quick)


def hear(keeper: LeaseKeeper, expected: Signal | None) -> None:
    wait_for(lambda: keeper.signal is expected, PATIENCE_SECONDS, f"no {expected}")


def change(place: Workplace, row: Leased, **values: object) -> None:
    table = type(row)
    with place.database.write() as session:
        session.execute(update(table).where(table.id == row.id).values(**values))


def renewed(place: Workplace, row: Leased, before: float | None) -> float:
    """When the lease ends that takes the place of the one that ends at `before`."""

    def end() -> float | None:
        with place.database.read() as session:
            now = session.get_one(type(row), row.id).lease_until
        return None if now == before else now

    return float(wait_for(end, PATIENCE_SECONDS, "the lease is not renewed"))


def test_it_renews_and_ends_with_its_block(place: Workplace) -> None:
    ready_job(place.database)
    trial = must_claim(place.database, seconds=600)
    with LeaseKeeper(place, trial) as keeper:
        first = renewed(place, trial, trial.lease_until)
        second = renewed(place, trial, first)
        assert keeper.signal is None
    assert first < (trial.lease_until or 0) - 500  # LEASE_SECONDS from then
    assert first < second
    assert "lease-keeper" not in {thread.name for thread in threading.enumerate()}


@pytest.mark.parametrize("lose", ["taken by another", "taken back", "gone with its job"])
def test_work_whose_row_is_lost_stops(place: Workplace, lose: str) -> None:
    job_id = ready_job(place.database)
    trial = must_claim(place.database, owner="me", seconds=600)
    with LeaseKeeper(place, trial) as keeper:
        match lose:
            case "taken by another":
                change(place, trial, token="another's")
            case "taken back":
                with place.database.write() as session:
                    recovery.abandon(session, "me")
                recovery.recover(place.database, place.settings)
            case _:
                with place.database.write() as session:
                    session.delete(session.get_one(TrialRow, trial.id))
        hear(keeper, Signal.STOP)
    assert [t.token for t in trials_of(place.database, job_id) if t.id == trial.id] != [trial.token]


def test_a_pause_is_heard_and_taken_back(place: Workplace) -> None:
    job_id = ready_job(place.database)
    with LeaseKeeper(place, must_claim(place.database)) as keeper:
        for steer, expected in ((lifecycle.pause, Signal.PAUSE), (lifecycle.resume, None)):
            with place.database.write() as session:
                steer(session, job_id)
            hear(keeper, expected)


@sqlite
def test_a_worker_that_drains_pauses_its_work(place: Workplace) -> None:
    told: list[str] = []
    ready_job(place.database)
    trial = must_claim(place.database)
    with LeaseKeeper(replace(place, is_draining=lambda: bool(told)), trial) as keeper:
        hear(keeper, None)
        told.append("to end")
        hear(keeper, Signal.PAUSE)


def test_what_the_jobs_other_trials_have_spent_is_known(place: Workplace) -> None:
    ready_job(place.database, budget_seconds=60)
    finish(place.database, must_claim(place.database), seconds=7)
    trial = must_claim(place.database)
    change(place, trial, seconds=5)  # its own, which it counts itself
    with LeaseKeeper(place, trial) as keeper:
        wait_for(lambda: keeper.others, PATIENCE_SECONDS, "the budget is not looked at")
        assert keeper.others == Account(budget=60, spent=7)


def a_dataset(database: Database) -> Leased:
    dataset_id = add_dataset(database, status="ingesting")
    with database.write() as session:
        row = session.get_one(DatasetRow, dataset_id)
        row.token, row.owner, row.lease_until = "mine", "w", 1e12
    return row


def a_finalisation(database: Database) -> Leased:
    job_id = ready_job(database)
    while True:
        with database.write() as session:
            if job := work.claim_finalisation(session, job_id, "w", 600):
                return job
        finish(database, must_claim(database))


@pytest.mark.parametrize("claimed", [a_dataset, a_finalisation])
def test_intakes_and_finalisations_are_kept_too(
    place: Workplace, claimed: Callable[[Database], Leased]
) -> None:
    row = claimed(place.database)
    with LeaseKeeper(place, row) as keeper:
        renewed(place, row, row.lease_until)
        change(place, row, token="another's")
        hear(keeper, Signal.STOP)


@sqlite
def test_a_database_that_stays_away_longer_than_the_lease_stops_the_work(
    place: Workplace, tmp_path: Path
) -> None:
    ready_job(place.database)
    trial = must_claim(place.database)
    away = Database(f"sqlite:///{tmp_path}/away/ktl.db")
    with LeaseKeeper(replace(place, database=away), trial) as keeper:
        hear(keeper, Signal.STOP)
    away.dispose()


@sqlite
def test_work_that_does_not_stop_is_killed_with_its_process(
    place: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed: list[tuple[int, int]] = []
    monkeypatch.setattr(lease_keeper, "GRACE_SECONDS", 0.1)
    monkeypatch.setattr(os, "kill", lambda *whom: killed.append(whom))
    ready_job(place.database)
    trial = must_claim(place.database)
    with LeaseKeeper(place, trial):
        change(place, trial, token="another's")
        wait_for(lambda: killed, PATIENCE_SECONDS, "nobody is killed")
    assert set(killed) == {(os.getpid(), signal.SIGKILL)}


@sqlite
def test_work_that_stops_in_time_is_not_killed(
    place: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda *whom: killed.append(whom))
    ready_job(place.database)
    trial = must_claim(place.database)
    with LeaseKeeper(place, trial) as keeper:
        change(place, trial, token="another's")
        hear(keeper, Signal.STOP)
    assert killed == []
