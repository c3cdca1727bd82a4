"""What value of a column each test item has."""

from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from worker.trials.slices import coded


def of(values: list, kind: pa.DataType | None = None) -> list[str]:
    """The value of each item, as the report will call it."""
    codes, names = coded(pa.chunked_array([pa.array(values, kind)]))
    return [names[code] for code in codes]


def test_text_and_flags_are_values_by_falling_number_of_items() -> None:
    column = pa.chunked_array([pa.array(["va", None, "budapest", "va"]), pa.array(["va", "basel"])])
    codes, names = coded(column)
    assert names == ["va", "basel", "budapest", "(missing)"]
    assert codes.tolist() == [0, 3, 2, 0, 0, 1]
    assert of([True, False, None, True]) == ["true", "false", "(missing)", "true"]


def test_beyond_twenty_values_the_rarest_are_one() -> None:
    values = [str(number) for number in range(25) for _ in range(30 - number)]
    codes, names = coded(pa.chunked_array([pa.array(values)]))
    assert names == [*map(str, range(20)), "(other)"]
    assert (codes == 20).sum() == sum(30 - number for number in range(20, 25))


def test_few_different_numbers_are_values() -> None:
    assert of([0.0, 1.0, None, 2.5]) == ["0", "1", "(missing)", "2.5"]
    assert of([3, 1, 3], pa.int64()) == ["3", "1", "3"]


def test_many_different_numbers_are_quarters_of_the_items() -> None:
    values = [*map(float, range(1, 101)), None]
    found = of(values)
    assert found[:25] == ["up to 25"] * 25
    assert found[25:50] == ["over 25 to 50"] * 25
    assert found[50:75] == ["over 50 to 75"] * 25
    assert found[75:] == ["over 75"] * 25 + ["(missing)"]


def test_equal_numbers_stay_together() -> None:
    found = of([0.0] * 60 + [float(value) for value in range(1, 41)])
    assert found[:60] == ["up to 0"] * 60
    assert set(found[60:]) == {"over 0 to 15", "over 15"}


def test_dates_are_quarters_too() -> None:
    days = [datetime(2026, 1, 1) + timedelta(days=number) for number in range(40)]
    found = of(days, pa.timestamp("us"))
    assert found[0] == "up to 2026-01-10"
    assert found[-1] == "over 2026-01-30"


@pytest.mark.parametrize("values", [["x" * 100], ["é" * 61]])
def test_long_values_are_cut(values: list[str]) -> None:
    (found,) = of(values)
    assert found == values[0][:60] + "…"


def test_codes_fit_sixteen_bits_whatever_the_column() -> None:
    codes, _ = coded(pa.chunked_array([pa.array([str(n) for n in range(100_000)])]))
    assert codes.max() <= np.iinfo(np.int16).max


def test_values_that_look_alike_are_told_apart() -> None:
    """Long texts that begin alike, and texts that stand for more than a value."""
    long = ["y" * 80 + end for end in "abab"]
    found = of([*long, "(missing)", None, "(other)"])
    assert len(set(found)) == 5
    assert found[0] == found[2] == "y" * 60 + "…"
    assert found[1] == found[3] == "y" * 60 + "… (2)"
    assert found[4:] == ["(missing) (2)", "(missing)", "(other) (2)"]


@pytest.mark.parametrize(
    ("values", "first"),
    [
        ([1_000_000.0 + k for k in range(40)], "up to 1000009"),
        ([1_000_000.0 + k / 8 for k in range(40)], "up to 1000001"),
        ([0.001 * k + 0.0005 for k in range(40)], "up to 0.0095"),
    ],
)
def test_quarters_of_large_numbers_are_told_apart(values: list[float], first: str) -> None:
    found = of(values)
    assert found[0] == first
    assert len(set(found)) == 4
