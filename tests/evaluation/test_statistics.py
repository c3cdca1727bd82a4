"""Intervals against values worked out by hand, scipy and scikit-learn, and by simulation."""

import numpy as np
import pytest
from scipy.stats import ttest_rel
from sklearn import metrics as sklearn

from worker.evaluation.statistics import (
    bootstrap_p_value,
    bootstrap_scores,
    holm,
    mean_interval,
    paired_p_value,
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


def test_the_p_value_is_that_of_the_paired_t_test() -> None:
    random = np.random.default_rng(0)
    transfer, scratch = random.normal(0.1, 1, 6), random.normal(0, 1, 6)
    wanted = ttest_rel(transfer, scratch).pvalue
    assert paired_p_value(transfer - scratch) == pytest.approx(wanted)
    assert paired_p_value([0.0, 0.0]) == 1
    assert paired_p_value([0.25, 0.25]) == 0


@pytest.mark.parametrize("metric", ["accuracy", "f1_macro", "balanced_accuracy"])
def test_a_resample_is_scored_as_its_items_are(metric: str) -> None:
    """One item a class: resamples lack classes, and the metric sees it as scikit-learn does."""
    random = np.random.default_rng(3)
    y = np.arange(6)
    predictions = random.integers(0, 6, (2, 6))
    got = bootstrap_scores(y, predictions, 6, metric, seed=5, resamples=20)
    drawn = np.random.default_rng(5).integers(0, 6, (20, 6))
    score = {
        "accuracy": sklearn.accuracy_score,
        "f1_macro": lambda y, p: sklearn.f1_score(y, p, average="macro", zero_division=0),
        "balanced_accuracy": lambda y, p: np.mean([np.mean(p[y == k] == k) for k in np.unique(y)]),
    }[metric]
    wanted = [np.mean([score(y[items], p[items]) for p in predictions]) for items in drawn]
    assert got == pytest.approx(wanted)


def test_the_bootstrap_has_the_spread_of_a_binomial() -> None:
    y = np.zeros(400, int)
    predictions = (np.arange(400) < 100).astype(int)[None]  # 3/4 are right
    got = bootstrap_scores(y, predictions, 2, "accuracy", seed=0)
    assert got.shape == (2000,)
    assert got.mean() == pytest.approx(0.75, abs=0.002)
    assert got.std() == pytest.approx(np.sqrt(0.75 * 0.25 / 400), rel=0.06)


def test_resamples_that_do_not_fit_in_memory_at_once_are_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    random = np.random.default_rng(0)
    y, predictions = random.integers(0, 3, 50), random.integers(0, 3, (2, 50))
    whole = bootstrap_scores(y, predictions, 3, "f1_macro", seed=0, resamples=100)
    monkeypatch.setattr("worker.evaluation.statistics.CELLS_AT_ONCE", 350)
    assert (bootstrap_scores(y, predictions, 3, "f1_macro", seed=0, resamples=100) == whole).all()


def test_two_arms_with_the_same_errors_have_no_gain_in_any_resample() -> None:
    random = np.random.default_rng(0)
    y, predictions = random.integers(0, 3, 50), random.integers(0, 3, (2, 50))
    arms = [bootstrap_scores(y, p, 3, "accuracy", seed=1) for p in (predictions, predictions[::-1])]
    assert (arms[0] - arms[1] == 0).all()
    assert bootstrap_p_value(arms[0] - arms[1]) == 1


def test_percentiles_and_p_of_a_known_sample() -> None:
    samples = np.arange(-1, 99, dtype=float)  # -1, 0, …, 98
    assert percentile_interval(samples, 0.9) == pytest.approx((3.95, 93.05))
    assert bootstrap_p_value(samples) == pytest.approx(2 * 3 / 101)


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
        transfer, scratch = (bootstrap_scores(y, a, 4, "accuracy", repeat) for a in arms)
        low, high = percentile_interval(transfer - scratch, 0.9)
        covered.append(low <= 0.1 <= high)
    assert np.mean(covered) == pytest.approx(0.9, abs=0.065)  # 3 standard errors
