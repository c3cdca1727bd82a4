"""Networks for rows of a table, packaged: missing values, extremes and raw golden rows."""

import json
from pathlib import Path

import keras
import numpy as np
import pytest

from app.inputs.columns import CategoryColumn, DateColumn, FlagColumn, NumberColumn
from app.inputs.table import ROW, TableInputs
from app.models.schemas import Signature
from app.prediction import sessions
from app.tasks.classification import Classification
from app.tasks.regression import Regression
from worker.inputs.table import build
from worker.packaging.onnx_graph import Packaged, package

GENERATOR = np.random.default_rng(0)
NUMBERS = GENERATOR.normal(size=(200, 2)) * [1e4, 3]
DAYS = GENERATOR.integers(18_000, 20_000, 200).astype(np.float64)
INPUTS = TableInputs(
    columns=(
        NumberColumn.fit("income", NUMBERS[:, 0]),
        NumberColumn.fit("age", NUMBERS[:, 1]),
        NumberColumn.fit("constant", np.full(200, 7.0)),
        NumberColumn(name="never", edges=()),
        CategoryColumn.fit("city", ["Oslo", "Rome", "(other)"], [9, 5, 1]),
        FlagColumn(name="owns"),
        DateColumn.fit("since", DAYS),
    )
)


def rows(count: int = 40) -> np.ndarray:
    columns = [
        NUMBERS[:count, 0],
        NUMBERS[:count, 1],
        np.full(count, 7.0),
        np.full(count, np.nan),
        GENERATOR.integers(0, 4, count),
        GENERATOR.integers(0, 2, count),
        DAYS[:count] + 0.3,
    ]
    values = np.stack(columns, axis=1).astype(np.float32)
    values[GENERATOR.random(values.shape) < 0.2] = np.nan
    return values


def network(outputs: int) -> keras.Model:
    keras.utils.set_random_seed(1)
    preprocessing = build(INPUTS.columns)
    row = keras.Input((len(INPUTS.columns),), name="inputs")
    seen = preprocessing({ROW: row}).values()
    flat = keras.layers.Concatenate()([keras.layers.Flatten()(x) for x in seen])
    hidden = keras.layers.Dense(16, "relu")(flat)
    return keras.Model(row, keras.layers.Dense(outputs)(hidden))


TASKS = {
    "classes": Classification(classes=("a", "b", "c")),
    "quantity": Regression(unit="USD", mean=1e5, std=2e4),
}


def packaged(folder: Path, task: Classification | Regression, sample: np.ndarray) -> Packaged:
    model = network(task.outputs)
    return package(model, {ROW: sample}, folder, Signature(inputs=INPUTS, task=task))


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
def test_a_packaged_table_passes_its_gate_and_takes_what_is_missing(
    task: Classification | Regression, tmp_path: Path
) -> None:
    sample = rows()
    made = packaged(tmp_path, task, sample)
    assert made.max_difference <= 1e-4
    session = sessions.load(made.onnx, made.golden, INPUTS, task)
    with np.load(made.golden, allow_pickle=False) as golden:
        raw = json.loads(golden["raw"].tobytes())
        stored = golden["inputs"]
    assert len(raw) == len(stored) == 32
    np.testing.assert_array_equal(INPUTS.decode(raw, "#")[ROW], stored)
    assert [*raw[0]] == [column.name for column in INPUTS.columns]
    # 3, `other`, is shown as "(other)", which here is a training row's value and so 2.
    expected = sample[:32].copy()
    expected[:, 4] = np.where(expected[:, 4] == 3, 2, expected[:, 4])
    np.testing.assert_array_equal(stored, expected)
    answers = session.run(np.full((2, 7), np.nan, np.float32))
    assert np.isfinite(answers).all()


def test_extremes_hold_what_is_missing_unknown_and_far_away() -> None:
    extremes = INPUTS.extremes({ROW: rows()})[ROW]
    assert np.isnan(extremes[0]).all()
    income = INPUTS.columns[0]
    assert {income.edges[0], income.edges[-1]} <= set(extremes[:, 0].tolist())
    assert np.nanmax(extremes[:, 0]) > 5 * income.edges[-1]
    assert set(extremes[1:, 4].tolist()) >= {0, 2, 3}
    assert set(extremes[1:, 5].tolist()) >= {0, 1}
    assert np.isfinite(extremes[1]).all()
