"""Whose trial a free worker takes, on both databases."""

from datetime import timedelta

import pytest

from app.database import Database, now
from app.jobs import work
from app.tables.jobs import JobRow
from tests.jobs.factories import claim, finish, must_claim, ready_job


def job(database: Database, minutes_ago: float, seeds: int = 3, **changes: str) -> str:
    job_id = ready_job(database, seeds, **changes)
    with database.write() as session:
        session.get_one(JobRow, job_id).created_at = now() - timedelta(minutes=minutes_ago)
    return job_id


def train(database: Database, minutes: float) -> str:
    """A trial from its claim to its end; the job that it is of."""
    trial = must_claim(database)
    with database.write() as session:
        work.record_progress(session, trial, epochs=[], seconds=60 * minutes, progress=1.0)
    finish(database, trial, test={"accuracy": 0.5})
    return trial.job_id


def test_a_small_job_is_not_stuck_behind_a_long_one(database: Database) -> None:
    long = job(database, minutes_ago=60, seeds=5)
    assert [train(database, 20) for _ in range(2)] == [long, long]
    small = job(database, minutes_ago=30, seeds=1)  # came after what the long one had trained
    small_ones = [train(database, 0.5) for _ in range(3)]
    assert small_ones == [small, small, small]
    assert train(database, 20) == long


def test_nobody_waits_for_ever(database: Database) -> None:
    long = job(database, minutes_ago=60)
    train(database, 40)
    before, after = job(database, minutes_ago=30), job(database, minutes_ago=10)
    order = [train(database, 0) for _ in range(20)]
    assert order.index(before) < order.index(long) < order.index(after)


def test_jobs_of_one_minute_run_one_after_the_other(database: Database) -> None:
    jobs = [job(database, minutes_ago=10), job(database, minutes_ago=9.9)]
    order = [train(database, 0.01) for _ in range(14)]
    assert order == sorted(order, key=jobs.index)
    assert claim(database) is None


def test_priority_comes_first(database: Database) -> None:
    jobs = {
        priority: job(database, minutes, 1, priority=priority)
        for priority, minutes in (("low", 90), ("normal", 60), ("high", 5))
    }
    order = [train(database, 200) for _ in range(9)]
    assert list(dict.fromkeys(order)) == [jobs["high"], jobs["normal"], jobs["low"]]


def test_a_job_of_an_older_release_has_none(database: Database) -> None:
    old = ready_job(database)
    with database.write() as session:
        row = session.get_one(JobRow, old)
        row.spec = {name: value for name, value in row.spec.items() if name != "priority"}
    job(database, 0, priority="low")
    assert must_claim(database).job_id == old


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_claim_goes_through_jobs_and_not_through_their_trials(database: Database) -> None:
    """It holds the database meanwhile: with 500 jobs of 30 trials it took a sixth of a second."""
    first = job(database, 60, seeds=100)
    for _ in range(4):
        job(database, 30, seeds=100)
    thousands = [0]

    def count() -> None:
        thousands[0] += 1

    with database.write() as session:
        raw = session.connection().connection.driver_connection
        raw.set_progress_handler(count, 1000)  # instructions of SQLite's machine
        trial = work.claim_trial(session, "w", 60, max_attempts=5)
        raw.set_progress_handler(None, 0)
    assert trial
    assert (trial.job_id, trial.position) == (first, 0)
    assert thousands[0] < 10
