"""Numbers of a source on the target's scale: by hand, and what stays as it is."""

from typing import Literal

import numpy as np
import pytest

from app.inputs.columns import CategoryColumn, NumberColumn
from worker.inputs.scaled_rows import Scale, ScaledRows

By = Literal["moments", "quantiles"]
WAYS: tuple[By, ...] = ("moments", "quantiles")
COLUMNS = (
    NumberColumn(name="height", edges=(0.0, 1.0), misses=True),
    NumberColumn(name="children", edges=(0.0, 1.0), misses=False),
    CategoryColumn(name="city", values=tuple(map(str, range(30))), misses=False, others=False),
)


def rows(seed: int, items: int = 200) -> np.ndarray:
    """Heights, counts and codes; a tenth of the heights is missing."""
    rng = np.random.default_rng(seed)
    height = rng.normal(170, 10, items)
    height[::10] = np.nan
    found = [height, rng.integers(0, 9, items), rng.integers(0, 30, items)]
    return np.stack(found, 1).astype(np.float32)


def test_moments_by_hand() -> None:
    """Mean 2 and deviation 1 become mean 10 and deviation 3: 3 is one deviation above."""
    scale = Scale((2.0, 1.0), (10.0, 3.0))
    np.testing.assert_allclose(scale.applied(np.array([2.0, 3.0, 0.0])), [10.0, 13.0, 4.0])


def test_quantiles_by_hand() -> None:
    """The lowest of the source becomes the target's lowest, the middle its middle."""
    scale = Scale((0.0, 1.0), (0.0, 1.0), np.array([[0.0, 1.0, 2.0], [5.0, 6.0, 20.0]]))
    np.testing.assert_allclose(scale.applied(np.array([0.0, 0.5, 1.5, 9.0])), [5.0, 5.5, 13.0, 20])


@pytest.mark.parametrize("by", WAYS)
def test_another_unit_is_undone(by: By) -> None:
    """The same people, measured in inches and with an offset."""
    source, target = rows(0), rows(0)
    target[:, 0] = target[:, 0] / 2.54 - 7
    found = ScaledRows.fit(COLUMNS, source, target, by).applied(source)
    np.testing.assert_allclose(found[:, 0], target[:, 0], rtol=1e-2)
    np.testing.assert_array_equal(np.isnan(found[:, 0]), np.isnan(source[:, 0]))


@pytest.mark.parametrize("by", WAYS)
def test_equal_domains_and_codes_stay_as_they_are(by: By) -> None:
    source, target = rows(0), rows(0)
    target[:, 1] += 3  # few values
    target[:, 2] = 29 - target[:, 2]  # a category
    change = ScaledRows.fit(COLUMNS, source, target, by)
    assert set(change.scales) == {0}
    np.testing.assert_allclose(change.applied(source), source, rtol=1e-2)
    np.testing.assert_array_equal(change.applied(source)[:, 1:], source[:, 1:])


def test_quantiles_undo_a_curve_that_moments_do_not() -> None:
    source, target = rows(0), rows(0)
    target[:, 0] = np.exp(target[:, 0] / 10)
    errors = {
        by: np.nanmax(np.abs(ScaledRows.fit(COLUMNS, source, target, by).applied(source) - target))
        / np.nanstd(target[:, 0])
        for by in WAYS
    }
    assert errors["quantiles"] < errors["moments"] / 3


@pytest.mark.parametrize(
    "values",
    [np.full(200, np.nan), np.full(200, 3.0), np.r_[np.full(190, np.nan), np.arange(10)]],
    ids=["missing", "constant", "few"],
)
def test_a_number_without_a_scale_is_left_out(values: np.ndarray) -> None:
    target = rows(1)
    target[:, 0] = values
    change = ScaledRows.fit(COLUMNS, rows(0), target, "moments")
    assert change.scales == {}
    assert change.told.shape == (0, 5)
    assert change.applied(rows(0)).tobytes() == rows(0).tobytes()


def test_no_rows_and_what_is_told() -> None:
    change = ScaledRows.fit(COLUMNS, rows(0), rows(1), "quantiles")
    assert change.applied(rows(0)[:0]).shape == (0, 3)
    ((place, mean_s, spread_s, mean_t, _),) = change.told
    assert place == 0
    np.testing.assert_allclose(mean_s, np.nanmean(rows(0)[:, 0]), rtol=1e-5)
    np.testing.assert_allclose(spread_s, np.nanstd(rows(0)[:, 0]), rtol=1e-4)
    np.testing.assert_allclose(mean_t, np.nanmean(rows(1)[:, 0]), rtol=1e-5)
