"""Rows of first kernels by the columns that they belong to."""

import numpy as np
import pytest

from app.inputs.columns import BINS, CategoryColumn, Column, DateColumn, FlagColumn, NumberColumn
from app.inputs.table import TableInputs
from worker.backbones.input_rows import Axis, carried, flattened, keys_of, silenced
from worker.inputs import layers_of


def table(*columns: Column) -> TableInputs:
    return TableInputs(columns=columns)


def shapes_of(inputs: TableInputs) -> dict[str, tuple[int, ...]]:
    seen = layers_of(inputs, None).preprocessing.output
    return {name: tuple(tensor.shape[1:]) for name, tensor in seen.items()}


MODEL = table(
    CategoryColumn(name="town", values=("Rome", "Oslo")),
    NumberColumn(name="gone", edges=(0.0, 1.0)),
    NumberColumn(name="age", edges=(0.0, 1.0)),
    DateColumn(name="seen", edges=(0.0, 1.0)),
    FlagColumn(name="ill", values=("no", "yes")),
)
JOINT = table(
    NumberColumn(name="new", edges=(0.0, 1.0)),
    DateColumn(name="seen", edges=(0.0, 1.0)),
    FlagColumn(name="ill", values=("yes", "no")),
    NumberColumn(name="years", edges=(0.0, 1.0)),
    CategoryColumn(name="city", values=("Oslo", "Bonn", "Rome")),
)
NAMES = {"seen": "seen", "ill": "ill", "years": "age", "city": "town"}


def test_each_row_goes_to_its_column_and_value() -> None:
    own = {column.name: column.name for column in JOINT.columns}
    sides = [
        (flattened(shapes_of(inputs)), keys_of(inputs, JOINT, names))
        for inputs, names in ((JOINT, own), (MODEL, NAMES))
    ]
    parts = BINS + 1
    stored = np.arange(3 * parts + 4 + 4 + 3, dtype=np.float32)[:, None] + 1  # 1, 2, 3, …
    drawn = np.full((3 * parts + 4 + 3 + 5, 1), 9, np.float32)
    kernel = carried(stored, sides[0], sides[1], drawn)[:, 0]
    numbers, rest = kernel[: 3 * parts].reshape(3, parts), kernel[3 * parts :]
    assert not numbers[0].any()  # new
    assert numbers[1].tolist() == stored[2 * parts : 3 * parts, 0].tolist()  # seen
    assert numbers[2].tolist() == stored[parts : 2 * parts, 0].tolist()  # years: age
    base = 3 * parts + 1
    assert rest[:4].tolist() == [base, base + 1, base + 2, base + 3]  # phases
    rome, oslo, other, missing, no, yes, unknown = range(base + 4, base + 11)
    assert rest[4:7].tolist() == [yes, no, unknown]
    assert rest[7:].tolist() == [oslo, 0, rome, other, missing]


def test_weights_of_another_table_are_refused() -> None:
    own = {column.name: column.name for column in JOINT.columns}
    side = flattened(shapes_of(JOINT)), keys_of(JOINT, JOINT, own)
    with pytest.raises(ValueError, match="expected a row for each number"):
        carried(np.zeros((5, 1), np.float32), side, side, np.zeros((63, 1), np.float32))


def test_what_is_never_seen_is_silent() -> None:
    kernel = np.ones((6, 2), np.float32)
    axis = Axis(0, (("numbers", 2), ("categories", 1)))
    seen = {
        "numbers": np.array([[True, False], [False, False]]),
        "categories": np.array([0, 1]) > 0,
    }
    assert silenced(kernel, axis, seen)[:, 0].tolist() == [1, 0, 0, 0, 0, 1]
    by_place = Axis(1, (("numbers", 1),))
    assert silenced(np.ones((3, 2)), by_place, seen)[0].tolist() == [1, 0]
