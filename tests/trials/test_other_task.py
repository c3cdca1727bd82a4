"""A source of another task than the target's: what carries over, and what is refused by name."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.datasets.schemas import Schema
from app.inputs.image import ImageInputs
from app.tasks.classification import Classification
from tests.trials.jobs import report_of, run, submit
from tests.trials.refusals import refused
from tests.trials.stored import add_stored
from tests.trials.test_regression import TEST, TRAIN, add_quantities
from worker.machine.context import WorkerContext

TRAINING: dict[str, Any] = {
    "epochs": 6,
    "batch_size": 16,
    "min_steps": 0,
    "learning_rate": 0.01,
    "augmentation": None,
}

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def add_classes(context: WorkerContext, folder: Path, seed: int) -> str:
    """Pictures like those whose brightness is a price, as dark and bright ones."""
    rng, arrays, counts = np.random.default_rng(seed), dict[str, np.ndarray](), {}
    for split, items in (("train", TRAIN), ("test", TEST)):
        y = (np.arange(items) % 2).astype(np.int32)
        bright = 0.6 * y + rng.uniform(0, 0.4, items)
        x = (rng.uniform(0, 80, (items, 8, 8, 1)) + 170 * bright[:, None, None, None]).astype("u1")
        arrays |= {f"x_{split}": x, f"y_{split}": y}
        counts[split] = (items // 2, items // 2)
    schema = Schema(
        inputs=ImageInputs(shape=(8, 8, 1), dtype="uint8", value_range=(0, 255)),
        task=Classification(classes=("dark", "bright")),
        splits={"train": TRAIN, "test": TEST},
        class_counts=counts,
    )
    return add_stored(context, folder, f"classes {seed}", arrays, schema)


@pytest.mark.slow
def test_classes_beside_prices(context: WorkerContext, tmp_path: Path) -> None:
    """With smoothed classes, flawed labels and a searched `auto`: none of that is of prices."""
    source, target = add_quantities(context, tmp_path, 1), add_classes(context, tmp_path, 2)
    job_id = submit(
        context,
        [{"dataset": source}],
        target,
        target_labels_per_class=20,
        strategies=["multi_task", "fine_tune", "linear_probe", "auto"],
        training={**TRAINING, "epochs": 30, "learning_rate": 0.03, "label_smoothing": 0.1},
        imbalance="class_weights",
        label_noise="drop_suspects",
        deploy={"name": "bright", "when": "always"},
    )
    job, _ = run(context, job_id)
    assert (job.status, job.error) == ("succeeded", None)
    report = report_of(job)
    assert report.task == "classification"
    assert {"multi_task", "fine_tune", "linear_probe", "auto"} < set(report.arms)
    assert report.arms["multi_task"].metrics["accuracy"].mean > 0.8
    assert job.model_id is not None
    search = next(each for each in report.searches if each.arm == "auto")
    assert search.scores is not None
    assert search.scores["leep"] is None  # a price is no probability of a class
    assert search.scores["logme"] is not None
    chosen = next(choice for choice in job.selection if choice["field"] == "strategies")
    assert "not co_tuning: the source tells no classes" in chosen["reason"]


@pytest.mark.parametrize("weighting", ["uncertainty", "famo", "pcgrad"])
def test_prices_beside_classes(context: WorkerContext, tmp_path: Path, weighting: str) -> None:
    source, target = add_classes(context, tmp_path, 1), add_quantities(context, tmp_path, 2)
    job_id = submit(
        context,
        [{"dataset": source}],
        target,
        strategies=[{"name": "multi_task", "params": {"weighting": weighting}}],
        training=TRAINING,
    )
    job, _ = run(context, job_id)
    assert (job.status, job.error) == ("succeeded", None)
    report = report_of(job)
    assert (report.task, report.primary_metric) == ("regression", "mae")
    assert report.arms["multi_task"].metrics["r2"].mean > 0


def test_sources_of_both_tasks_are_not_joined(context: WorkerContext, tmp_path: Path) -> None:
    prices, classes = add_quantities(context, tmp_path, 1), add_classes(context, tmp_path, 2)
    target = add_classes(context, tmp_path, 3)
    sources = [{"dataset": prices}, {"dataset": classes}]
    problem = refused(context, prices, target, sources=sources, combine="joint")
    assert (problem.code, problem.findings[0].pointer) == ("cannot_join", "#/combine")
    job, _ = run(context, submit(context, sources, target, training=TRAINING))
    assert (job.status, job.error) == ("succeeded", None)
    assert {"fine_tune@1", "fine_tune@2"} < set(report_of(job).arms)


@pytest.mark.parametrize(
    ("code", "pointer", "changes"),
    [
        ("needs_source_classes", "#/strategies/0", {"strategies": ["co_tuning"]}),
        ("needs_source_classes", "#/strategies/0", {"strategies": ["distill"]}),
        ("needs_source_classes", "#/strategies/0", {"strategies": ["recalibrate"]}),
        (
            "needs_source_classes",
            "#/strategies/0",
            {"strategies": ["mcc"], "target_use_labels": False},
        ),
        (
            "label_space_mismatch",
            "#/strategies",
            {"strategies": ["auto"], "target_use_labels": False},
        ),
        ("needs_classification", "#/evaluation/forgetting", {"evaluation": {"forgetting": True}}),
    ],
)
def test_what_a_source_of_prices_cannot_be(
    context: WorkerContext, tmp_path: Path, code: str, pointer: str, changes: dict[str, Any]
) -> None:
    source, target = add_quantities(context, tmp_path, 1), add_classes(context, tmp_path, 2)
    problem = refused(context, source, target, **changes)
    assert (code, pointer) in [(problem.code, each.pointer) for each in problem.findings]
    assert "regression" in problem.detail
