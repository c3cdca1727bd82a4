"""Source and target have the same classes in another order: they are matched by name."""

from typing import Any

import pytest

from app.spec.plan import PRETRAIN
from tests.trials.conftest import AddDataset
from tests.trials.jobs import report_of, run, submit
from worker.machine.context import WorkerContext

pytestmark = pytest.mark.slow

TURNED = (2, 0, 1)
LONG = {"epochs": 60, "batch_size": 16, "min_steps": 0, "learning_rate": 0.01, "augmentation": None}
NETWORK = {"backbone": "mlp", "params": {"hidden": [16]}, "bottleneck": 8}


def accuracies(
    context: WorkerContext, sources: list[str], target: str, **changes: Any
) -> dict[str, float]:
    named = [{"dataset": source} for source in sources]
    changes = {"model": NETWORK, "training": LONG, "evaluation": {"seeds": 1}, **changes}
    job, trials = run(context, submit(context, named, target, **changes))
    assert {trial.status for trial in trials} == {"succeeded"}, [t.error for t in trials]
    report = report_of(job)
    assert report.classes == list(job.spec["classes"])
    return {name: arm.metrics["accuracy"].mean for name, arm in report.arms.items()}


def test_without_labels_nothing_changes_with_the_targets_order(
    context: WorkerContext, add_dataset: AddDataset
) -> None:
    source, target, turned = add_dataset(1), add_dataset(2), add_dataset(2, order=TURNED)
    changes: dict[str, Any] = {"strategies": ["mcc", "shot"], "target_use_labels": False}
    found = [accuracies(context, [source], each, **changes) for each in (target, turned)]
    arms = ("source_only", "mcc", "shot")
    assert {found[0][arm] for arm in arms} == {found[1][arm] for arm in arms}
    assert found[0]["source_only"] > 0.8


def test_a_teacher_teaches_the_class_of_that_name(
    context: WorkerContext, add_dataset: AddDataset
) -> None:
    """With `alpha` 0 the labels say nothing: all that is learnt comes from the source's head."""
    teacher = {"name": "distill", "params": {"alpha": 0.0, "backbone_rate": 1.0}}
    source, target = add_dataset(1), add_dataset(2, order=TURNED)
    found = accuracies(context, [source], target, strategies=[teacher, "multi_task", "co_tuning"])
    assert found["distill"] > 0.8
    assert found["multi_task"] > 0.8


def test_several_sources_in_several_orders(context: WorkerContext, add_dataset: AddDataset) -> None:
    sources, target = [add_dataset(1), add_dataset(3, order=TURNED)], add_dataset(2)
    changes: dict[str, Any] = {"strategies": ["adabn", "mcc"], "target_use_labels": False}
    found = accuracies(context, sources, target, **changes)
    assert {arm for arm in found if "@" in arm} == {
        f"{name}@{end}" for name in ("adabn", "mcc") for end in ("1", "2", "all")
    }
    assert all(value > 0.8 for arm, value in found.items() if arm != "target_supervised"), found


SLOWLY = {"distill": {"backbone_rate": 0.1}}  # so that it forgets little


@pytest.mark.parametrize("strategy", ["distill", "multi_task"])
def test_what_was_forgotten_is_counted_in_the_sources_order(
    context: WorkerContext, add_dataset: AddDataset, strategy: str
) -> None:
    source, target = add_dataset(1), add_dataset(2, order=TURNED)
    evaluation = {"seeds": 1, "forgetting": True}
    named = {"name": strategy, "params": SLOWLY.get(strategy, {})}
    changes = {"strategies": [named], "training": LONG, "model": NETWORK}
    job, trials = run(
        context, submit(context, [{"dataset": source}], target, evaluation=evaluation, **changes)
    )
    pretrained = next(trial for trial in trials if trial.role == PRETRAIN)
    assert pretrained.status == "succeeded"
    kept = report_of(job).arms[strategy].forgetting
    assert kept is not None
    assert kept.before.mean > 0.8
    assert kept.after.mean > 0.6
