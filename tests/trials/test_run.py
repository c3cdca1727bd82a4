"""Trials as a woken child runs them, with real training of small networks."""

from typing import Any

import pytest

from app.jobs import epoch_repository, repository
from app.spec.report import Report
from app.spec.spec import JobSpec
from app.tables.jobs import JobRow, TrialRow
from tests.trials.conftest import AddDataset
from tests.trials.jobs import accepted
from worker.machine.context import WorkerContext
from worker.process import runner


def submit(
    context: WorkerContext,
    source: str,
    target: str,
    project: str = "p",
    labels: int | None = None,
    **changes: Any,
) -> str:
    spec = JobSpec.model_validate(
        {
            "sources": [{"dataset": source}],
            "target": {"dataset": target, "labels_per_class": labels},
            "model": {"backbone": "mlp", "params": {"hidden": [6]}},
            "strategies": ["fine_tune"],
            "training": {"epochs": 2, "batch_size": 16, "min_steps": 0, "augmentation": None},
            "evaluation": {"seeds": 1},
            **changes,
        }
    )
    with context.database.write() as session:
        return accepted(session, context, project, spec).id


def run(context: WorkerContext, job_id: str) -> list[TrialRow]:
    """The job's trials, in the order of the plan, once a child has done what there was to do."""
    runner.train(context, "worker")
    with context.database.read() as session:
        return repository.trials(session, job_id)


def epochs(context: WorkerContext, trial: TrialRow) -> list[dict[str, Any]]:
    with context.database.read() as session:
        return epoch_repository.of_trials(session, [trial.id])[trial.id]


def job_of(context: WorkerContext, job_id: str) -> JobRow:
    with context.database.read() as session:
        return session.get_one(JobRow, job_id)


def test_an_equal_pretraining_is_taken_over(
    context: WorkerContext, add_dataset: AddDataset
) -> None:
    first, *_ = run(context, submit(context, add_dataset(1), add_dataset(2)))
    assert (first.status, first.reused_from) == ("succeeded", None)
    assert len(epochs(context, first)) == 4  # 2 epochs, training and validation

    uploaded_again, other_target = add_dataset(1), add_dataset(3)
    evaluation = {"seeds": 2, "pretrain_seeds": 2}
    job_id = submit(context, uploaded_again, other_target, evaluation=evaluation)
    trials = run(context, job_id)
    taken, trained, *others = trials
    assert [trial.status for trial in trials] == ["succeeded"] * 6
    assert (taken.reused_from, taken.content_key) == (first.id, first.content_key)
    assert (taken.weights, taken.predictions) == (first.weights, first.predictions)
    assert (taken.seconds, taken.progress, taken.validation) == (0, 1, first.validation)
    assert epochs(context, taken) == []
    assert trained.reused_from is None  # the seed that the first job did not pretrain with
    assert len(epochs(context, trained)) == 4
    assert {trial.depends_on for trial in others if trial.role == "transfer"} == {
        taken.id,
        trained.id,
    }
    assert all(len(epochs(context, trial)) == 4 for trial in others)


def test_what_trains_to_other_weights_is_trained(
    context: WorkerContext, add_dataset: AddDataset
) -> None:
    source, target = add_dataset(1), add_dataset(2)
    first, *_ = run(context, submit(context, source, target))
    jobs = [
        submit(context, source, target, seed=1),
        submit(
            context,
            source,
            target,
            training={"epochs": 3, "batch_size": 16, "min_steps": 0, "augmentation": None},
        ),
        submit(context, add_dataset(4), target),
        submit(context, add_dataset(1, "q"), add_dataset(2, "q"), "q"),
    ]
    run(context, jobs[0])
    with context.database.read() as session:
        pretrains = [repository.trials(session, job_id)[0] for job_id in jobs]
    assert [(trial.status, trial.reused_from) for trial in pretrains] == [("succeeded", None)] * 4
    assert [len(epochs(context, trial)) for trial in pretrains] == [4, 6, 4, 4]
    assert pretrains[3].content_key == first.content_key  # but it is another project's


def test_a_trial_that_outlasts_the_jobs_budget(
    context: WorkerContext, add_dataset: AddDataset
) -> None:
    job_id = submit(
        context,
        add_dataset(1),
        add_dataset(2),
        training={"epochs": 100_000, "batch_size": 16, "min_steps": 0, "augmentation": None},
        budget_seconds=0.5,
    )
    trials = run(context, job_id)
    assert [trial.status for trial in trials] == ["failed"] * 3
    assert {trial.error and trial.error["failure"] for trial in trials} == {"budget"}
    assert trials[0].seconds >= 0.5
    assert [trial.seconds for trial in trials[1:]] == [0, 0]
    assert [trial.started_at is None for trial in trials] == [False, True, True]
    job = job_of(context, job_id)
    assert (job.status, job.stage, job.stop_reason) == ("running", "finalising", "budget")
    runner.finalise(context, job_id, "worker")
    job = job_of(context, job_id)
    assert job.status == "succeeded", job.error
    report = Report.model_validate(job.report)
    assert (report.verdict, report.stop_reason) == ("no_evidence", "budget")
    assert {(each.arm, each.code) for each in report.missing} >= {
        ("scratch", "budget"),
        ("fine_tune", "budget"),
    }


def test_what_a_job_has_spent(context: WorkerContext, add_dataset: AddDataset) -> None:
    job_id = submit(context, add_dataset(1), add_dataset(2), budget_seconds=1e6)
    trials = run(context, job_id)
    with context.database.read() as session:
        spent = repository.seconds_spent(session, job_id)
        others = repository.seconds_spent(session, job_id, besides=trials[0].id)
    assert spent == pytest.approx(sum(trial.seconds for trial in trials))
    assert others == pytest.approx(spent - trials[0].seconds)
    assert job_of(context, job_id).stop_reason is None


def test_weights_that_the_last_step_broke_diverge_without_validation_items_too(
    context: WorkerContext, add_dataset: AddDataset
) -> None:
    """One label per class leaves none for validation; a step of a huge rate ends the trial."""
    job_id = submit(
        context,
        add_dataset(1),
        add_dataset(2),
        labels=1,
        model={"backbone": "mlp", "params": {"hidden": [12, 12, 12, 12]}},
        strategies=[{"name": "fine_tune", "params": {"backbone_rate": 1.0}}, "linear_probe"],
        training={
            "epochs": 7,
            "pretrain_epochs": 1,
            "optimizer": "adamw",
            "learning_rate": 10,
            "weight_decay": 1,
            "augmentation": None,
        },
    )
    trials = {trial.arm: trial for trial in run(context, job_id)}
    broken = trials["fine_tune"]
    assert broken.status == "failed"
    assert broken.error is not None
    assert broken.error["code"] == "diverged"
    assert trials["linear_probe"].status == "succeeded"
