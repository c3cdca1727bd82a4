"""How far apart columns of two tables are, by hand."""

import numpy as np
import pytest

from app.inputs.column_distance import (
    column_distances,
    comparable,
    quantile_distance,
    total_variation,
)
from app.inputs.columns import CategoryColumn, NumberColumn
from app.inputs.table import TableInputs

NAN = np.nan


def test_the_distance_of_quantiles() -> None:
    assert quantile_distance(np.array([1.0, 2.0]), np.array([1.0, 2.0, 1.0, 2.0])) == 0
    # ranks 1/4 and 3/4: the gap between them is 1/2, times 2
    assert quantile_distance(np.array([1.0, 1.0]), np.array([9.0])) == pytest.approx(1)
    assert quantile_distance(np.array([1.0, 2.0, 3.0]), np.array([7.0, 8.0])) == pytest.approx(1)
    # mixture: 3/4 zeros and 1/4 ones; ranks 3/8 and 7/8; cumulative shares differ by 1/2 at 0
    assert quantile_distance(np.array([0.0, 0.0]), np.array([0.0, 1.0])) == pytest.approx(0.5)


def test_what_rises_with_the_values_changes_nothing() -> None:
    rng = np.random.default_rng(0)
    one, other = rng.normal(size=50), rng.normal(1, 2, size=70)
    found = quantile_distance(one, other)
    assert 0.1 < found < 0.9
    assert quantile_distance(np.exp(one), np.exp(other)) == pytest.approx(found)
    assert quantile_distance(other, one) == pytest.approx(found)


def test_total_variation() -> None:
    assert total_variation(np.array([0, 1]), np.array([1, 0, 0, 1])) == 0
    assert total_variation(np.array([0, 0]), np.array([1])) == 1
    # shares 3/4, 1/4, 0 against 1/2, 0, 1/2
    assert total_variation(np.array([0, 0, 0, 1]), np.array([0, 2])) == pytest.approx(0.5)


TARGET = TableInputs(
    columns=(
        NumberColumn(name="age", edges=(0.0, 100.0)),
        CategoryColumn(name="city", values=("Rome", "Oslo")),
        NumberColumn(name="new", edges=(0.0, 1.0)),
    )
)
SOURCE = TableInputs(
    columns=(
        CategoryColumn(name="town", values=("Oslo", "Rome")),
        NumberColumn(name="age", edges=(0.0, 100.0)),
    )
)
NAMES = {"age": "age", "city": "town"}


def test_categories_are_compared_by_their_values() -> None:
    of_target = np.array([[10, 0, 5], [20, 0, 5], [NAN, 1, 5], [40, 1, 5]], np.float32)
    of_source = np.array([[1, 10], [1, 20], [0, 40], [0, NAN]], np.float32)
    found = column_distances(TARGET, SOURCE, NAMES, (of_target, of_source))
    assert set(found) == {"age", "city"}
    assert (found["age"].measure, found["age"].distance) == ("wasserstein", 0)
    assert found["age"].missing == (0.25, 0.25)
    assert (found["city"].measure, found["city"].distance) == ("total_variation", 0)
    turned = column_distances(TARGET, SOURCE, NAMES, (of_target[:2], of_source[2:]))
    assert turned["city"].distance == 1


def test_of_no_value_no_distance_is_known() -> None:
    of_target = np.array([[NAN, 0, 5]], np.float32)
    found = column_distances(TARGET, SOURCE, NAMES, (of_target, np.array([[0, 3]], np.float32)))
    assert found["age"].distance is None
    assert found["age"].missing == (1, 0)


def test_rows_are_compared_in_shared_columns_alone() -> None:
    of_target = np.array([[10, 0, 5], [20, 1, 900]], np.float32)
    of_source = np.array([[1, 10], [0, 20]], np.float32)
    one, other = comparable(TARGET, SOURCE, NAMES, (of_target, of_source))
    assert one.shape[1] == other.shape[1]
    np.testing.assert_array_equal(one, other)
