"""Intervals against values worked out by hand, scipy and scikit-learn, and by simulation."""

import numpy as np
import pytest
from sklearn import metrics as sklearn

from worker.evaluation.statistics import (
    CHANGE,
    POSITIVE,
    RATE,
    bootstrap_gains,
    holm,
    mean_interval,
    percentile_interval,
)


def test_the_t_interval_by_hand() -> None:
    got = mean_interval([1.0, 2.0, 3.0], 0.95)
    # s = 1, t(2, 0.975) = 4.30265, margin = 4.30265 / sqrt(3)
    assert (got.mean, got.n) == (2.0, 3)
    assert got.low == pytest.approx(2 - 2.48414, abs=1e-5)
    assert got.high == pytest.approx(2 + 2.48414, abs=1e-5)


def test_one_value_has_no_interval_and_none_is_refused() -> None:
    got = mean_interval([0.7], 0.95)
    assert (got.mean, got.low, got.high, got.n) == (0.7, None, None, 1)
    with pytest.raises(ValueError, match="at least 1 value"):
        mean_interval([], 0.95)


def test_an_interval_ends_where_the_metric_does() -> None:
    got = mean_interval([0.2, 0.9], 0.95, RATE)  # 0.55 ± 12.7062 x 0.35
    assert (got.low, got.high) == (0, 1)
    got = mean_interval([0.1, 0.1, 0.4], 0.95, POSITIVE)  # 0.2 ± 4.30265 x 0.1
    assert got.low == 0
    assert got.high == pytest.approx(0.2 + 0.430265, abs=1e-5)
    got = mean_interval([-0.9, 0.9], 0.95, CHANGE)
    assert (got.low, got.high) == (-1, 1)


def test_rates_that_happen_to_be_equal_do_not_show_that_all_are() -> None:
    got = mean_interval([1.0, 1.0], 0.95, RATE, items=50)
    # Half an item in 2 x 50: a standard error of sqrt(1/2) / 100, t of one degree is 12.7062.
    assert got.low == pytest.approx(1 - 0.0898462, abs=1e-6)
    assert got.high == 1
    sure = mean_interval([1.0] * 5, 0.95, RATE, items=1000)
    assert sure.low == pytest.approx(1 - 2.77645 * np.sqrt(0.5) / 5000, abs=1e-7)


@pytest.mark.parametrize("right", [0.5, 0.9, 0.98])
@pytest.mark.parametrize("seeds", [2, 5])
def test_the_interval_of_an_accuracy_covers_its_mean_over_seeds(right: float, seeds: int) -> None:
    random = np.random.default_rng(0)
    covered = []
    for _ in range(400):
        rates = np.clip(random.normal(right, 0.01, seeds), 0, 1)
        got = mean_interval(random.binomial(50, rates) / 50, 0.95, RATE, items=50)
        assert got.low is not None
        assert got.high is not None
        covered.append(0 <= got.low <= right <= got.high <= 1)
    assert np.mean(covered) >= 0.93 - 0.038  # 3 standard errors


@pytest.mark.parametrize("metric", ["accuracy", "f1_macro", "balanced_accuracy"])
def test_a_resample_is_scored_as_its_items_are(metric: str) -> None:
    """One item a class: resamples lack classes, and the metric sees it as scikit-learn does."""
    random = np.random.default_rng(3)
    y = np.arange(6)
    arms = random.integers(0, 6, (2, 2, 6))
    got = bootstrap_gains(y, *arms, 6, metric, seed=5, resamples=20)
    times = np.random.default_rng(5).multinomial(6, np.full(6, 1 / 6), 20)
    if metric == "accuracy":  # there items are drawn by how many seeds more are right
        hits = (arms[0] == y).sum(axis=0) - (arms[1] == y).sum(axis=0)
        values, alike = np.unique(hits, return_counts=True)
        times = np.random.default_rng(5).multinomial(6, alike / 6, 20)
        assert got == pytest.approx([(row * values).sum() / 12 for row in times])
        return
    score = {
        "f1_macro": lambda y, p: sklearn.f1_score(y, p, average="macro", zero_division=0),
        "balanced_accuracy": lambda y, p: np.mean([np.mean(p[y == k] == k) for k in np.unique(y)]),
    }[metric]
    wanted = []
    for row in times:
        items = np.repeat(np.arange(6), row)
        transfer, baseline = (np.mean([score(y[items], p[items]) for p in arm]) for arm in arms)
        wanted.append(transfer - baseline)
    assert got == pytest.approx(wanted)


@pytest.mark.parametrize("metric", ["accuracy", "f1_macro", "balanced_accuracy"])
def test_the_bootstrap_has_the_spread_of_the_mean_of_differences(metric: str) -> None:
    random = np.random.default_rng(0)
    y = np.arange(400) % 2
    arms = [np.where(random.random((3, 400)) < right, y, 1 - y) for right in (0.8, 0.7)]
    got = bootstrap_gains(y, *arms, 2, metric, seed=0)
    differences = (arms[0] == y).mean(axis=0) - (arms[1] == y).mean(axis=0)
    assert got.shape == (2000,)
    assert got.mean() == pytest.approx(differences.mean(), abs=0.002)
    assert got.std() == pytest.approx(differences.std() / 20, rel=0.1)


def test_resamples_that_do_not_fit_in_memory_at_once_are_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    random = np.random.default_rng(0)
    y, arms = random.integers(0, 3, 50), random.integers(0, 3, (2, 2, 50))
    whole = bootstrap_gains(y, *arms, 3, "f1_macro", seed=0, resamples=100)
    monkeypatch.setattr("worker.evaluation.statistics.CELLS_AT_ONCE", 350)
    assert (bootstrap_gains(y, *arms, 3, "f1_macro", seed=0, resamples=100) == whole).all()


@pytest.mark.parametrize("metric", ["accuracy", "balanced_accuracy"])
def test_two_arms_with_the_same_errors_have_no_gain_in_any_resample(metric: str) -> None:
    random = np.random.default_rng(0)
    y, predictions = random.integers(0, 3, 50), random.integers(0, 3, (2, 50))
    got = bootstrap_gains(y, predictions, predictions[::-1], 3, metric, seed=1)
    assert got == pytest.approx(np.zeros(2000), abs=1e-12)


def test_percentiles_of_a_known_sample() -> None:
    samples = np.arange(-1, 99, dtype=float)  # -1, 0, …, 98
    assert percentile_interval(samples, 0.9) == pytest.approx((3.95, 93.05))


def test_holm_by_hand() -> None:
    assert holm([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])
    assert holm([0.9, 0.8]) == [1, 1]
    assert holm([]) == []


def test_t_intervals_cover_the_truth_as_often_as_they_say() -> None:
    random = np.random.default_rng(0)
    intervals = [mean_interval(random.normal(3, 2, 5), 0.9) for _ in range(500)]
    covered = [i.low <= 3 <= i.high for i in intervals if i.low is not None and i.high is not None]
    assert np.mean(covered) == pytest.approx(0.9, abs=0.04)  # 3 standard errors


@pytest.mark.slow
def test_bootstrap_intervals_cover_the_true_gain_as_often_as_they_say() -> None:
    random = np.random.default_rng(0)
    covered = []
    for repeat in range(200):
        y = random.integers(0, 4, 300)
        hard = random.random(300)  # an item is hard for both arms, so they are paired
        arms = [
            np.where(hard + 0.2 * random.random((2, 300)) < level, y, (y + 1) % 4)
            for level in (0.8, 0.7)
        ]
        low, high = percentile_interval(bootstrap_gains(y, *arms, 4, "accuracy", repeat), 0.9)
        covered.append(low <= 0.1 <= high)
    assert np.mean(covered) == pytest.approx(0.9, abs=0.065)  # 3 standard errors
