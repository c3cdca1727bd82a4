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
from app.jobs.budget import TimeBudget
from app.leases import Leased
from app.tables.datasets import DatasetRow
from app.tables.jobs import TrialRow
from tests.jobs.factories import add_dataset, finish, must_claim, ready_job, trials_of
from tests.system.service import wait_for
from worker.machine.context import WorkerContext
from worker.training.setup import Signal
from worker.trials import lease_keeper
from worker.trials.lease_keeper import LeaseKeeper

PATIENCE_SECONDS = 30.0
LEASE_SECONDS = 3.0  # a look every 0.4 s, and room for a machine that is busy
sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def context(context: WorkerContext) -> WorkerContext:
    quick = context.settings.model_copy(update={"lease_seconds": LEASE_SECONDS})
    return replace(context, settings=quick)


def hear(keeper: LeaseKeeper, expected: Signal | None) -> None:
    wait_for(lambda: keeper.signal is expected, PATIENCE_SECONDS, f"no {expected}")


def change(context: WorkerContext, row: Leased, **values: object) -> None:
    table = type(row)
    with context.database.write() as session:
        session.execute(update(table).where(table.id == row.id).values(**values))


def renewed(context: WorkerContext, row: Leased, before: float | None) -> float:
    """When the lease ends that takes the place of the one that ends at `before`."""

    def end() -> float | None:
        with context.database.read() as session:
            now = session.get_one(type(row), row.id).lease_until
        return None if now == before else now

    return float(wait_for(end, PATIENCE_SECONDS, "the lease is not renewed"))


def test_it_renews_and_ends_with_its_block(context: WorkerContext) -> None:
    ready_job(context.database)
    trial = must_claim(context.database, seconds=600)
    with LeaseKeeper(context, trial) as keeper:
        first = renewed(context, trial, trial.lease_until)
        second = renewed(context, trial, first)
        assert keeper.signal is None
    assert first < (trial.lease_until or 0) - 500  # LEASE_SECONDS from then
    assert first < second
    assert "lease-keeper" not in {thread.name for thread in threading.enumerate()}


@pytest.mark.parametrize("lose", ["taken by another", "taken back", "gone with its job"])
def test_work_whose_row_is_lost_stops(context: WorkerContext, lose: str) -> None:
    job_id = ready_job(context.database)
    trial = must_claim(context.database, owner="me", seconds=600)
    with LeaseKeeper(context, trial) as keeper:
        match lose:
            case "taken by another":
                change(context, trial, token="another's")
            case "taken back":
                with context.database.write() as session:
                    recovery.abandon(session, "me")
                recovery.recover(context.database, context.settings)
            case _:
                with context.database.write() as session:
                    session.delete(session.get_one(TrialRow, trial.id))
        hear(keeper, Signal.STOP)
    assert [t.token for t in trials_of(context.database, job_id) if t.id == trial.id] != [
        trial.token
    ]


def test_a_pause_is_heard_and_taken_back(context: WorkerContext) -> None:
    job_id = ready_job(context.database)
    with LeaseKeeper(context, must_claim(context.database)) as keeper:
        for steer, expected in ((lifecycle.pause, Signal.PAUSE), (lifecycle.resume, None)):
            with context.database.write() as session:
                steer(session, job_id)
            hear(keeper, expected)


@sqlite
def test_a_worker_that_drains_pauses_its_work(context: WorkerContext) -> None:
    told: list[str] = []
    ready_job(context.database)
    trial = must_claim(context.database)
    with LeaseKeeper(replace(context, is_draining=lambda: bool(told)), trial) as keeper:
        hear(keeper, None)
        told.append("to end")
        hear(keeper, Signal.PAUSE)


def test_what_the_jobs_other_trials_have_spent_is_known(context: WorkerContext) -> None:
    ready_job(context.database, budget_seconds=60)
    finish(context.database, must_claim(context.database), seconds=7)
    trial = must_claim(context.database)
    change(context, trial, seconds=5)  # its own, which it counts itself
    with LeaseKeeper(context, trial) as keeper:
        wait_for(lambda: keeper.others, PATIENCE_SECONDS, "the budget is not looked at")
        assert keeper.others == TimeBudget(budget=60, spent=7)


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
    context: WorkerContext, claimed: Callable[[Database], Leased]
) -> None:
    row = claimed(context.database)
    with LeaseKeeper(context, row) as keeper:
        renewed(context, row, row.lease_until)
        change(context, row, token="another's")
        hear(keeper, Signal.STOP)


@sqlite
def test_a_database_that_stays_away_longer_than_the_lease_stops_the_work(
    context: WorkerContext, tmp_path: Path
) -> None:
    ready_job(context.database)
    trial = must_claim(context.database)
    away = Database(f"sqlite:///{tmp_path}/away/ktl.db")
    with LeaseKeeper(replace(context, database=away), trial) as keeper:
        hear(keeper, Signal.STOP)
    away.dispose()


@sqlite
def test_work_that_does_not_stop_is_killed_with_its_process(
    context: WorkerContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed: list[tuple[int, int]] = []
    monkeypatch.setattr(lease_keeper, "GRACE_SECONDS", 0.1)
    monkeypatch.setattr(os, "kill", lambda *whom: killed.append(whom))
    ready_job(context.database)
    trial = must_claim(context.database)
    with LeaseKeeper(context, trial):
        change(context, trial, token="another's")
        wait_for(lambda: killed, PATIENCE_SECONDS, "nobody is killed")
    assert set(killed) == {(os.getpid(), signal.SIGKILL)}


@sqlite
def test_work_that_stops_in_time_is_not_killed(
    context: WorkerContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda *whom: killed.append(whom))
    ready_job(context.database)
    trial = must_claim(context.database)
    with LeaseKeeper(context, trial) as keeper:
        change(context, trial, token="another's")
        hear(keeper, Signal.STOP)
    assert killed == []
