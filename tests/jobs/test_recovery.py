"""What was lost is found again, on both databases."""

from collections.abc import Iterator

import pytest
from sqlalchemy import update

from app import leases
from app.database import Database, clock
from app.errors import Fenced
from app.jobs import lifecycle, recovery, work
from app.messages import FinaliseJob, IngestDataset, Message, RunTrial
from app.settings import Settings
from app.tables import Base
from app.tables.datasets import DatasetRow
from app.tables.jobs import JobRow, TrialRow
from tests.jobs.factories import (
    LEASE_SECONDS,
    add_dataset,
    claim,
    finish,
    job_of,
    must_claim,
    ready_job,
    trials_of,
)
from tests.leases import let_pass

OVER = LEASE_SECONDS + 1


@pytest.fixture
def sent() -> list[Message]:
    return []


@pytest.fixture
def database(database_url: str, sent: list[Message]) -> Iterator[Database]:
    database = Database(database_url, sent.append)
    Base.metadata.create_all(database.engine)
    yield database
    database.dispose()


def test_an_expired_trial_is_queued_again(
    database: Database, settings: Settings, sent: list[Message]
) -> None:
    ready_job(database)
    lost = must_claim(database)
    let_pass(database, OVER)
    sent.clear()
    recovery.recover(database, settings)
    assert RunTrial(lost.id) in sent
    again = must_claim(database)
    assert (again.id, again.attempt) == (lost.id, 2)
    with pytest.raises(Fenced):
        finish(database, lost)
    finish(database, again)


def test_a_trial_that_is_lost_too_often_fails(database: Database, settings: Settings) -> None:
    job_id = ready_job(database)
    few = settings.model_copy(update={"max_attempts": 2})
    for _ in range(2):
        must_claim(database)
        let_pass(database, OVER)
        recovery.recover(database, few)
    pretrain, scratch, transfer = trials_of(database, job_id)
    assert pretrain.error is not None
    assert (pretrain.status, pretrain.error["code"]) == ("failed", "worker_lost")
    assert transfer.error is not None
    assert (transfer.status, transfer.error["code"]) == ("failed", "dependency_failed")
    assert scratch.status == "queued"
    finish(database, must_claim(database))
    job = job_of(database, job_id)
    assert job.error is not None
    assert (job.status, job.error["code"]) == ("failed", "worker_lost")


def lose(database: Database, settings: Settings) -> TrialRow:
    """A worker claims the trial and is killed; the trial as it then stands."""
    trial = must_claim(database)
    let_pass(database, OVER)
    recovery.recover(database, settings)
    with database.read() as session:
        return session.get_one(TrialRow, trial.id)


def test_losses_are_counted_from_the_last_progress(database: Database, settings: Settings) -> None:
    ready_job(database)
    few = settings.model_copy(update={"max_attempts": 3})
    for epoch in range(1, 6):  # five workers, each of which got on
        trial = must_claim(database)
        with database.write() as session:
            work.record_progress(session, trial, [], progress=epoch / 10, checkpoint=str(epoch))
        with database.write() as session:
            recovery.abandon(session, "w")
        recovery.recover(database, few)
    with database.read() as session:
        assert session.get_one(TrialRow, trial.id).status == "queued"
    assert lose(database, few).status == "queued"
    lost = lose(database, few)
    assert lost.error is not None
    assert (lost.id, lost.status, lost.error["code"]) == (trial.id, "failed", "worker_lost")
    assert "3 times" in lost.error["message"]


def test_a_trial_that_got_on_is_given_back_without_a_failed_attempt(database: Database) -> None:
    ready_job(database)
    for _ in range(3):
        trial = must_claim(database)
        assert trial.attempt == 1
        with database.write() as session:
            work.record_progress(session, trial, [], progress=0.1)
        with database.write() as session:
            work.release_trial(session, trial)


def test_a_child_known_to_be_dead_is_not_waited_for(database: Database, settings: Settings) -> None:
    ready_job(database)
    must_claim(database, owner="dead", seconds=600)
    must_claim(database, owner="alive", seconds=600)
    with database.write() as session:
        recovery.abandon(session, "dead")
    recovery.recover(database, settings)
    assert must_claim(database).role == "pretrain"
    assert claim(database) is None


def test_a_lost_message_is_sent_again_and_with_patience(
    database: Database, settings: Settings, sent: list[Message]
) -> None:
    ready_job(database)
    sent.clear()
    recovery.recover(database, settings)
    assert sent == []  # it was sent a moment ago
    patient = settings.model_copy(update={"republish_after_seconds": 1000})
    counts = []
    for seconds in (1001, 1001, 1001):  # the second time after twice as long
        with database.write() as session:
            session.execute(update(TrialRow).values(published_at=TrialRow.published_at - seconds))
        recovery.recover(database, patient)
        counts.append(len(sent))
    assert {type(message) for message in sent} == {RunTrial}
    assert counts[0] == counts[1] > 0
    assert counts[2] == 2 * counts[0]


def test_intakes_and_finalisations_are_recovered_too(
    database: Database, settings: Settings, sent: list[Message]
) -> None:
    dataset_id = add_dataset(database, status="ingesting")
    job_id = ready_job(database)
    while trial := claim(database):
        finish(database, trial)
    with database.write() as session:
        raw = DatasetRow.id == dataset_id
        assert leases.claim(session, DatasetRow, raw, [DatasetRow.id], "w", LEASE_SECONDS)
        assert work.claim_finalisation(session, job_id, "w", LEASE_SECONDS)
    let_pass(database, OVER)
    sent.clear()
    recovery.recover(database, settings)
    assert set(sent) >= {IngestDataset(dataset_id), FinaliseJob(job_id)}
    for _ in range(settings.max_attempts):
        with database.write() as session:
            leases.claim(session, DatasetRow, raw, [DatasetRow.id], "w", LEASE_SECONDS)
            work.claim_finalisation(session, job_id, "w", LEASE_SECONDS)
        let_pass(database, OVER)
        recovery.recover(database, settings)
    job = job_of(database, job_id)
    assert job.error is not None
    assert (job.status, job.error["code"]) == ("failed", "worker_lost")
    with database.read() as session:
        assert session.get_one(DatasetRow, dataset_id).status == "failed"


def test_a_cancelled_jobs_report_is_recovered_too(
    database: Database, settings: Settings, sent: list[Message]
) -> None:
    """Its message is lost, then one worker after the other."""
    job_id = ready_job(database)
    for _ in range(2):
        finish(database, must_claim(database))
    with database.write() as session:
        lifecycle.cancel(session, job_id)
    with database.write() as session:
        session.execute(update(JobRow).values(published_at=JobRow.published_at - 1000))
    sent.clear()
    recovery.recover(database, settings)
    assert sent == [FinaliseJob(job_id)]
    few = settings.model_copy(update={"max_attempts": 2})
    for _ in range(2):
        with database.write() as session:
            assert work.claim_finalisation(session, job_id, "w", LEASE_SECONDS)
        let_pass(database, OVER)
        sent.clear()
        recovery.recover(database, few)
    job = job_of(database, job_id)
    assert sent == []
    assert (job.status, job.stage) == ("cancelled", "ended")
    assert job.error is not None
    assert job.error["code"] == "worker_lost"


def test_nothing_is_taken_back_from_a_worker_that_renews(
    database: Database, settings: Settings
) -> None:
    ready_job(database)
    trial = must_claim(database)
    assert trial.token is not None
    with database.write() as session:
        leases.renew(session, TrialRow, trial.id, trial.token, 2 * LEASE_SECONDS)
    let_pass(database, OVER)
    recovery.recover(database, settings)
    with database.read() as session:
        row = session.get_one(TrialRow, trial.id)
        assert row.token == trial.token
        assert session.scalar(clock()) < (row.lease_until or 0)
