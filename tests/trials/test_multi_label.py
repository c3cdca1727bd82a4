"""A multi-label classification from its stored datasets to its report, page and packaged graph."""

from pathlib import Path

import numpy as np
import pytest

from app.datasets.schemas import Schema
from app.inputs.image import ImageInputs
from app.jobs.epoch_metrics import csv_of
from app.models.schemas import Signature
from app.models.stored import file_path
from app.prediction import sessions
from app.tables.models import ModelRow
from app.tasks.multi_label import MultiLabel
from tests.trials.conftest import AddDataset
from tests.trials.jobs import page_of, report_of, run, submit
from tests.trials.refusals import check_refusals, without_classes
from tests.trials.stored import add_stored
from worker.evaluation.measures.multi_label import LabelsMeasures
from worker.machine.context import WorkerContext

TRAIN, TEST = 60, 40
NAMES = ("top", "left", "bottom")
AREAS = (np.s_[:4, :], np.s_[:, :4], np.s_[4:, :])
EVALUATION = {"seeds": 2, "pretrain_seeds": 1}
TRAINING = {
    "epochs": 12,
    "batch_size": 16,
    "min_steps": 0,
    "learning_rate": 0.01,
    "augmentation": None,
}


def pictures(seed: int, items: int) -> tuple[np.ndarray, np.ndarray]:
    """Noise, brighter in the areas whose labels (items, 3) it has."""
    rng = np.random.default_rng(seed)
    y = (rng.uniform(size=(items, 3)) < (0.5, 0.4, 0.3)).astype(np.int8)
    x = rng.uniform(0, 60, (items, 8, 8, 1))
    for k, area in enumerate(AREAS):
        x[(slice(None), *area)] += 90 * y[:, k, None, None, None]
    return x.astype(np.uint8), y


def add_sets(
    context: WorkerContext, folder: Path, seed: int, order: tuple[int, ...] = (0, 1, 2)
) -> str:
    """`order`: of the columns."""
    arrays: dict[str, np.ndarray] = {}
    for number, (split, items) in enumerate((("train", TRAIN), ("test", TEST))):
        x, y = pictures(10 * seed + number, items)
        arrays |= {f"x_{split}": x, f"y_{split}": y[:, order]}
    schema = Schema(
        inputs=ImageInputs(shape=(8, 8, 1), dtype="uint8", value_range=(0, 255)),
        task=MultiLabel(labels=tuple(NAMES[k] for k in order)),
        splits={"train": TRAIN, "test": TEST},
        class_counts={"train": (TRAIN,), "test": (TEST,)},
    )
    return add_stored(context, folder, f"areas {seed}", arrays, schema)


@pytest.mark.slow
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_sets_of_labels_from_their_rows_to_answers(context: WorkerContext, tmp_path: Path) -> None:
    """The source has the same labels in another order."""
    source, target = add_sets(context, tmp_path, 1, (2, 0, 1)), add_sets(context, tmp_path, 2)
    job_id = submit(
        context,
        [{"dataset": source}],
        target,
        target_labels=40,
        strategies=["fine_tune", "multi_task"],
        training=TRAINING,
        evaluation={**EVALUATION, "learning_curve": [None]},
        deploy={"name": "areas", "when": "always"},
    )
    job, trials = run(context, job_id)
    assert (job.status, job.error) == ("succeeded", None)
    report = report_of(job)
    assert (report.task, report.primary_metric) == ("multi_label", "f1_micro")
    assert (report.labels, report.labels_per_class) == (40, 40)
    assert [point.labels for point in report.learning_curve] == [40, TRAIN]
    _, y_test = pictures(21, TEST)
    for arm in report.arms.values():
        assert set(arm.metrics) == {"f1_micro", "f1_macro", "map", "loss"}
        assert [each.label for each in arm.per_class] == list(NAMES)
        assert [each.support for each in arm.per_class] == y_test.sum(axis=0).tolist()
        f1 = [each.f1 for each in arm.per_class if each.f1 is not None]
        assert np.mean(f1) == pytest.approx(arm.metrics["f1_macro"].mean)
        assert (arm.confusion, arm.calibration, arm.residuals) == ([], None, None)
    gain = report.arms["fine_tune"].gain
    assert gain is not None
    means = {name: arm.metrics["f1_micro"].mean for name, arm in report.arms.items()}
    assert gain.mean == pytest.approx(means["fine_tune"] - means["scratch"])
    page = page_of(context, job)
    assert "Label by label" in page
    assert "Precision, recall and F1 of" in page
    header, first, *_ = "".join(csv_of(context.database, job.id, None, None)).splitlines()
    assert header.endswith("phase,epoch,split,loss,f1_micro,f1_macro,learning_rate,seconds")
    assert all(first.split(",")[-5:])
    _check_model(context, str(job.model_id), [trial.test for trial in trials if trial.test])


def _check_model(context: WorkerContext, model_id: str, tested: list[dict[str, float]]) -> None:
    """The graph's probabilities score on the test what one of the trials was measured by."""
    with context.database.read() as session:
        model = session.get_one(ModelRow, model_id)
    signature = Signature.model_validate(model.signature)
    assert signature.task == MultiLabel(labels=NAMES)
    assert signature.temperature is None
    onnx, golden = (file_path(context.storage, model, kind) for kind in ("onnx", "golden"))
    graph = sessions.load(onnx, golden, signature.inputs, signature.task)
    x, y = pictures(21, TEST)
    answers = graph.run(x.astype(np.float32))
    assert answers.shape == (TEST, 3)
    assert 0 < answers.min() < answers.max() < 1
    measured = LabelsMeasures(signature.task).measure(y, np.log(answers / (1 - answers)))
    scored = [trial["map"] for trial in tested]
    assert min(abs(value - measured["map"]) for value in scored) < 1e-3


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_does_not_go_with_several_labels(
    context: WorkerContext, add_dataset: AddDataset, tmp_path: Path
) -> None:
    source, target = (add_sets(context, tmp_path, seed) for seed in (1, 2))
    check_refusals(context, source, target, without_classes(add_dataset(1)))
