"""`auto` chooses before its trials run."""

from typing import Any

import pytest

from tests.trials.conftest import AddDataset
from tests.trials.jobs import page_of, report_of, run, submit
from worker.machine.context import WorkerContext

pytestmark = pytest.mark.slow
OWN = {"baseline", "transfer"}


def test_auto_searches_then_trains(context: WorkerContext, add_dataset: AddDataset) -> None:
    source, target = add_dataset(1), add_dataset(2)
    changes = {
        "strategies": ["auto"],
        "evaluation": {"seeds": 5},
        "training": {"epochs": 30, "min_steps": 0},
    }
    job, trials = run(context, submit(context, [{"dataset": source}], target, **changes))
    assert {trial.status for trial in trials} == {"succeeded"}, [t.error for t in trials]
    roles = [trial.role for trial in trials]
    assert roles == ["pretrain", "search", "search", *["baseline", "transfer"] * 5]
    pretraining, of_scratch, search = trials[:3]
    assert (of_scratch.arm, search.arm) == ("scratch", "auto")
    assert search.weights == pretraining.weights
    report = report_of(job)
    told, views = report.searches
    assert (told.arm, views.arm) == ("auto", "scratch")
    assert "augmentation" in views.reason
    kept = [each["strategy"] for each in told.tried if each["dropped"] is None]
    assert told.chosen["strategy"]["name"] in kept
    assert told.reason
    assert set(told.scores or {}) == {"leep", "logme", "h_score", "knn", "probe"}
    cost = report.arms["auto"].cost
    assert cost.search == pytest.approx(search.seconds)
    assert cost.pretraining == pytest.approx(pretraining.seconds)
    assert set(report.arms) == {"scratch", "auto"}
    assert job.model_id is not None
    assert "What was searched" in page_of(context, job)


def test_settings_are_searched_for_every_arm(
    context: WorkerContext, add_dataset: AddDataset
) -> None:
    source, target = add_dataset(1), add_dataset(2)
    training: dict[str, Any] = {
        "epochs": 2,
        "batch_size": 16,
        "min_steps": 0,
        "learning_rate": "auto",
        "augmentation": None,
    }
    job, trials = run(context, submit(context, [{"dataset": source}], target, training=training))
    assert [trial.arm for trial in trials if trial.role == "search"] == ["scratch", "fine_tune"]
    report = report_of(job)
    assert {search.arm for search in report.searches} == {"scratch", "fine_tune"}
    assert set(report.arms) == {"scratch", "fine_tune"}


def test_plain_arms_share_a_search_for_views_and_nothing_else(
    context: WorkerContext, add_dataset: AddDataset
) -> None:
    source, target = add_dataset(1), add_dataset(2)
    changes = {
        "strategies": ["fine_tune", "l2_sp", "linear_probe"],
        "training": {"epochs": 20, "batch_size": 16, "min_steps": 0},
    }
    job, trials = run(context, submit(context, [{"dataset": source}], target, **changes))
    assert {trial.status for trial in trials} == {"succeeded"}, [t.error for t in trials]
    _, of_scratch, search = trials[:3]
    waits = {trial.arm: trial.depends_on for trial in trials if trial.role in OWN}
    assert waits["fine_tune"] == waits["l2_sp"] == search.id
    assert waits["scratch"] == of_scratch.id
    report = report_of(job)
    told, of_baseline = report.searches
    assert (told.arm, told.others, of_baseline.others) == ("fine_tune", ["l2_sp"], [])
    assert "augmentation" in told.reason
    assert "With the same augmentation: l2_sp." in page_of(context, job)
    own = [trial.test for trial in trials if trial.arm in {"fine_tune", "l2_sp"} and trial.test]
    assert len(own) == len({str(each) for each in own}) == 4  # each by its own strategy


def test_without_labels_the_search_is_label_free(
    context: WorkerContext, add_dataset: AddDataset
) -> None:
    source, target = add_dataset(1), add_dataset(2)
    changes = {"strategies": ["auto"], "target_use_labels": False, "evaluation": {"seeds": 4}}
    job, trials = run(context, submit(context, [{"dataset": source}], target, **changes))
    assert {trial.status for trial in trials} == {"succeeded"}, [t.error for t in trials]
    (told,) = report_of(job).searches
    assert "information" in told.reason
    assert told.scores is None
