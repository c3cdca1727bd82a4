"""Jobs that are paused, cancelled, tried again or out of their budget."""

import pytest

from app.database import Database
from app.errors import FailureCode, Fenced, WorkFailure
from app.jobs import lifecycle, work
from app.jobs.budget import TimeBudget
from app.tables.jobs import EpochRow
from tests.jobs.factories import (
    LEASE_SECONDS,
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
