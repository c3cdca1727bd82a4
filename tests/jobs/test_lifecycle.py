"""Jobs move through their states as promised, on both databases."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from app.database import Database
from app.datasets import repository as datasets
from app.errors import Conflict, FailureCode, Fenced, WorkFailure
from app.jobs import events, lifecycle, work
from app.tables.datasets import DatasetRow
from app.tables.jobs import JobRow
from tests.jobs.factories import (
    add_dataset,
    add_job,
    claim,
    finish,
    job_of,
    must_claim,
    ready_job,
    trials_of,
)


def statuses(database: Database, job_id: str) -> list[str]:
    return [trial.status for trial in trials_of(database, job_id)]


def test_a_trial_waits_for_what_it_depends_on(database: Database) -> None:
    job_id = ready_job(database)
    assert statuses(database, job_id) == ["queued", "queued", "waiting"]
    pretrain = must_claim(database)
    assert pretrain.role == "pretrain"
    finish(database, pretrain)
    assert statuses(database, job_id) == ["succeeded", "queued", "queued"]


def test_the_last_trial_hands_the_job_to_the_finaliser(database: Database) -> None:
    job_id = ready_job(database)
    while trial := claim(database):
        finish(database, trial)
    job = job_of(database, job_id)
    assert (job.status, job.stage) == ("running", "finalising")
    with database.write() as session:
        mine = work.claim_finalisation(session, job_id, "w", 60)
        assert mine is not None
        assert work.claim_finalisation(session, job_id, "other", 60) is None
    with database.write() as session:
        work.finish_job(session, mine, [("report", {"verdict": "no_evidence"})], report={})
    assert job_of(database, job_id).status == "succeeded"
    with database.read() as session:
        story = events.after(session, job_id, 0)
    assert [event.number for event in story] == list(range(1, len(story) + 1))
    assert [event.kind for event in story[-2:]] == ["report", "status"]


def test_trials_that_end_at_once_finalise_once(database: Database) -> None:
    job_id = ready_job(database, seeds=4)
    finish(database, must_claim(database))
    running = [must_claim(database) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda trial: finish(database, trial), running))
    assert job_of(database, job_id).stage == "finalising"
    with database.read() as session:
        stages = [e.data.get("stage") for e in events.after(session, job_id, 0)]
    assert stages.count("finalising") == 1


def test_workers_that_claim_at_once_get_different_trials(database: Database) -> None:
    ready_job(database, seeds=8)
    finish(database, must_claim(database))
    with ThreadPoolExecutor(8) as pool:
        claimed = list(pool.map(lambda n: must_claim(database, f"w{n}").id, range(16)))
    assert len(set(claimed)) == 16
    assert claim(database) is None


def test_a_job_waits_for_its_datasets(database: Database) -> None:
    target = add_dataset(database, status="ingesting")
    job_id = add_job(database, add_dataset(database), target)
    assert set(statuses(database, job_id)) == {"waiting"}
    with database.write() as session:
        session.get_one(DatasetRow, target).status = "ready"
        session.flush()
        lifecycle.dataset_settled(session, target)
    assert "queued" in statuses(database, job_id)


def test_a_dataset_that_failed_fails_the_job_and_retry_takes_it_in_again(
    database: Database,
) -> None:
    target = add_dataset(database, status="ingesting")
    job_id = add_job(database, add_dataset(database), target)
    failure = WorkFailure(FailureCode.DOWNLOAD_FAILED, "no network", stage="intake")
    with database.write() as session:
        dataset = session.get_one(DatasetRow, target)
        dataset.status, dataset.error = "failed", failure.as_json()
        session.flush()
        lifecycle.dataset_settled(session, target)
    job = job_of(database, job_id)
    assert job.status == "failed"
    assert job.error is not None
    assert job.error["code"] == "dataset_failed"
    assert "no network" in job.error["message"]
    assert set(statuses(database, job_id)) == {"cancelled"}
    with database.write() as session:
        lifecycle.retry(session, job_id)
    with database.read() as session:
        assert session.get_one(DatasetRow, target).status == "ingesting"
    assert job_of(database, job_id).status == "queued"


def test_retry_needs_its_datasets_and_reads_no_refused_upload_again(database: Database) -> None:
    source, target = add_dataset(database), add_dataset(database)
    job_id = add_job(database, source, target)
    refused = WorkFailure(FailureCode.DATASET_INVALID, "one class", stage="intake")
    with database.write() as session:
        dataset = session.get_one(DatasetRow, target)
        dataset.status, dataset.error = "failed", refused.as_json()
        session.flush()
        lifecycle.dataset_settled(session, target)
    with database.write() as session:
        lifecycle.retry(session, job_id)
    job = job_of(database, job_id)
    assert job.status == "failed"
    assert "one class" in (job.error or {})["message"]
    with database.write() as session:
        datasets.delete(session, datasets.find(session, "p", source))
    with database.write() as session, pytest.raises(Conflict) as caught:
        lifecycle.retry(session, job_id)
    assert caught.value.code == "dataset_deleted"
    assert source in caught.value.detail


def test_cancel_fences_what_is_running(database: Database) -> None:
    job_id = ready_job(database)
    trial = must_claim(database)
    with database.write() as session:
        lifecycle.cancel(session, job_id)
    assert set(statuses(database, job_id)) == {"cancelled"}
    with pytest.raises(Fenced):
        finish(database, trial)
    with database.write() as session:
        assert lifecycle.cancel(session, job_id).status == "cancelled"
    with database.write() as session, pytest.raises(Conflict):
        lifecycle.resume(session, job_id)


def cancelled_with_results(database: Database) -> str:
    """Pretraining and scratch have ended, the transfer had begun."""
    job_id = ready_job(database)
    for _ in range(2):
        finish(database, must_claim(database))
    must_claim(database)
    with database.write() as session:
        lifecycle.cancel(session, job_id)
    return job_id


def claim_report(database: Database, job_id: str, seconds: float = 60) -> JobRow | None:
    with database.write() as session:
        return work.claim_finalisation(session, job_id, "w", seconds)


def test_a_cancelled_job_without_results_owes_no_report(database: Database) -> None:
    job_id = ready_job(database)
    finish(database, must_claim(database))  # the pretraining alone compares nothing
    with database.write() as session:
        lifecycle.cancel(session, job_id)
    job = job_of(database, job_id)
    assert (job.status, job.stage) == ("cancelled", "ended")
    assert claim_report(database, job_id) is None


def test_a_cancelled_job_with_results_gets_its_report_and_stays_cancelled(
    database: Database,
) -> None:
    job_id = cancelled_with_results(database)
    job = job_of(database, job_id)
    assert (job.status, job.stage) == ("cancelled", "finalising")
    ended_at = job.ended_at
    left = trials_of(database, job_id)[-1]
    assert left.error is not None
    assert (left.status, left.error["code"]) == ("cancelled", "cancelled")
    mine = claim_report(database, job_id)
    assert mine is not None
    with database.write() as session:
        assert lifecycle.cancel(session, job_id).status == "cancelled"
    with database.write() as session:
        work.finish_job(session, mine, [("report", {})], report={"verdict": "no_evidence"})
    job = job_of(database, job_id)
    assert (job.status, job.stage, job.ended_at) == ("cancelled", "ended", ended_at)
    assert job.report == {"verdict": "no_evidence"}
    with database.read() as session:
        story = events.after(session, job_id, 0)
    assert [event.kind for event in story[-2:]] == ["report", "status"]
    assert story[-1].data == {"status": "cancelled", "stage": "ended"}
    for steer in (lifecycle.resume, lifecycle.retry, lifecycle.pause):
        with database.write() as session, pytest.raises(Conflict):
            steer(session, job_id)


def test_a_report_that_cannot_be_made_leaves_the_job_cancelled(database: Database) -> None:
    job_id = cancelled_with_results(database)
    mine = claim_report(database, job_id)
    assert mine is not None
    with database.write() as session:
        failure = WorkFailure(FailureCode.STORAGE_FAILED, "no store", stage="finalising")
        work.fail_finalisation(session, mine, failure)
    job = job_of(database, job_id)
    assert (job.status, job.stage) == ("cancelled", "ended")
    assert job.error is not None
    assert job.error["code"] == "storage_failed"
    assert statuses(database, job_id) == ["succeeded", "succeeded", "cancelled"]


def test_a_job_cancelled_while_it_is_finalised_gets_the_report_alone(database: Database) -> None:
    job_id = ready_job(database)
    while trial := claim(database):
        finish(database, trial)
    first = claim_report(database, job_id)
    assert first is not None
    with database.write() as session:
        lifecycle.cancel(session, job_id)
    with pytest.raises(Fenced), database.write() as session:
        work.finish_job(session, first, [], model_id="mdl_1")
    second = claim_report(database, job_id)
    assert second is not None
    assert second.status == "cancelled"


def test_a_cancelled_job_deleted_while_its_report_is_made(database: Database) -> None:
    job_id = cancelled_with_results(database)
    mine = claim_report(database, job_id)
    assert mine is not None
    with database.write() as session:
        session.delete(lifecycle.lock(session, job_id))
    with pytest.raises(Fenced), database.write() as session:
        work.finish_job(session, mine, [], report={})
    with pytest.raises(Fenced), database.write() as session:
        work.fail_finalisation(session, mine, WorkFailure(FailureCode.INTERNAL, "x"))
