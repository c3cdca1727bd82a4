"""Columns that are taken away, and what stands in their place."""

import numpy as np
import pytest

from app.inputs.columns import CategoryColumn, Column, FlagColumn, NumberColumn
from app.inputs.table import TableInputs
from app.prediction.explaining.contract import MOST
from app.prediction.explaining.rows import OccludedRow, instead_of

KNOWN, GAPS = np.arange(17.0), np.array([1.0, np.nan, 3.0])


@pytest.mark.parametrize(
    ("column", "most", "values"),
    [
        (NumberColumn.fit("n", KNOWN), 8, [1, 3, 5, 7, 9, 11, 13, 15]),
        (NumberColumn.fit("n", KNOWN), 1, [8]),
        (NumberColumn.fit("n", np.array([0.0, 1.0])), 8, [0, 1]),
        (NumberColumn.fit("n", np.array([5.0])), 8, [5]),
        (NumberColumn.fit("n", GAPS), 8, [np.nan]),
        (NumberColumn(name="n", edges=(), misses=False), 8, [np.nan]),
        (CategoryColumn.fit("c", list("abc"), [3, 2, 1], misses=False), 2, [0, 1]),
        (CategoryColumn.fit("c", list("abc"), [3, 2, 1]), 2, [np.nan]),
        (FlagColumn(name="f", misses=False), 8, [0, 1]),
        (FlagColumn(name="f"), 8, [np.nan]),
    ],
)
def test_what_the_model_has_learnt_stands_in_a_values_place(
    column: Column, most: int, values: list[float]
) -> None:
    np.testing.assert_equal(instead_of(column, most), values)


@pytest.mark.parametrize(
    ("columns", "rows", "groups"), [(5, 40, 5), (100, 200, 100), (255, 255, 255), (5000, 255, 255)]
)
def test_wide_tables_take_no_more_rows(columns: int, rows: int, groups: int) -> None:
    each = tuple(NumberColumn.fit(f"c{place}", KNOWN) for place in range(columns))
    occluded = OccludedRow(TableInputs(columns=each), np.full(columns, 2, np.float32), MOST)
    assert len(occluded) == rows
    told = occluded.told([float(place) for place in range(rows)])
    assert len(told.columns) == groups
    assert sum(len(group.columns) for group in told.columns) == columns
    shown = np.asarray(occluded.rows(range(rows)))
    assert ((shown != 2).sum(axis=1) >= 1).all()


def test_a_contribution_is_the_mean_over_what_stands_in_its_place() -> None:
    columns = (NumberColumn.fit("a", KNOWN), NumberColumn.fit("b", GAPS))
    occluded = OccludedRow(TableInputs(columns=columns), np.array([4, 1], np.float32), MOST)
    assert len(occluded) == 9
    told = occluded.told([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, -1.0]).columns
    assert [group.contribution for group in told] == pytest.approx([0.45, -1])
    assert told[1].instead == [[None]]
    assert occluded.told([None] * 9).columns[0].contribution is None
