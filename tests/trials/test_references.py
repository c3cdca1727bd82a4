"""Models without a network beside a job's arms, from the stored rows to the report and its page."""

from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from app.datasets.schemas import Schema
from app.inputs.columns import CategoryColumn, NumberColumn
from app.inputs.table import TableInputs
from app.jobs.page import numbers
from app.prediction.served import ServedModels
from app.spec.references import NETWORK, REFERENCE_MODELS
from app.tables.datasets import DatasetRow
from app.tables.models import ModelRow
from app.tasks.classification import Classification
from app.tasks.multi_label import MultiLabel
from tests.trials.conftest import AddDataset
from tests.trials.jobs import page_of, report_of, run, submit
from tests.trials.refusals import refused
from tests.trials.stored import add_stored
from worker.datasets.stored_data import dataset_split
from worker.evaluation.statistics import holm
from worker.machine.context import WorkerContext

ROWS = {"train": 120, "test": 80}

OF_SCIKIT_LEARN = [model for model in REFERENCE_MODELS if model != NETWORK]


def add_people(context: WorkerContext, folder: Path, seed: int, shift: float = 0.0) -> str:
    """People who are ill above a threshold of their age that hangs on their ward: trees find it."""
    rng, arrays, counts = np.random.default_rng(seed), dict[str, np.ndarray](), {}
    columns = (
        NumberColumn.fit("age", np.linspace(20, 90, 50)),
        CategoryColumn.fit("ward", ["north", "south"], [2, 1]),
    )
    for split, items in ROWS.items():
        age, ward = rng.uniform(20, 90, items) + shift, rng.integers(0, 2, items)
        y = ((age > 55) ^ (ward == 1)).astype(np.int32)
        x = np.stack([np.where(rng.random(items) < 0.05, np.nan, age), ward], 1)
        arrays |= {f"x_{split}": x.astype(np.float32), f"y_{split}": y}
        counts[split] = tuple(np.bincount(y, minlength=2).tolist())
    schema = Schema(
        inputs=TableInputs(columns=columns),
        task=Classification(classes=("well", "ill")),
        splits=ROWS,
        class_counts=counts,
    )
    return add_stored(context, folder, f"people {seed}", arrays, schema)


@pytest.mark.slow
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_trees_beat_a_network_of_one_unit(context: WorkerContext, tmp_path: Path) -> None:
    source, target = (add_people(context, tmp_path, seed) for seed in (1, 2))
    job_id = submit(
        context,
        [{"dataset": source}],
        target,
        model={"backbone": "mlp", "params": {"hidden": [1]}},
        evaluation={"seeds": 2},
        deploy={"name": "ward", "when": "beats_baseline"},
    )
    job, trials = run(context, job_id)
    assert (job.status, job.error) == ("succeeded", None)
    report = report_of(job)
    names = {f"{m}_on_{rows}" for m in OF_SCIKIT_LEARN for rows in ("target", "source", "both")}
    assert set(report.references) == names
    assert set(report.arms) == {"scratch", "fine_tune"}
    assert all(t.weights is None for t in trials if t.role == "reference")
    forest, linear = report.references["forest_on_both"], report.references["linear_on_target"]
    assert forest.metrics["accuracy"].mean > 0.9 > linear.metrics["accuracy"].mean
    best = report.best_reference
    assert best is not None
    assert best.chosen_by == "validation"
    assert best.beats_winner
    assert report.reason.startswith(f"A model without a network is better: {best.name}")
    assert job.deployment is None
    gain = report.references[best.name].gain
    assert gain is not None
    winner, rival = report.arms["fine_tune"], report.references[best.name]
    assert gain.mean == pytest.approx(
        winner.metrics["accuracy"].mean - rival.metrics["accuracy"].mean
    )
    gains = [winner.gain, *(each.gain for each in report.references.values())]
    values = [each.p_value for each in gains if each and each.p_value is not None]
    together = [each.p_holm for each in gains if each and each.p_holm is not None]
    assert together == pytest.approx(holm(values))
    assert numbers.metric("accuracy") in page_of(context, job)
    assert best.name in page_of(context, job)


@pytest.mark.slow
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_best_of_all_is_served(context: WorkerContext, tmp_path: Path) -> None:
    source, target = (add_people(context, tmp_path, seed) for seed in (1, 2))
    job_id = submit(
        context,
        [{"dataset": source}],
        target,
        model={"backbone": "mlp", "params": {"hidden": [1]}},
        deploy={"name": "ward", "when": "best"},
    )
    job, trials = run(context, job_id)
    assert (job.status, job.error, job.deployment) == ("succeeded", None, "ward")
    report = report_of(job)
    with context.database.read() as session:
        model = session.get_one(ModelRow, job.model_id)
    assert report.best_reference is not None
    assert model.card["arm"] == report.best_of_all == report.best_reference.name
    assert model.files.keys() == {"onnx", "golden"}
    served = ServedModels(context.database, context.storage).load(model)
    with context.database.read() as session:
        rows = dataset_split(context.storage, session.get_one(DatasetRow, target), "test")
    x = rows.items.read()["row"]
    answered = served.session.run(np.ascontiguousarray(x, np.float32))
    trial = next(trial for trial in trials if trial.id == model.trial_id)
    assert (answered.argmax(1) == rows.y).mean() == pytest.approx((trial.test or {})["accuracy"])
    assert refused(context, source, target, sources=[{"model": model.id}]).code == (
        "model_without_weights"
    )


@pytest.mark.slow
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_references_are_of_the_rows_that_there_are(
    context: WorkerContext, add_dataset: AddDataset, tmp_path: Path
) -> None:
    people, others = (add_people(context, tmp_path, seed) for seed in (1, 2))
    without = {"target_use_labels": False, "strategies": ["coral"], "evaluation": {"seeds": 1}}
    job, _ = run(context, submit(context, [{"dataset": people}], others, **without))
    assert set(report_of(job).references) == {f"{name}_on_source" for name in OF_SCIKIT_LEARN}
    pictures = [{"dataset": add_dataset(1)}]
    job, _ = run(context, submit(context, pictures, add_dataset(2)))
    assert report_of(job).references == {}
    evaluation = {"seeds": 2, "references": ["linear"]}
    job, _ = run(context, submit(context, pictures, add_dataset(2), evaluation=evaluation))
    found = report_of(job).references
    assert set(found) == {f"linear_on_{rows}" for rows in ("target", "source", "both")}
    assert found["linear_on_both"].metrics["accuracy"].mean > 0.5


@pytest.mark.slow
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_several_labels_have_a_model_each(context: WorkerContext, tmp_path: Path) -> None:
    """Two labels, of a person's age and ward; the better model without a network is served."""
    source, target = (add_labelled(context, tmp_path, seed) for seed in (1, 2))
    job_id = submit(
        context,
        [{"dataset": source}],
        target,
        model={"backbone": "mlp", "params": {"hidden": [1]}},
        evaluation={"seeds": 2, "references": ["linear"]},
        deploy={"name": "labels", "when": "best"},
    )
    job, _ = run(context, job_id)
    assert (job.status, job.error) == ("succeeded", None)
    found = report_of(job).references
    assert set(found) == {f"linear_on_{rows}" for rows in ("target", "source", "both")}
    assert found["linear_on_both"].metrics["f1_micro"].mean > 0.9
    with context.database.read() as session:
        model = session.scalars(select(ModelRow)).one()
        assert model.card["arm"].startswith("linear_on")


def add_labelled(context: WorkerContext, folder: Path, seed: int) -> str:
    rng, arrays, counts = np.random.default_rng(seed), dict[str, np.ndarray](), {}
    columns = (
        NumberColumn.fit("age", np.linspace(20, 90, 50)),
        CategoryColumn.fit("ward", ["north", "south"], [2, 1]),
    )
    for split, items in ROWS.items():
        age, ward = rng.uniform(20, 90, items), rng.integers(0, 2, items)
        y = np.stack([age > 55, ward == 1], 1).astype(np.int8)
        x = np.stack([age, ward], 1).astype(np.float32)
        arrays |= {f"x_{split}": x, f"y_{split}": y}
        counts[split] = (items,)
    schema = Schema(
        inputs=TableInputs(columns=columns),
        task=MultiLabel(labels=("old", "south")),
        splits=ROWS,
        class_counts=counts,
    )
    return add_stored(context, folder, f"labelled {seed}", arrays, schema)
