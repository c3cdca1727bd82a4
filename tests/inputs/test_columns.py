"""What a value of each kind of column becomes, and back."""

import math

import numpy as np
import pytest

from app.inputs.columns import (
    BINS,
    MOST_VALUES,
    CategoryColumn,
    DateColumn,
    FlagColumn,
    NumberColumn,
)

NAN = math.nan


def test_few_values_are_the_edges_themselves() -> None:
    column = NumberColumn.fit("ca", np.array([3, 0, 1, 0, 0, NAN, 0.5]))
    assert column.edges == (0, 0.5, 1, 3)
    assert column.misses


def test_many_values_are_cut_by_their_quantiles() -> None:
    column = NumberColumn.fit("age", np.arange(1601.0))
    assert column.edges == tuple(100.0 * np.arange(BINS + 1))
    assert not column.misses


def test_quantiles_are_numpys_to_the_bit() -> None:
    rng = np.random.default_rng(0)
    for rows, scale in ((18, 1e-30), (1_000, 3.0), (4_321, 1e30)):
        values = rng.normal(0, scale, rows)
        wanted = np.quantile(values, np.linspace(0, 1, BINS + 1)).astype(np.float32)
        assert NumberColumn.fit("x", values).edges == tuple(wanted.tolist())


def test_edges_ascend_and_are_few_whatever_the_values() -> None:
    """A column that is nearly all 0, tiny gaps, huge values, infinities and none at all."""
    nearly_zero = np.where(np.arange(1000) % 100, 0.0, np.arange(1000.0))
    for values in (nearly_zero, np.array([0, 1e-45, 1e-44, 1]), np.array([-1e37, 1e37, np.inf])):
        edges = NumberColumn.fit("x", values).edges
        assert 2 <= len(edges) <= BINS + 1
        with np.errstate(all="raise", under="ignore"):
            assert np.isfinite(1 / np.diff(np.array(edges, np.float32))).all()
        assert (np.diff(edges) > 0).all()
    assert NumberColumn.fit("x", np.array([NAN, NAN])).edges == ()


@pytest.mark.parametrize("value", [True, "1", [1], {}, NAN, math.inf, 1e38, 10**400])
def test_what_is_no_number(value: object) -> None:
    with pytest.raises(ValueError, match=r"^$"):
        NumberColumn.fit("x", np.array([0.0, 1.0])).read(value)


def test_a_number_is_shown_as_it_was_written() -> None:
    column = NumberColumn.fit("x", np.array([0.0, 1.0]))
    for value in (0.1, -2.5e-7, 3, 16_777_216, 123.456):
        stored = np.float32(column.read(value))
        assert column.shown(stored) == value
    # Past 2^24 float32 has every second whole number.
    assert column.shown(np.float32(column.read(16_777_217))) == 16_777_216


def test_dates_are_days_since_1970() -> None:
    column = DateColumn.fit("seen", np.array([0.0, 100.0]))
    assert column.read("1970-01-02") == 1
    assert column.read("1970-01-01T06:00:00Z") == 0.25
    assert column.read("1970-01-01T06:00:00+02:00") == pytest.approx(4 / 24)
    assert column.read("1969-12-31") == -1
    for value in ("26.11.2026", "2026-13-01", "", 20261126, 1.5, True):
        with pytest.raises(ValueError):  # noqa: PT011  Python's own words
            column.read(value)


@pytest.mark.parametrize(
    "text", ["1583-10-15", "1969-12-31", "1970-01-01", "2026-11-26", "9999-12-31"]
)
def test_every_day_is_exact_in_float32(text: str) -> None:
    column = DateColumn.fit("seen", np.array([0.0]))
    assert column.shown(np.float32(column.read(text))) == text


def test_a_time_of_day_is_kept_to_a_minute_and_a_half() -> None:
    column = DateColumn.fit("seen", np.array([0.0]))
    exact = column.read("2026-11-26T08:30:10Z")
    stored = np.float32(exact)
    assert abs(float(stored) - exact) * 24 * 60 < 1.5
    again = column.shown(stored)
    assert again.startswith("2026-11-26T08:")
    assert np.float32(column.read(again)) == stored


def test_a_column_with_a_form_of_its_own_is_read_and_shown_in_it() -> None:
    """20112026 is a day of November, though ISO 8601 could read it as one of the year 2011."""
    column = DateColumn.fit("seen", np.array([0.0]), "%d%m%Y")
    assert column.shown(np.float32(column.read("10112012"))) == "10112012"
    assert column.read("02011970") == 1
    assert "%d%m%Y" in column.expected
    with pytest.raises(ValueError):  # noqa: PT011  Python's own words
        column.read("2012-11-10")


def test_categories_stand_by_how_common_they_are() -> None:
    column = CategoryColumn.fit("city", ["b", "c", "a"], [2, 5, 2])
    assert column.values == ("c", "a", "b")
    assert [column.read(value) for value in ("c", "b", "Rome", "")] == [0, 2, 3, 3]
    assert column.width == 5
    assert (column.shown(1), column.shown(3)) == ("a", "(other)")
    assert not column.others


def test_whole_numbers_are_categories_however_they_are_written() -> None:
    column = CategoryColumn.fit("code", ["3", "10"], [1, 1])
    assert [column.read(value) for value in (3, 3.0, "3", 10)] == [1, 1, 1, 0]
    for value in (3.5, True, [3], NAN, math.inf):
        with pytest.raises((ValueError, OverflowError)):
            column.read(value)


def test_rare_categories_share_a_place() -> None:
    names = [f"{number:03}" for number in range(MOST_VALUES + 3)]
    column = CategoryColumn.fit("id", names, range(len(names), 0, -1))
    assert len(column.values) == MOST_VALUES
    assert column.others
    assert column.read(names[-1]) == MOST_VALUES == column.read("new")


def test_flags() -> None:
    column = FlagColumn(name="sex", values=("female", "male"))
    assert [column.read(value) for value in (False, True, "female", "male")] == [0, 1, 0, 1]
    assert column.shown(1.0) is True
    with pytest.raises(ValueError):  # noqa: PT011  Python's own words
        column.read("other")


def test_sketches_lie_in_0_to_1() -> None:
    number = NumberColumn.fit("x", np.arange(17.0))
    sketch = number.sketch(np.array([-5.0, 0.0, 4.0, 16.0, 99.0, NAN]))
    assert sketch.tolist() == [[0, 0], [0, 0], [0.25, 0], [1, 0], [1, 0], [0.5, 1]]
    city = CategoryColumn.fit("city", ["a", "b"], [2, 1])
    assert city.sketch(np.array([1, 2, NAN])).tolist() == [[0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]
    flag = FlagColumn(name="f")
    assert flag.sketch(np.array([0, 1, NAN])).tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
    constant = NumberColumn.fit("x", np.array([NAN]))
    assert constant.sketch(np.array([3.0, NAN])).tolist() == [[0.5, 0], [0.5, 1]]


@pytest.mark.parametrize("period", [2, 3, 24, 1024])
def test_edges_of_many_values_are_quantiles_of_some(period: int) -> None:
    """In step with no period of the rows; the least and the greatest are of all."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=400_000) + 5 * (np.arange(400_000) % period)
    values[[12_345, 54_321]] = -99, 99 + 5 * period
    column = NumberColumn.fit("x", np.append(values, np.nan))
    assert (column.edges[0], column.edges[-1]) == (-99, 99 + 5 * period)
    ranks = np.searchsorted(np.sort(values), column.edges[1:-1]) / len(values)
    assert np.abs(ranks - np.linspace(0, 1, len(column.edges))[1:-1]).max() < 0.005
    assert column == NumberColumn.fit("x", np.append(values, np.nan))
    assert column.misses


def test_a_rare_value_among_few_is_an_edge() -> None:
    values = np.zeros(400_000)
    values[7] = 1
    assert NumberColumn.fit("x", values).edges == (0, 1)
