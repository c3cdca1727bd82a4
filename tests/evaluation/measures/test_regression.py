"""Numbers of a regression, by hand."""

import numpy as np
import pytest

from app.datasets.schemas import Schema
from app.inputs.image import ImageInputs
from app.spec.plan import training_items
from app.tasks.regression import Regression, bins_of
from worker.evaluation.measures.contract import Level
from worker.evaluation.measures.regression import QuantityMeasures
from worker.training.data import cut_validation, few_items

MEASURES = QuantityMeasures(Regression(unit="m", mean=10.0, std=2.0))
Y = np.array([8.0, 10.0, 12.0, 14.0], np.float32)
# 9, 10, 12, 10 m: errors 1, 0, 0, -4
OUTPUTS = np.array([[-0.5], [0.0], [1.0], [0.0]], np.float32)


def test_metrics_by_hand() -> None:
    found = MEASURES.measure(Y, OUTPUTS)
    assert found["mae"] == pytest.approx(5 / 4)
    assert found["rmse"] == pytest.approx(np.sqrt(17 / 4))
    assert found["r2"] == pytest.approx(1 - 17 / 20)  # squares about 11: 9 + 1 + 1 + 9
    assert found["loss"] == pytest.approx(17 / 4 / 4)


@pytest.mark.parametrize("metric", ["mae", "rmse", "r2"])
def test_the_mean_of_the_item_values_is_the_metric(metric: str) -> None:
    values = MEASURES.item_values(Y, OUTPUTS, metric)
    assert values.mean() == pytest.approx(MEASURES.measure(Y, OUTPUTS)[metric])


@pytest.mark.parametrize("metric", ["rmse", "r2"])
def test_item_values_are_derivatives_in_the_weight_of_an_item(metric: str) -> None:
    rng = np.random.default_rng(0)
    y = rng.normal(10, 2, 40).astype(np.float32)
    outputs = rng.normal(0, 1, (40, 1)).astype(np.float32)
    weights, step = np.full(40, 1 / 40), 1e-6
    changed = (1 - step) * weights
    changed[7] += step
    before, after = (
        MEASURES._weighted(each[None], y.astype(float), outputs, metric)[0]
        for each in (weights, changed)
    )
    values = MEASURES.item_values(y, outputs, metric)
    assert (after - before) / step == pytest.approx(values[7] - values.mean(), rel=1e-4)


def test_an_unknown_metric_and_no_items_are_refused() -> None:
    with pytest.raises(ValueError, match="expected mae, rmse or r2, got accuracy"):
        MEASURES.item_values(Y, OUTPUTS, "accuracy")
    with pytest.raises(ValueError, match="at least 1 item"):
        MEASURES.measure(Y[:0], OUTPUTS[:0])


def test_the_paired_bootstrap_has_the_spread_of_the_mean_of_differences() -> None:
    rng = np.random.default_rng(1)
    y = rng.normal(10, 2, 300).astype(np.float32)
    truth = ((y - 10) / 2)[:, None]
    good, bad = (truth + rng.normal(0, noise, (300, 1)) for noise in (0.1, 0.5))
    gains = MEASURES.resample(y, [good], [bad], "mae", 0)
    apart = MEASURES.item_values(y, good, "mae") - MEASURES.item_values(y, bad, "mae")
    assert gains.mean() == pytest.approx(apart.mean(), abs=0.02)
    assert gains.std() == pytest.approx(apart.std() / np.sqrt(300), rel=0.1)
    assert np.array_equal(gains, MEASURES.resample(y, [good], [bad], "mae", 0))


def test_strata_are_quantile_bins_of_sizes_that_the_plan_knows() -> None:
    y = np.random.default_rng(2).normal(size=57)
    codes = MEASURES.strata(y, 0)
    assert np.bincount(codes).tolist() == list(bins_of(57)) == [6] * 7 + [5] * 3
    for code in range(9):
        assert y[codes == code].max() <= y[codes == code + 1].min()
    tied = MEASURES.strata(np.zeros(20), 0)
    assert np.bincount(tied).tolist() == [5] * 4
    assert not np.array_equal(tied, MEASURES.strata(np.zeros(20), 1))


def test_the_level_is_that_of_the_best_constant() -> None:
    y = np.array([1.0, 2.0, 9.0], np.float32)
    mae, rmse = MEASURES.level(y, "mae"), MEASURES.level(y, "rmse")
    assert mae.score == pytest.approx((1 + 0 + 7) / 3)  # about the median, 2
    assert rmse.score == pytest.approx(np.sqrt((9 + 4 + 25) / 3))  # about the mean, 4
    level = Level(10.0, 1.0, sign=-1)  # 10 ± 1.645, lower is better
    assert [level.standing(value) for value in (8.3, 8.4, 11.6, 11.7)] == [
        "above",
        "at",
        "at",
        "below",
    ]
    constant = MEASURES.constant(y, "rmse")
    assert constant.answer == "4.000 m"
    assert constant.scores["rmse"] == pytest.approx(rmse.score)
    assert constant.guessing is None
    median = MEASURES.constant(y, "mae")
    assert (median.answer, median.scores["mae"]) == ("2.000 m", pytest.approx(mae.score))


def test_r2_has_the_noise_of_the_rmse_at_the_mean() -> None:
    """Whoever is above the mean's answer by one of the two is so by the other."""
    y = np.random.default_rng(0).normal(50, 10, 40).astype(np.float32)
    rmse, r2 = MEASURES.level(y, "rmse"), MEASURES.level(y, "r2")
    assert (r2.score, r2.standing(1e-3), r2.standing(0.9)) == (0.0, "at", "above")
    for better in (0.02, 0.05, 0.3, 0.4):
        assert r2.standing(1 - (1 - better) ** 2) == rmse.standing((1 - better) * rmse.score)
    assert MEASURES.level(np.full(5, 3.0), "r2") == Level(0.0, 0.0)


def test_epoch_sums_have_the_same_bits_however_they_are_cut() -> None:
    rng = np.random.default_rng(3)
    errors = np.abs(rng.normal(size=(6, 4))).astype(np.float32)
    statistics, y = np.stack([errors, errors**2], axis=2), np.zeros((6, 4), np.float32)
    known = np.ones((6, 4), bool)
    whole = MEASURES.added(MEASURES.nothing, y, known, statistics)
    parts = MEASURES.nothing
    for step in range(6):
        part = slice(step, step + 1)
        parts = MEASURES.added(parts, y[part], known[part], statistics[part])
    assert np.array_equal(whole, parts)
    found = MEASURES.of_epoch(whole, 0.5)
    known[:, 1:] = False
    assert MEASURES.items(MEASURES.added(MEASURES.nothing, y, known, statistics)) == 6
    assert MEASURES.items(whole) == 24
    assert found["loss"] == 0.5
    assert found["mae"] == pytest.approx(2 * errors.mean(), rel=1e-6)
    assert found["rmse"] == pytest.approx(2 * np.sqrt((errors**2).mean()), rel=1e-6)


@pytest.mark.parametrize("budget", [None, 3, 12, 57, 80])
@pytest.mark.parametrize("fraction", [0.1, 0.5])
def test_as_many_items_are_trained_on_as_the_plan_says(budget: int | None, fraction: float) -> None:
    y = np.random.default_rng(4).normal(size=73).astype(np.float32)
    schema = Schema(
        inputs=ImageInputs(shape=(8, 8, 1), dtype="uint8"),
        task=MEASURES.task,
        splits={"train": 73, "test": 0},
        class_counts={"train": (73,), "test": (0,)},
    )
    kept = y if budget is None else y[few_items(MEASURES.strata(y, 1), budget, 1)]
    train, held_out = cut_validation(MEASURES.strata(kept, 1), fraction, 1)
    assert len(train) == training_items(schema, budget, fraction)
    assert len(train) + len(held_out) == min(73, budget or 73)
