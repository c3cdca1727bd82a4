"""A network that was trained elsewhere as the source of a job, from its file to the report."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from app.database import Database
from app.errors import Invalid
from app.models import repository as models
from app.models.importing import ImportSpec
from app.tables.model_imports import ModelImportRow
from app.tables.models import ModelRow
from tests.importing import archives, graphs
from tests.importing.graphs import node
from tests.trials.conftest import CLASSES, AddDataset
from tests.trials.jobs import report_of, run, submit
from worker.machine.context import WorkerContext
from worker.process import runner

SIDE = 8
SAID: dict[str, Any] = {
    "name": "rows",
    "inputs": {"shape": [SIDE, SIDE, 1], "expects": [0, 1]},
    "classes": ["a", "b", "c"],
}
SHORT = {"epochs": 4, "batch_size": 16, "min_steps": 0, "augmentation": None}


def rows() -> np.ndarray:
    """(64, 3): the means of the first three rows of a picture, of which the class's is bright."""
    kernel = np.zeros((SIDE, SIDE, CLASSES), np.float32)
    for label in range(CLASSES):
        kernel[label, :, label] = 1 / SIDE
    return kernel.reshape(-1, CLASSES)


def keras_file(path: Path) -> Path:
    model = keras.Sequential(
        [
            layers.Input((SIDE, SIDE, 1)),
            layers.Conv2D(1, 1, use_bias=False, kernel_initializer="ones"),
            layers.BatchNormalization(),
            layers.Flatten(),
            layers.Dense(CLASSES, use_bias=False),
            layers.Dense(CLASSES, activation="softmax"),
        ]
    )
    model.layers[-2].set_weights([rows()])
    model.layers[-1].set_weights([40 * np.eye(CLASSES, dtype=np.float32), np.zeros(CLASSES)])
    return archives.saved(model, path)


def onnx_file(path: Path) -> Path:
    constants = {"w0": rows(), "w1": 40 * np.eye(CLASSES, dtype=np.float32)}
    nodes = [
        node("Flatten", ["x"], "row"),
        node("MatMul", ["row", "w0"], "features"),
        node("MatMul", ["features", "w1"], "logits"),
    ]
    return graphs.saved(graphs.graph(nodes, constants, ("n", 1, SIDE, SIDE)), path)


def imported(context: WorkerContext, path: Path, **members: Any) -> str:
    spec = ImportSpec.model_validate({**SAID, **members}).model_dump(mode="json")
    size = path.stat().st_size
    file = {"name": path.name, "ref": context.storage.write_upload(path), "bytes": size}
    with context.database.write() as session:
        model = models.add_import(session, "p", "rows", spec, [file])
        work = models.import_of(session, model.id)
        assert work is not None
    runner.import_model(context, work.id, "w")
    with context.database.read() as session:
        found = session.get_one(ModelImportRow, work.id)
        assert found.error is None
        return session.get_one(ModelRow, model.id).id


def accuracies(context: WorkerContext, model: str, target: str, **changes: Any) -> dict[str, float]:
    spec = {"model": {}, "training": SHORT, "evaluation": {"seeds": 1}, **changes}
    job, trials = run(context, submit(context, [{"model": model}], target, **spec))
    assert {trial.status for trial in trials} == {"succeeded"}, [t.error for t in trials]
    assert job.status == "succeeded", job.error
    report = report_of(job)
    return {name: arm.metrics["accuracy"].mean for name, arm in report.arms.items()}


@pytest.mark.slow
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_its_head_and_its_features_are_of_use(
    context: WorkerContext, add_dataset: AddDataset, tmp_path: Path
) -> None:
    model = imported(context, keras_file(tmp_path / "rows.keras"))
    strategies = ["linear_probe", "l2_sp", "recalibrate", "co_tuning"]
    found = accuracies(context, model, add_dataset(2), strategies=strategies)
    assert found["recalibrate"] > 0.9
    assert set(strategies) < set(found)


@pytest.mark.slow
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_it_adapts_without_labels_and_is_served_again(
    context: WorkerContext, database: Database, add_dataset: AddDataset, tmp_path: Path
) -> None:
    model = imported(context, keras_file(tmp_path / "rows.keras"))
    deploy = {"name": "rows", "when": "best"}
    found = accuracies(
        context,
        model,
        add_dataset(2),
        strategies=["adabn", "shot"],
        target_use_labels=False,
        deploy=deploy,
    )
    assert found["adabn"] > 0.9
    with context.database.read() as session:
        made = session.query(ModelRow).filter(ModelRow.origin == "job").one()
        assert made.card["network"]["backbone"] == "imported"
        assert set(made.files) == {"onnx", "keras", "golden", "weights"}


@pytest.mark.slow
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_features_alone_carry_other_classes(
    context: WorkerContext, add_dataset: AddDataset, tmp_path: Path
) -> None:
    path = onnx_file(tmp_path / "rows.onnx")
    model = imported(context, path, classes=None, head="drop")
    target = add_dataset(2)
    with pytest.raises(Invalid) as refused:
        submit(context, [{"model": model}], target, model={}, strategies=["co_tuning", "distill"])
    assert refused.value.code == "needs_source_head"
    assert {f.pointer for f in refused.value.findings} == {"#/strategies/0", "#/strategies/1"}
    training = {**SHORT, "epochs": 12, "learning_rate": 0.1}
    found = accuracies(context, model, target, strategies=["linear_probe"], training=training)
    assert found["linear_probe"] > 0.8


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_pictures_of_another_size_are_brought_to_its_own(
    context: WorkerContext, add_dataset: AddDataset, tmp_path: Path
) -> None:
    """And what does not fit is refused before anything runs."""
    path = onnx_file(tmp_path / "rows.onnx")
    model, target = imported(context, path), add_dataset(2)
    with pytest.raises(Invalid) as refused:
        submit(context, [{"model": model}], target, model={"image_size": [9, 9]})
    assert "weights_do_not_fit" in {refused.value.code}
    job_id = submit(context, [{"model": model}], target, model={})
    with context.database.read() as session:
        row = session.get_one(ModelRow, model)
        structure = row.card["network"]["params"]["structure"]
    junk = {"backbone": "imported", "params": {"structure": structure[:-8]}}
    with pytest.raises(ValueError, match="structure of an imported network"):
        submit(context, [{"model": model}], target, model=junk)
    assert job_id
