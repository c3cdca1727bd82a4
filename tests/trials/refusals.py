"""What a job on a target without classes is refused for, whichever its task."""

from typing import Any

import pytest

from app.errors import Invalid
from tests.trials.jobs import submit
from worker.machine.context import WorkerContext

NEEDS_CLASSES = "needs_classification"
Case = tuple[str, str, dict[str, Any]]  # code, pointer, what is another in the job


def without_classes(classes: str) -> list[Case]:
    """`classes`: a dataset that has some. The target has 60 training items."""
    metric = {"primary_metric": "accuracy"}
    return [
        (
            NEEDS_CLASSES,
            "#/strategies/0",
            {"sources": [{"dataset": classes}], "strategies": ["distill"]},
        ),
        ("task_mismatch", "#/task", {"task": "classification"}),
        ("unknown_metric", "#/evaluation/primary_metric", {"evaluation": metric}),
        ("wrong_budget", "#/target/labels_per_class", {"target_labels_per_class": 5}),
        ("too_few_labels", "#/target/labels", {"target_labels": 61}),
        (NEEDS_CLASSES, "#/strategies/0", {"strategies": ["co_tuning"]}),
        (NEEDS_CLASSES, "#/strategies/1", {"strategies": ["fine_tune", "distill"]}),
        (NEEDS_CLASSES, "#/strategies/0", {"strategies": ["mcc"], "target_use_labels": False}),
        (NEEDS_CLASSES, "#/evaluation/forgetting", {"evaluation": {"forgetting": True}}),
        (NEEDS_CLASSES, "#/imbalance", {"imbalance": "class_weights"}),
        (NEEDS_CLASSES, "#/label_noise", {"label_noise": "drop_suspects"}),
        (NEEDS_CLASSES, "#/training/label_smoothing", {"training": {"label_smoothing": 0.1}}),
    ]


def refused(context: WorkerContext, source: str, target: str, **changes: Any) -> Invalid:
    """`changes` may name other sources."""
    sources = changes.pop("sources", [{"dataset": source}])
    with pytest.raises(Invalid) as caught:
        submit(context, sources, target, **changes)
    return caught.value


def check_refusals(context: WorkerContext, source: str, target: str, cases: list[Case]) -> None:
    for code, pointer, changes in cases:
        problem = refused(context, source, target, **changes)
        assert problem.code == code, changes
        assert pointer in [finding.pointer for finding in problem.findings], changes
