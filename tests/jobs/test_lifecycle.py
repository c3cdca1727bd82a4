"""Jobs move through their states as promised, on both databases."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from app.database import Database
from app.datasets import repository as datasets
from app.errors import Conflict, FailureCode, Fenced, WorkFailure
from app.jobs import events, lifecycle, work
from app.jobs.budget import TimeBudget
from app.tables.datasets import DatasetRow
from app.tables.jobs import EpochRow, JobRow
from tests.jobs.factories import (
    LEASE_SECONDS,
    add_dataset,
    add_job,
    claim,
    finish,
    job_of,
    must_claim,
    ready_job,
    trials_of,
)
from tests.leases import let_pass


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


def test_a_paused_job_gives_nothing_out_and_resumes(database: Database) -> None:
    job_id = ready_job(database)
    trial = must_claim(database)
    with database.write() as session:
        lifecycle.pause(session, job_id)
    assert claim(database) is None
    with database.write() as session:
        work.release_trial(session, trial, checkpoint="checkpoints/x")
    assert claim(database) is None
    with database.write() as session:
        lifecycle.resume(session, job_id)
    again = must_claim(database)
    assert (again.id, again.checkpoint, again.attempt) == (trial.id, "checkpoints/x", 1)


def test_a_job_paused_while_it_is_finalised_is_finalised_after_it(database: Database) -> None:
    job_id = ready_job(database)
    while trial := claim(database):
        finish(database, trial)
    with database.write() as session:
        job = work.claim_finalisation(session, job_id, "w", 60)
        assert job is not None
    with database.write() as session:
        lifecycle.pause(session, job_id)
    with pytest.raises(Fenced), database.write() as session:
        work.finish_job(session, job, [])
    with database.write() as session:
        lifecycle.resume(session, job_id)
    assert job_of(database, job_id).stage == "finalising"


def test_metrics_and_checkpoint_stand_together_or_not_at_all(database: Database) -> None:
    job_id = ready_job(database)
    trial = must_claim(database)
    epoch = {"trial_id": trial.id, "phase": "pretrain", "epoch": 1, "split": "train"}
    with database.write() as session:
        row = EpochRow(**epoch, phase_index=0, values={"loss": 1.0})
        work.record_progress(session, trial, [row], checkpoint="checkpoints/1")
    with database.write() as session:
        lifecycle.cancel(session, job_id)
    row = EpochRow(**{**epoch, "epoch": 2}, phase_index=0, values={"loss": 0.5})
    with pytest.raises(Fenced), database.write() as session:
        work.record_progress(session, trial, [row], checkpoint="checkpoints/2")
    (pretrain, *_) = trials_of(database, job_id)
    assert pretrain.checkpoint == "checkpoints/1"
    with database.read() as session:
        assert session.query(EpochRow).count() == 1


def test_a_trial_that_diverged_is_a_result_and_an_accident_is_not(database: Database) -> None:
    for code, seeds, status in (
        (FailureCode.DIVERGED, 2, "running"),
        (FailureCode.DISK_FULL, 2, "failed"),
        (FailureCode.DIVERGED, 1, "failed"),
    ):
        job_id = ready_job(database, seeds)
        failed = False
        while trial := claim(database):
            if trial.role == "transfer" and not failed:
                failed = True
                with database.write() as session:
                    work.fail_trial(session, trial, WorkFailure(code, "x", stage="finetune"))
            else:
                finish(database, trial)
        job = job_of(database, job_id)
        assert job.status == status, code
        if status == "running":
            assert job.stage == "finalising"
        else:
            assert job.error is not None
            assert job.error["code"] == str(code)


def test_one_pretraining_of_several_that_diverged_takes_its_dependents_with_it(
    database: Database,
) -> None:
    job_id = ready_job(database, seeds=2, pretrain_seeds=2)
    diverged = must_claim(database)
    with database.write() as session:
        failure = WorkFailure(FailureCode.DIVERGED, "loss is nan at epoch 3", stage="pretrain")
        work.fail_trial(session, diverged, failure)
    while trial := claim(database):
        finish(database, trial)
    job = job_of(database, job_id)
    assert (job.status, job.stage) == ("running", "finalising")
    trials = trials_of(database, job_id)
    assert [trial.status for trial in trials] == [
        "failed",
        "succeeded",
        "succeeded",
        "failed",
        "succeeded",
        "succeeded",
    ]
    assert trials[3].error is not None
    assert trials[3].error["code"] == "dependency_failed"


def test_the_only_pretraining_that_diverged_fails_the_job(database: Database) -> None:
    job_id = ready_job(database)
    with database.write() as session:
        failure = WorkFailure(FailureCode.DIVERGED, "loss is nan at epoch 3", stage="pretrain")
        work.fail_trial(session, must_claim(database), failure)
    while trial := claim(database):
        finish(database, trial)
    job = job_of(database, job_id)
    assert job.status == "failed"
    assert job.error is not None
    assert job.error["code"] == "diverged"


def test_what_the_budget_leaves_no_seconds_for_is_not_done(database: Database) -> None:
    """4 s: 3 for the pretraining, 1 for scratch; the transfer finds nothing left."""
    job_id = ready_job(database, budget_seconds=4)
    finish(database, must_claim(database), seconds=3)
    assert statuses(database, job_id) == ["succeeded", "queued", "queued"]
    finish(database, must_claim(database), seconds=1)
    job = job_of(database, job_id)
    assert (job.status, job.stage, job.stop_reason) == ("running", "finalising", "budget")
    (*done, left) = trials_of(database, job_id)
    assert [trial.status for trial in done] == ["succeeded", "succeeded"]
    assert left.status == "failed"
    assert left.error is not None
    assert left.error["code"] == left.error["failure"] == "budget"
    assert "expected at most 4 s of training in the job's trials, got 4.0" in left.error["message"]
    assert left.error["param"] == "#/budget_seconds"


def test_a_budget_that_is_just_enough_stops_nothing(database: Database) -> None:
    job_id = ready_job(database, budget_seconds=6)
    while trial := claim(database):
        finish(database, trial, seconds=2)
    assert statuses(database, job_id) == ["succeeded"] * 3
    job = job_of(database, job_id)
    assert (job.stage, job.stop_reason) == ("finalising", None)


def test_a_budget_too_small_for_one_trial_still_ends_with_a_report(database: Database) -> None:
    job_id = ready_job(database, budget_seconds=0.5)
    first = must_claim(database)
    spent = TimeBudget(0.5, 0.0).overdrawn(0.75)
    assert spent is not None
    with database.write() as session:
        work.fail_trial(session, first, spent, seconds=0.75)
    assert statuses(database, job_id) == ["failed"] * 3
    assert {trial.error["code"] for trial in trials_of(database, job_id) if trial.error} == {
        "budget"
    }
    job = job_of(database, job_id)
    assert (job.status, job.stage, job.stop_reason) == ("running", "finalising", "budget")


def test_what_runs_counts_with_what_it_has_recorded(database: Database) -> None:
    job_id = ready_job(database, budget_seconds=4)
    pretrain = must_claim(database)
    with database.write() as session:
        work.record_progress(session, pretrain, (), seconds=4.5)
    assert claim(database) is None  # nothing is left for scratch
    assert statuses(database, job_id) == ["running", "failed", "failed"]
    finish(database, pretrain, seconds=5)
    assert statuses(database, job_id) == ["succeeded", "failed", "failed"]
    assert job_of(database, job_id).stop_reason == "budget"


def test_a_lost_trial_of_a_job_without_seconds_is_not_taken_again(database: Database) -> None:
    job_id = ready_job(database, budget_seconds=4)
    lost = must_claim(database)
    with database.write() as session:
        work.record_progress(session, lost, (), seconds=4.5)
    let_pass(database, LEASE_SECONDS + 1)
    assert claim(database) is None
    assert statuses(database, job_id) == ["failed"] * 3
    assert trials_of(database, job_id)[0].seconds == 4.5


def test_an_accident_in_a_job_that_its_budget_stopped(database: Database) -> None:
    job_id = ready_job(database, budget_seconds=4)
    finish(database, must_claim(database), seconds=3)
    with database.write() as session:
        failure = WorkFailure(FailureCode.DISK_FULL, "no space left", stage="training")
        work.fail_trial(session, must_claim(database), failure, seconds=2)
    assert job_of(database, job_id).status == "failed"
    with database.write() as session:
        assert lifecycle.retry(session, job_id).status == "running"
    job = job_of(database, job_id)
    assert (job.stage, job.stop_reason) == ("finalising", "budget")


def test_retry_runs_again_what_failed_and_nothing_else(database: Database) -> None:
    job_id = ready_job(database)
    pretrain = must_claim(database)
    with database.write() as session:
        failure = WorkFailure(FailureCode.DISK_FULL, "no space left", stage="pretrain")
        work.fail_trial(session, pretrain, failure)
    while trial := claim(database):
        finish(database, trial)
    assert job_of(database, job_id).status == "failed"
    assert statuses(database, job_id) == ["failed", "succeeded", "failed"]
    with database.write() as session:
        lifecycle.retry(session, job_id)
    assert statuses(database, job_id) == ["queued", "succeeded", "waiting"]
    while trial := claim(database):
        finish(database, trial)
    assert job_of(database, job_id).stage == "finalising"
    with database.write() as session:
        assert lifecycle.retry(session, job_id).status == "running"
