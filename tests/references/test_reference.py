"""A reference on a trial's items: which rows it sees, and its outputs."""

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from numpy.typing import NDArray

from app.datasets.schemas import Schema
from app.inputs.columns import NumberColumn
from app.inputs.table import TableInputs
from app.spec.references import REFERENCE_MODELS, PlannedReference, Rows
from app.tasks import Task
from app.tasks.classification import Classification
from app.tasks.regression import Regression
from worker.references import reference
from worker.references.models import NumbersScaled
from worker.references.reference import FittedReference
from worker.training.data import Domain, Split
from worker.training.items import Items
from worker.training.setup import TrialSetup

CLASSES = Classification(classes=("a", "b", "c"))
QUANTITY = Regression(mean=10.0, std=2.0)


def split_of(x: NDArray[Any], y: NDArray[Any]) -> Split:
    return Split.stored(Items.of({"row": x.astype(np.float32)}), y)


def setup_of(task: Task, target: Split, source: Split | None = None) -> TrialSetup:
    columns = tuple(NumberColumn(name=n, edges=()) for n in "xy"[: target.items.specs[0].shape[0]])
    schema = Schema(inputs=TableInputs(columns=columns), task=task, splits={}, class_counts={})
    empty = target.select(slice(0))
    domain = Domain(schema, target, empty)
    other = Domain(schema, source, empty) if source else None
    return cast(TrialSetup, SimpleNamespace(target=domain, source=other, seed=3))


def fitted(task: Task, target: Split, source: Split | None = None, **of: Any) -> FittedReference:
    planned = PlannedReference(model=of.get("model", "linear"), rows=of.get("rows", "target"))
    return FittedReference.fit(planned, setup_of(task, target, source))


def test_a_class_without_items_has_next_to_no_probability() -> None:
    x, y = np.array([[0.0], [1.0]] * 10), np.array([0, 2] * 10, np.int32)
    outputs = fitted(CLASSES, split_of(x, y)).outputs(split_of(np.array([[0.0], [9.0]]), y[:2]))
    assert outputs.argmax(1).tolist() == [0, 2]
    np.testing.assert_allclose(np.exp(outputs).sum(1), 1, rtol=1e-5)
    np.testing.assert_allclose(outputs[:, 1], np.log(1e-7), rtol=1e-6)


def test_quantities_are_given_standardised() -> None:
    x = np.linspace(0, 1, 50)[:, None]
    split = split_of(x, (10 + 4 * x[:, 0]).astype(np.float32))
    outputs = fitted(QUANTITY, split).outputs(split)
    assert outputs.shape == (50, 1)
    # Ridge shrinks the slope by n / (n + 1), as the columns are standardised.
    np.testing.assert_allclose(
        outputs[:, 0], (12 - 10 + 50 / 51 * (4 * x[:, 0] - 2)) / 2, atol=1e-5
    )


@pytest.mark.parametrize("rows", ["target", "source", "both"])
def test_each_sees_its_own_rows(rows: Rows) -> None:
    """In the target the label is the opposite of the source's."""
    x, y = np.array([[0.0], [1.0]] * 40), np.array([0, 1] * 40, np.int32)
    two = Classification(classes=("a", "b"))
    target, source = split_of(x[:40], 1 - y[:40]), split_of(x, y)
    model = fitted(two, target, source, rows=rows, model="boosting")
    got = model.outputs(split_of(x[:2], y[:2])).argmax(1).tolist()
    assert got == ([0, 1] if rows == "source" else [1, 0])
    assert model.rows == {"target": 40, "source": 80, "both": 120}[rows]


@pytest.mark.parametrize("model", list(REFERENCE_MODELS))
def test_what_cannot_be_learnt_from_is_answered_all_the_same(model: str) -> None:
    nothing = np.full((6, 1), np.nan)
    y = np.array([0, 0, 0, 1, 2, 0], np.int32)
    outputs = fitted(CLASSES, split_of(nothing, y), model=model).outputs(split_of(nothing, y))
    assert outputs.argmax(1).tolist() == [0] * 6
    one_class = split_of(np.arange(6.0)[:, None], np.ones(6, np.int32))
    assert fitted(CLASSES, one_class, model=model).outputs(one_class).argmax(1).tolist() == [1] * 6


def test_unknown_labels_and_rows_past_the_limit_are_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    x, y = np.arange(40.0)[:, None], (np.arange(40) % 3).astype(np.int32)
    y[:10] = -1
    assert fitted(CLASSES, split_of(x, y)).rows == 30
    monkeypatch.setattr(reference, "MOST_ROWS", 12)
    model = fitted(CLASSES, split_of(x, y))
    assert (model.rows, model.of_rows) == (12, 30)


def test_a_rare_bit_weighs_no_more_than_another() -> None:
    x = np.zeros((100, 3))
    x[:, 0], x[3, 1], x[::2, 2] = np.arange(100), 1, 1
    scaled = NumbersScaled().fit(x).transform(x)
    np.testing.assert_array_equal(scaled[:, 1:], x[:, 1:])
    assert scaled[:, 0].std() == pytest.approx(1)
