"""Columns that are predicted from others: what is made up, what is not, and what is said of it."""

import numpy as np
import pytest

from app.inputs.columns import ABSENT, CategoryColumn, FlagColumn, NumberColumn
from worker.references.made_up_rows import FOLDS, LEAST_SHARE, MadeUpRows, least_share

COLUMNS = (
    NumberColumn(name="age", edges=(0.0, 1.0), misses=True),
    FlagColumn(name="smokes", values=("no", "yes"), misses=False),
    NumberColumn(name="pressure", edges=(0.0, 1.0), misses=True),
    CategoryColumn(name="group", values=("young", "old", "other"), misses=False, others=True),
    NumberColumn(name="noise", edges=(0.0, 1.0), misses=False),
)
LACKING = [2, 3, 4]


def target(items: int = 200) -> np.ndarray:
    """Pressure and group follow from age and smoking, noise from nothing."""
    rng = np.random.default_rng(0)
    age, smokes = rng.uniform(20, 80, items), rng.integers(0, 2, items)
    pressure = age + 20 * smokes + rng.normal(0, 1, items)
    age_known = np.where(rng.random(items) < 0.1, np.nan, age)
    columns = [age_known, smokes, pressure, (age > 50) * 1.0, rng.normal(0, 1, items)]
    return np.stack(columns, 1).astype(np.float32)


def source(*rows: tuple[float, float]) -> np.ndarray:
    return np.array([[*row, ABSENT, ABSENT, ABSENT] for row in rows], np.float32)


def test_functions_of_others_are_made_up_and_noise_is_not() -> None:
    change = MadeUpRows.fit(COLUMNS, LACKING, target())
    found = change.applied(source((30, 0), (30, 1), (70, 0)))
    np.testing.assert_allclose(found[:, 2], [30, 50, 70], atol=4)
    assert found[:, 3].tolist() == [0, 0, 1]
    assert np.isposinf(found[:, 4]).all()
    pressure, group, noise = change.told
    assert pressure[0] == 2
    assert pressure[1] == 200
    assert 0.8 < pressure[2] < 1.0
    assert abs(pressure[3]) < 0.05
    assert group[2] > 0.9 > 0.6 > group[3]
    assert [pressure[4], group[4], noise[4]] == [1, 1, 0]
    assert noise[2] < 0.1


def test_the_same_rows_predict_the_same_bits() -> None:
    asked = source((30, 0), (np.nan, 1), (np.nan, np.nan))
    one, other = (MadeUpRows.fit(COLUMNS, LACKING, target()).applied(asked) for _ in range(2))
    assert one.tobytes() == other.tobytes()
    assert np.isfinite(one[:, 2:4]).all()


def test_values_that_the_target_never_had_are_none_of_its() -> None:
    """A source's smoking of a third code is the flag's own missing place, not a third class."""
    found = MadeUpRows.fit(COLUMNS, LACKING, target()).applied(source((30, 7)))
    assert found[0, 3] in {0, 1}
    assert np.isfinite(found[0, 2])


@pytest.mark.parametrize(
    "values",
    [np.full(200, np.nan), np.full(200, 3.0), np.r_[np.full(190, np.nan), np.arange(10)]],
    ids=["missing", "constant", "few"],
)
def test_a_column_that_nothing_can_be_learnt_of(values: np.ndarray) -> None:
    rows = target()
    rows[:, 2] = values
    change = MadeUpRows.fit(COLUMNS, [2], rows)
    ((_, count, quality, guessing, is_used),) = change.told
    assert count == np.isfinite(values).sum()
    assert np.isnan([quality, guessing]).all()
    assert not is_used
    assert np.isposinf(change.applied(source((30, 0)))[:, 2]).all()


def test_held_out_rows_count_by_hand() -> None:
    """Guessing errs by 4, 4, 4, 4, predictions by 1, 1, 1, 1: three quarters, without doubt."""
    assert least_share(np.full(4, 4.0), np.full(4, 1.0)) == pytest.approx(0.75)
    assert least_share(np.zeros(4), np.zeros(4)) == -np.inf
    rng = np.random.default_rng(0)
    assert least_share(rng.exponential(1, 50), rng.exponential(1, 50)) < LEAST_SHARE


def test_noise_is_hardly_ever_made_up() -> None:
    used = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        rows = target(60)
        rows[:, 4] = rng.normal(0, 1, 60)
        used += int(MadeUpRows.fit(COLUMNS, [4], rows).told[0, 4])
    assert FOLDS > 1
    assert used == 0
