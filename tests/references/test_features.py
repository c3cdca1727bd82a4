"""Rows for models of scikit-learn, against what was written by hand."""

import numpy as np

from app.inputs.columns import CategoryColumn, DateColumn, FlagColumn, NumberColumn
from app.inputs.image import ImageInputs
from app.inputs.table import TableInputs
from worker.references.features import rows_of

INPUTS = TableInputs(
    columns=(
        NumberColumn(name="age", edges=(1.0, 2.0)),
        CategoryColumn(name="ward", values=("north", "south")),
        FlagColumn(name="smokes"),
        DateColumn(name="since", edges=()),
    )
)


def test_numbers_stay_and_categories_become_places() -> None:
    nan = np.nan
    raw = np.array([[63, 1, 0, 20000], [nan, 2, 1, nan], [7, nan, nan, 3]], np.float32)
    # age | north, south, other, missing | false, true, missing | since
    expected = np.array(
        [
            [63, 0, 1, 0, 0, 1, 0, 0, 20000],
            [nan, 0, 0, 1, 0, 0, 1, 0, nan],
            [7, 0, 0, 0, 1, 0, 0, 1, 3],
        ],
        np.float32,
    )
    np.testing.assert_array_equal(rows_of(INPUTS, {"row": raw}), expected)


def test_pictures_are_their_values_in_one_row() -> None:
    pictures = np.arange(8, dtype=np.uint8).reshape(2, 2, 2, 1)
    inputs = ImageInputs(shape=(2, 2, 1), dtype="uint8", value_range=(0, 255))
    rows = rows_of(inputs, {"image": pictures})
    np.testing.assert_array_equal(rows, [[0, 1, 2, 3], [4, 5, 6, 7]])
