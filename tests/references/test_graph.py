"""References as ONNX graphs answer as scikit-learn does."""

import numpy as np
import onnxruntime
import pytest

from app.datasets.schemas import Schema
from app.inputs.columns import CategoryColumn, FlagColumn, NumberColumn
from app.inputs.table import TableInputs
from app.spec.references import (
    NETWORK,
    REFERENCE_MODELS,
    PlannedReference,
    ReferenceModel,
    Rows,
)
from app.tasks import Task
from app.tasks.classification import Classification
from app.tasks.multi_label import MultiLabel
from app.tasks.regression import Regression
from tests.references.test_reference import setup_of, split_of
from worker.references.graph import graph_of
from worker.references.reference import FittedReference
from worker.training.data import Split

INPUTS = TableInputs(
    columns=(
        NumberColumn(name="age", edges=(1.0, 2.0)),
        CategoryColumn(name="ward", values=("north", "south")),
        FlagColumn(name="smokes"),
        NumberColumn(name="empty", edges=()),
    )
)
LABELS = MultiLabel(labels=("old", "south", "person"))
PRICE = Regression(unit="USD", mean=5e5, std=1e5)
OF_SCIKIT_LEARN = [model for model in REFERENCE_MODELS if model != NETWORK]


def rows(count: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    x = np.stack(
        [rng.normal(50, 20, count), rng.integers(0, 3, count), rng.integers(0, 2, count)], 1
    ).astype(np.float32)
    x[rng.random(x.shape) < 0.1] = np.nan
    return np.concatenate([x, np.full((count, 1), np.nan, np.float32)], 1)


def fitted(model: ReferenceModel, task: Task, of: Rows = "both") -> FittedReference:
    parts = []
    for seed in (1, 2):
        x = rows(150, seed)
        known = np.nan_to_num(x, nan=40)
        if isinstance(task, Classification):
            y = ((known[:, 0] > 50).astype(int) + known[:, 2].astype(int) * (task.outputs > 3)) * 2
            y = np.minimum(y, task.outputs - 1).astype(np.int32)
        else:
            y = (5e5 + 2e3 * known[:, 0]).astype(np.float32)
        parts.append(split_of(x, y))
    setup = setup_of(task, *parts)
    schema = Schema(inputs=INPUTS, task=task, splits={}, class_counts={})
    for domain in (setup.target, setup.source):
        object.__setattr__(domain, "schema", schema)
    return FittedReference.fit(PlannedReference(model=model, rows=of), setup)


def fitted_labels(model: ReferenceModel, of: Rows = "both") -> FittedReference:
    """Three labels, of which all rows have the last, and of the source alone none the second."""
    parts = []
    for seed in (1, 2):
        x = rows(150, seed)
        known = np.nan_to_num(x, nan=40)
        y = np.stack([known[:, 0] > 50, (known[:, 1] > 0) & (seed == 1), np.ones(150)], 1)
        parts.append(split_of(x, y.astype(np.int8)))
    setup = setup_of(LABELS, *parts)
    schema = Schema(inputs=INPUTS, task=LABELS, splits={}, class_counts={})
    for domain in (setup.target, setup.source):
        object.__setattr__(domain, "schema", schema)
    return FittedReference.fit(PlannedReference(model=model, rows=of), setup)


def check(reference: FittedReference) -> None:
    x, task = rows(400, 7), reference.schema.task
    wanted = reference.outputs(Split.stored(split_of(x, np.zeros(400, np.int32)).items, x[:, 0]))
    session = onnxruntime.InferenceSession(graph_of(reference).SerializeToString())
    (answers,) = session.run([task.answers], {"inputs": x})
    expected = task.mean + task.std * wanted if isinstance(task, Regression) else np.exp(wanted)
    if isinstance(task, MultiLabel):
        expected = 1 / (1 + np.exp(-wanted))
    np.testing.assert_allclose(answers, expected, atol=1e-5 * task.std, rtol=0)


@pytest.mark.parametrize("model", OF_SCIKIT_LEARN)
@pytest.mark.parametrize("task", [2, 3, 5])
def test_probabilities(model: ReferenceModel, task: int) -> None:
    """Of two, of three of which one has no items, and of five of which two have none."""
    check(fitted(model, Classification(classes=tuple("abcde"[:task]))))


@pytest.mark.parametrize("model", OF_SCIKIT_LEARN)
def test_quantities(model: ReferenceModel) -> None:
    check(fitted(model, PRICE, "target"))


@pytest.mark.parametrize("model", OF_SCIKIT_LEARN)
@pytest.mark.parametrize("of", ["both", "source"])
def test_several_labels(model: ReferenceModel, of: Rows) -> None:
    reference = fitted_labels(model, of)
    check(reference)
    found = reference.answers(split_of(rows(50, 9), np.zeros((50, 3), np.int8)).items.read())
    assert found[:, 2].min() > 0.999
    assert (found[:, 1].max() < 0.001) == (of == "source")
    assert found[:, 0].std() > 0.1


def test_what_learnt_nothing() -> None:
    for task in (PRICE, Classification(classes=("a", "b"))):
        dtype = np.int32 if isinstance(task, Classification) else np.float32
        split = split_of(rows(20, 3), np.full(20, 1, dtype))
        setup = setup_of(task, split)
        schema = Schema(inputs=INPUTS, task=task, splits={}, class_counts={})
        object.__setattr__(setup.target, "schema", schema)
        check(FittedReference.fit(PlannedReference(model="linear", rows="target"), setup))
