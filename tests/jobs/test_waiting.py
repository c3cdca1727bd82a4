"""What a worker finds when it looks for work, on both databases."""

import time

from app import leases
from app.database import Database
from app.jobs import lifecycle, work
from app.messages import FinaliseJob, IngestDataset, Message, RunTrial
from app.tables.datasets import DatasetRow
from tests.jobs.factories import (
    add_dataset,
    add_job,
    claim,
    finish,
    must_claim,
    ready_job,
    trials_of,
)


def waiting(database: Database, most: int = 10) -> list[Message]:
    with database.read() as session:
        return work.waiting(session, most)


def test_queued_trials_wait_until_they_are_claimed(database: Database) -> None:
    job_id = ready_job(database)
    queued = {RunTrial(t.id) for t in trials_of(database, job_id) if t.status == "queued"}
    assert set(waiting(database)) == queued
    assert len(queued) == 2
    assert len(waiting(database, most=1)) == 1
    taken = must_claim(database)
    assert set(waiting(database)) == queued - {RunTrial(taken.id)}


def test_a_paused_jobs_trials_do_not_wait(database: Database) -> None:
    job_id = ready_job(database)
    with database.write() as session:
        lifecycle.pause(session, job_id)
    assert waiting(database) == []


def test_an_intake_waits_until_it_is_claimed(database: Database) -> None:
    dataset_id = add_dataset(database, status="ingesting")
    add_job(database, dataset_id, add_dataset(database))  # whose trials cannot begin yet
    assert waiting(database) == [IngestDataset(dataset_id)]
    with database.write() as session:
        is_it = DatasetRow.id == dataset_id
        assert leases.claim(session, DatasetRow, is_it, [DatasetRow.id], "w", 60)
    assert waiting(database) == []


def test_a_report_waits_until_it_is_claimed(database: Database) -> None:
    job_id = ready_job(database)
    while trial := claim(database):
        finish(database, trial)
    assert waiting(database) == [FinaliseJob(job_id)]
    with database.write() as session:
        assert work.claim_finalisation(session, job_id, "w", 60)
    assert waiting(database) == []


def test_the_oldest_comes_first_whatever_it_is(database: Database) -> None:
    first = add_dataset(database, status="ingesting")
    time.sleep(0.002)  # an id's time is in milliseconds
    job_id = ready_job(database)
    time.sleep(0.002)
    last = add_dataset(database, status="ingesting")
    found = waiting(database)
    trials = {RunTrial(t.id) for t in trials_of(database, job_id) if t.status == "queued"}
    assert found[0] == IngestDataset(first)
    assert set(found[1:-1]) == trials
    assert found[-1] == IngestDataset(last)
