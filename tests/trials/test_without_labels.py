"""Jobs that adapt to a target without its labels."""

import pytest

from app.spec.strategy_catalogue import CATALOGUE
from tests.trials.conftest import AddDataset
from tests.trials.jobs import page_of, report_of, run, submit
from worker.machine.context import WorkerContext

ADAPTING = [name for name, entry in CATALOGUE.items() if "unlabelled_target" in entry.needs]


@pytest.mark.slow
def test_every_strategy_adapts_and_the_choice_is_label_free(
    context: WorkerContext, add_dataset: AddDataset
) -> None:
    source, target = add_dataset(1), add_dataset(2)
    job_id = submit(
        context, [{"dataset": source}], target, target_use_labels=False, strategies=ADAPTING
    )
    job, trials = run(context, job_id)
    assert {trial.status for trial in trials} == {"succeeded"}, [t.error for t in trials]
    report = report_of(job)
    assert set(report.arms) == {"source_only", "target_supervised", *ADAPTING}
    assert report.baseline == "source_only"
    assert report.labels == 0
    choice = report.label_free
    assert choice is not None
    assert report.winner == choice.chosen
    accuracy = {name: report.arms[name].metrics["accuracy"].mean for name in ADAPTING}
    assert choice.oracle is not None
    assert accuracy[choice.oracle] == max(accuracy.values())
    assert choice.regret == pytest.approx(max(accuracy.values()) - accuracy[choice.chosen])
    assert all(report.arms[name].validation is None for name in ADAPTING)
    assert all(trial.validation is None for trial in trials if trial.arm in ADAPTING)
    assert job.model_id is not None
    page = page_of(context, job)
    assert "Chosen without labels" in page


@pytest.mark.slow
def test_labels_that_are_hidden_change_nothing(
    context: WorkerContext, add_dataset: AddDataset
) -> None:
    """The same pictures with permuted training labels: the same weights."""
    source, target, permuted = add_dataset(1), add_dataset(2), add_dataset(2, permuted=True)
    weights = []
    for dataset in (target, permuted):
        changes = {"strategies": ["mcc"], "evaluation": {"seeds": 1}, "target_use_labels": False}
        _, trials = run(context, submit(context, [{"dataset": source}], dataset, **changes))
        weights.append({trial.arm: trial.weights for trial in trials})
    assert weights[0]["mcc"] == weights[1]["mcc"]
    assert weights[0]["target_supervised"] != weights[1]["target_supervised"]


@pytest.mark.slow
def test_a_target_without_any_label(context: WorkerContext, add_dataset: AddDataset) -> None:
    source, target = add_dataset(1), add_dataset(2, labelled=())
    changes = {"strategies": ["mcc", "adabn"], "target_use_labels": False}
    job, trials = run(context, submit(context, [{"dataset": source}], target, **changes))
    report = report_of(job)
    assert report.arms == {}
    assert report.verdict == "no_evidence"
    assert "no labels" in report.reason
    assert report.label_free is not None
    assert report.label_free.oracle is None
    assert report.classes == ["a", "b", "c"]
    assert job.model_id is not None
    assert {trial.role for trial in trials} == {"pretrain", "baseline", "transfer"}


@pytest.mark.slow
def test_test_labels_alone_in_another_order(
    context: WorkerContext, add_dataset: AddDataset
) -> None:
    """The target's own classes are those of its test: `c` may be missing there."""
    source, target = add_dataset(1), add_dataset(2, labelled=("test",), test_classes=2)
    changes = {"strategies": ["mcc"], "target_use_labels": False}
    job, _ = run(context, submit(context, [{"dataset": source}], target, **changes))
    report = report_of(job)
    assert report.classes == ["a", "b", "c"]
    assert set(report.arms) == {"source_only", "mcc"}
    assert [row.support for row in report.arms["mcc"].per_class] == [6, 6, 0]


@pytest.mark.slow
def test_a_source_model_without_its_data(context: WorkerContext, add_dataset: AddDataset) -> None:
    source, target = add_dataset(1), add_dataset(2)
    changes = {"strategies": ["mcc"], "target_use_labels": False}
    first, _ = run(context, submit(context, [{"dataset": source}], target, **changes))
    model = [{"model": str(first.model_id)}]
    network = {"model": {"backbone": "auto"}}
    adapted = submit(
        context, model, target, strategies=["shot"], target_use_labels=False, **network
    )
    job, trials = run(context, adapted)
    assert {trial.status for trial in trials} == {"succeeded"}, [t.error for t in trials]
    assert {trial.role for trial in trials} == {"baseline", "bound", "transfer"}
    assert report_of(job).winner == "shot"
    labelled = submit(context, model, target, strategies=["fine_tune"], **network)
    job, trials = run(context, labelled)
    assert report_of(job).winner == "fine_tune"
