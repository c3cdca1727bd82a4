"""Items as one row of numbers each, as models of scikit-learn take them.

Numbers and dates stand as they are, categories and flags are one-hot, each with places for values
that training rows do not have and for those that are missing. Other modalities give all their
values in one row.
"""

from dataclasses import dataclass
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from app.inputs import Inputs
from app.inputs.columns import (
    ABSENT,
    MISSING,
    CategoryColumn,
    Column,
    DateColumn,
    FlagColumn,
    NumberColumn,
)
from app.inputs.dense import DenseInputs
from app.inputs.joined import JoinedInputs
from app.inputs.table import ROW, TableInputs
from app.inputs.text import TextInputs
from app.tensors import Tensors

Matrix = NDArray[np.float32]


@dataclass(frozen=True)
class ColumnLayout:
    """Place of a column of a table in a row, and its width: one-hot, or 1."""

    place: int
    width: int

    @property
    def is_hot(self) -> bool:
        return self.width > 1


def layout_of(columns: tuple[Column, ...]) -> tuple[ColumnLayout, ...]:
    return tuple(ColumnLayout(place, _width(column)) for place, column in enumerate(columns))


def rows_of(inputs: Inputs, items: Tensors) -> Matrix:
    """Raw tensors (n, …) -> (n, features), NaN where a number is missing, or its whole column is
    absent."""
    match inputs:
        case TableInputs():
            raw = np.asarray(items[ROW], np.float32)
            raw = np.where(raw == np.float32(ABSENT), np.float32(MISSING), raw)
            return np.concatenate([_column(raw, each) for each in layout_of(inputs.columns)], 1)
        case DenseInputs():
            (values,) = items.values()
            return np.asarray(values, np.float32).reshape(len(values), -1)
        case TextInputs():
            raise ValueError("expected items that are numbers: texts have a reference of theirs")
        case JoinedInputs():
            raise ValueError(
                "expected numbers of one kind: items of several parts have no reference"
            )
        case _:
            assert_never(inputs)


def _column(raw: Matrix, layout: ColumnLayout) -> Matrix:
    values = raw[:, layout.place : layout.place + 1]
    if not layout.is_hot:
        return values
    places = np.where(np.isnan(values), layout.width - 1, values)
    return np.equal(places, np.arange(layout.width)).astype(np.float32)


def _width(column: Column) -> int:
    match column:
        case NumberColumn() | DateColumn():
            return 1
        case CategoryColumn() | FlagColumn():
            return column.width
        case _:
            assert_never(column)
