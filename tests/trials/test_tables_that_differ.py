"""Transfer between tables whose columns have other places, names and orders of values: trained
where any wrong mapping would cost all that was learnt."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.datasets.schemas import Schema
from app.inputs.columns import CategoryColumn, Column, FlagColumn, NumberColumn
from app.inputs.table import TableInputs
from app.jobs.epoch_metrics import csv_of
from app.models.schemas import Signature
from app.tables.models import ModelRow
from app.tasks.classification import Classification
from tests.trials.jobs import page_of, report_of, run, submit
from tests.trials.stored import add_stored
from worker.machine.context import WorkerContext

pytestmark = pytest.mark.slow

TRAIN, TEST = 240, 200
CITIES = ("Rome", "Oslo", "Bonn", "Cork")  # two of them are healthy places
NETWORKS: tuple[dict[str, Any], ...] = (
    {"backbone": "mlp", "params": {"hidden": [32]}},
    {"backbone": "tabm", "params": {"hidden": [32], "members": 4}},
    {"backbone": "ft_transformer", "params": {"width": 16, "blocks": 1, "heads": 2}},
)
TRAINING = {
    "epochs": 30,
    "batch_size": 32,
    "min_steps": 0,
    "learning_rate": 0.01,
    "augmentation": None,
}
LEARNT: dict[str, Any] = {
    "model": {"backbone": "mlp", "params": {"hidden": [32]}},
    "training": TRAINING,
    "evaluation": {"seeds": 1, "references": []},
}


def people(seed: int, items: int) -> tuple[dict[str, Any], np.ndarray]:
    """Columns by name, and who is ill: by age, the city and smoking, at random by nothing else."""
    rng = np.random.default_rng(seed)
    columns = {
        "age": rng.uniform(20, 80, items),
        "city": rng.integers(0, len(CITIES), items),
        "smokes": rng.integers(0, 2, items),
        "noise": rng.normal(0, 1, items),
        "more": rng.normal(0, 1, items),
    }
    risk = (columns["age"] - 50) / 30 + np.where(columns["city"] < 2, -1, 1)
    risk = risk + np.where(columns["smokes"] == 1, 1, -1)
    return columns, (risk > 0).astype(np.int32)


def add_table(context: WorkerContext, folder: Path, seed: int, *columns: Column, **of: str) -> str:
    """Rows of `people` in these columns; `of`: by a column's name that of `people`."""
    arrays, counts = dict[str, np.ndarray](), dict[str, tuple[int, ...]]()
    for number, (split, items) in enumerate((("train", TRAIN), ("test", TEST))):
        values, y = people(10 * seed + number, items)
        rows = [coded(column, values[of.get(column.name, column.name)]) for column in columns]
        counts[split] = (int((y == 0).sum()), int((y == 1).sum()))
        arrays |= {f"x_{split}": np.stack(rows, 1).astype(np.float32), f"y_{split}": y}
    inputs = TableInputs(columns=columns)
    arrays["sketch"] = inputs.sketch({"row": arrays["x_train"]})
    schema = Schema(
        inputs=inputs,
        task=Classification(classes=("well", "ill")),
        splits={"train": TRAIN, "test": TEST},
        class_counts=counts,
    )
    return add_stored(context, folder, f"people {seed} {sorted(of)}", arrays, schema)


def coded(column: Column, values: np.ndarray) -> np.ndarray:
    if isinstance(column, CategoryColumn):
        return np.array([column.places[CITIES[value]] for value in values])
    if isinstance(column, FlagColumn) and column.values == ("yes", "no"):
        return 1 - values
    return values


def number(name: str, low: float, high: float) -> NumberColumn:
    return NumberColumn(name=name, edges=tuple(np.linspace(low, high, 9)), misses=False)


def cities(name: str, *values: str) -> CategoryColumn:
    return CategoryColumn(name=name, values=values, misses=False, others=False)


AGE, SMOKES = number("age", 20, 80), FlagColumn(name="smokes", values=("no", "yes"), misses=False)
SOURCE = (cities("city", *CITIES), AGE, SMOKES, number("noise", -3, 3))
TARGET = (
    number("more", -3, 3),
    FlagColumn(name="Smokes", values=("yes", "no"), misses=False),
    cities("City", "Bonn", "Oslo", "Cork", "Rome"),
    number("years", 15, 90),
)
SAID = {"years": "age"}


@pytest.fixture
def tables(context: WorkerContext, tmp_path: Path) -> tuple[str, str]:
    source = add_table(context, tmp_path, 1, *SOURCE)
    of = {"Smokes": "smokes", "City": "city", "years": "age"}
    return source, add_table(context, tmp_path, 2, *TARGET, **of)


def accuracies(job: Any) -> Mapping[str, float]:
    return {name: arm.metrics["accuracy"].mean for name, arm in report_of(job).arms.items()}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_source_answers_for_a_target_of_other_columns(
    context: WorkerContext, tables: tuple[str, str]
) -> None:
    """No target label is used: all that is known of the target comes through the columns."""
    source, target = tables
    said = [{"dataset": source, "columns": SAID}]
    changes = {**LEARNT, "strategies": ["mcc"], "target_use_labels": False}
    job, trials = run(context, submit(context, said, target, **changes))
    assert {trial.status for trial in trials} == {"succeeded"}, [t.error for t in trials]
    found = accuracies(job)
    assert found["source_only"] > 0.9
    [columns] = report_of(job).columns
    assert {each.name: each.source_name for each in columns.shared} == {
        "Smokes": "smokes",
        "City": "city",
        "years": "age",
    }
    assert [each.name for each in columns.shared if each.confirmed] == ["years"]
    assert (columns.target_only, columns.source_only) == (["more"], ["noise"])
    assert all(each.distance is not None and each.distance < 0.15 for each in columns.shared)
    page = page_of(context, job)
    assert "Which columns are shared" in page
    assert "matched because the job says so" in page


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_few_labels_and_a_packaged_model(context: WorkerContext, tables: tuple[str, str]) -> None:
    source, target = tables
    said = [{"dataset": source, "columns": SAID}]
    evaluation = {**LEARNT["evaluation"], "forgetting": True}
    changes = {**LEARNT, "strategies": ["linear_probe"], "evaluation": evaluation}
    job, trials = run(context, submit(context, said, target, target_labels_per_class=10, **changes))
    assert {trial.status for trial in trials} == {"succeeded"}, [t.error for t in trials]
    assert accuracies(job)["linear_probe"] > 0.88
    kept = report_of(job).arms["linear_probe"].forgetting
    assert kept is not None
    assert kept.before.mean > 0.9
    with context.database.read() as session:
        model = session.get_one(ModelRow, job.model_id)
    inputs = Signature.model_validate(model.signature).inputs
    assert isinstance(inputs, TableInputs)
    assert [column.name for column in inputs.columns] == ["more", "Smokes", "City", "years"]
    assert "linear_probe" in "".join(csv_of(context.database, job.id, None, None))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("network", [*NETWORKS], ids=lambda network: str(network["backbone"]))
def test_a_source_model_carries_its_columns_over(
    context: WorkerContext, tables: tuple[str, str], tmp_path: Path, network: dict[str, Any]
) -> None:
    """The model knows four columns; the target has three of them, in another order."""
    source, target = tables
    twin = add_table(context, tmp_path, 3, *SOURCE)
    first, trials = run(
        context,
        submit(
            context,
            [{"dataset": source}],
            twin,
            **{**LEARNT, "model": network, "strategies": ["fine_tune"]},
        ),
    )
    assert {trial.status for trial in trials} == {"succeeded"}, [t.error for t in trials]
    model = [{"model": str(first.model_id), "columns": SAID}]
    changes = {**LEARNT, "model": {"backbone": "auto"}, "strategies": ["linear_probe"]}
    job, trials = run(
        context, submit(context, model, target, target_labels_per_class=10, **changes)
    )
    assert {trial.status for trial in trials} == {"succeeded"}, [t.error for t in trials]
    assert accuracies(job)["linear_probe"] > 0.88
    [columns] = report_of(job).columns
    assert (columns.target_only, columns.source_only) == (["more"], ["noise"])
    assert {each.distance for each in columns.shared} == {None}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_two_sources_of_other_columns_as_one(
    context: WorkerContext, tables: tuple[str, str], tmp_path: Path
) -> None:
    """Each source knows a part of what makes people ill."""
    _, target = tables
    sources = [
        {"dataset": add_table(context, tmp_path, 4, AGE, SMOKES), "columns": SAID},
        {"dataset": add_table(context, tmp_path, 5, cities("city", *CITIES[::-1]), SMOKES)},
    ]
    changes = {**LEARNT, "strategies": ["mcc"], "target_use_labels": False, "combine": "joint"}
    job, trials = run(context, submit(context, sources, target, **changes))
    assert {trial.status for trial in trials} == {"succeeded"}, [t.error for t in trials]
    assert accuracies(job)["source_only"] > 0.75
    first, second = report_of(job).columns
    assert first.target_only == ["more", "City"]
    assert second.target_only == ["more", "years"]
