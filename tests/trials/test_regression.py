"""A regression from its stored datasets to its report, page and packaged graph."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from app.database import Database
from app.datasets.schemas import Schema
from app.inputs.image import ImageInputs
from app.jobs.epoch_metrics import csv_of
from app.models.schemas import Signature
from app.models.stored import file_path
from app.prediction import sessions
from app.tables.models import ModelRow
from app.tasks.regression import Regression
from tests.trials.conftest import AddDataset
from tests.trials.jobs import page_of, report_of, run, submit
from tests.trials.refusals import check_refusals, refused, without_classes
from tests.trials.stored import add_stored
from worker.machine.context import WorkerContext

TRAIN, TEST = 60, 40
EVALUATION = {"seeds": 3, "pretrain_seeds": 1}
TRAINING = {
    "epochs": 6,
    "batch_size": 16,
    "min_steps": 0,
    "learning_rate": 0.01,
    "augmentation": None,
}


def add_quantities(context: WorkerContext, folder: Path, seed: int) -> str:
    """The brightness of noise, in dollars: about 100,000 and more."""
    rng, arrays, counts = np.random.default_rng(seed), dict[str, np.ndarray](), {}
    for split, items in (("train", TRAIN), ("test", TEST)):
        bright = rng.uniform(0, 1, items)
        x = (rng.uniform(0, 80, (items, 8, 8, 1)) + 170 * bright[:, None, None, None]).astype("u1")
        y = (100_000 + 50_000 * bright).astype(np.float32)
        arrays |= {f"x_{split}": x, f"y_{split}": y}
        counts[split] = (items,)
        if split == "train":
            mean, std = float(y.astype(float).mean()), float(y.astype(float).std())
    schema = Schema(
        inputs=ImageInputs(shape=(8, 8, 1), dtype="uint8", value_range=(0, 255)),
        task=Regression(unit="USD", mean=mean, std=std),
        splits={"train": TRAIN, "test": TEST},
        class_counts=counts,
    )
    return add_stored(context, folder, f"prices {seed}", arrays, schema)


@pytest.mark.slow
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_prices_from_labels_to_answers(context: WorkerContext, tmp_path: Path) -> None:
    source, target = (add_quantities(context, tmp_path, seed) for seed in (1, 2))
    job_id = submit(
        context,
        [{"dataset": source}],
        target,
        target_labels=40,
        strategies=["fine_tune", "linear_probe"],
        training=TRAINING,
        evaluation={**EVALUATION, "learning_curve": [None]},
        deploy={"name": "prices", "when": "always"},
    )
    job, trials = run(context, job_id)
    assert (job.status, job.error) == ("succeeded", None)
    report = report_of(job)
    assert (report.task, report.unit, report.primary_metric) == ("regression", "USD", "mae")
    assert (report.labels, report.labels_per_class) == (40, 40)
    assert [point.labels for point in report.learning_curve] == [40, TRAIN]
    assert set(report.arms["scratch"].metrics) == {"mae", "rmse", "r2", "loss"}
    best = min(
        (arm.validation.mean, name)
        for name, arm in report.arms.items()
        if name != "scratch" and arm.validation
    )
    assert report.winner == best[1]
    for arm in report.arms.values():
        assert arm.residuals is not None
        assert len(arm.residuals.points) == TEST
        assert (arm.per_class, arm.confusion, arm.calibration) == ([], [], None)
        assert arm.metrics["mae"].mean <= arm.metrics["rmse"].mean
    gain = report.arms["fine_tune"].gain
    assert gain is not None
    means = {name: arm.metrics["mae"].mean for name, arm in report.arms.items()}
    assert gain.mean == pytest.approx(means["scratch"] - means["fine_tune"])
    page = page_of(context, job)
    assert "Predicted against true" in page
    assert "lower is better" in page
    assert "classes" not in page.partition("<h2>How it was done")[0].replace("all classes", "")
    header, first, *_ = "".join(csv_of(context.database, job.id, None, None)).splitlines()
    assert header.endswith("phase,epoch,split,loss,mae,rmse,learning_rate,seconds")
    assert all(first.split(",")[-5:])
    _check_model(context, context.database, str(job.model_id), trials[-1].test or {})


def _check_model(
    context: WorkerContext, database: Database, model_id: str, tested: dict[str, float]
) -> None:
    """The graph answers in the user's unit what the trial was measured by."""
    with database.read() as session:
        model = session.get_one(ModelRow, model_id)
    signature = Signature.model_validate(model.signature)
    assert signature.task.kind == "regression"
    assert signature.temperature is None
    onnx, golden = (file_path(context.storage, model, kind) for kind in ("onnx", "golden"))
    session_of_graph = sessions.load(onnx, golden, signature.inputs, signature.task)
    answers = session_of_graph.run(np.full((2, 8, 8, 1), 120, np.float32))
    assert answers.shape == (2, 1)
    assert 50_000 < float(answers[0, 0]) < 200_000
    runtime = onnxruntime.InferenceSession(onnx)
    assert [output.name for output in runtime.get_outputs()] == ["values"]
    assert set(tested) == {"mae", "rmse", "r2", "loss"}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_does_not_go_with_a_quantity(
    context: WorkerContext, add_dataset: AddDataset, tmp_path: Path
) -> None:
    prices, other = (add_quantities(context, tmp_path, seed) for seed in (1, 2))
    classes = add_dataset(1)
    curve = {"evaluation": {"learning_curve": [61]}}
    of_items = ("too_few_labels", "#/evaluation/learning_curve/0", curve)
    check_refusals(context, prices, other, [*without_classes(classes), of_items])
    problem = refused(context, classes, add_dataset(2), target_labels=5)
    assert (problem.code, problem.findings[0].pointer) == ("wrong_budget", "#/target/labels")


@pytest.mark.slow
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_auto_searches_by_the_error(context: WorkerContext, tmp_path: Path) -> None:
    """Among the strategies that need no classes, multi_task with the source's quantities too."""
    source, target = (add_quantities(context, tmp_path, seed) for seed in (1, 2))
    job_id = submit(
        context,
        [{"dataset": source}],
        target,
        strategies=["auto", "multi_task"],
        training={**TRAINING, "epochs": 30},
        evaluation={"seeds": 5},
    )
    job, _ = run(context, job_id)
    assert (job.status, job.error) == ("succeeded", None)
    search = next(each for each in report_of(job).searches if each.arm == "auto")
    names = {tried["strategy"] for tried in search.tried}
    assert len(names) > 1
    assert not names & {"co_tuning", "distill"}
    scores = [tried["score"] for tried in search.tried if tried["score"] is not None]
    assert scores
    assert all(100 < score < 100_000 for score in scores)  # in dollars
    assert ": mae " in search.reason
    assert search.scores is None
    chosen = next(choice for choice in job.selection if choice["field"] == "strategies")
    assert "not co_tuning: it needs classes" in chosen["reason"]
