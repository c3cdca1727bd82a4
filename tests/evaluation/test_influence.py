"""Each item's influence on a metric, by hand and as the derivative in its weight."""

import numpy as np
import pytest

from worker.evaluation.influence import item_values
from worker.evaluation.metrics import rates_from_counts

METRICS = ("accuracy", "f1_macro", "balanced_accuracy")


def test_by_hand() -> None:
    y, predicted = np.array([0, 0, 0, 1]), np.array([0, 0, 1, 1])
    assert item_values(y, predicted, 2, "accuracy").tolist() == [1, 1, 0, 1]
    # Recalls 2/3 and 1, mean 5/6; n/C = 2: 5/6 + 2 (1 - 2/3)/3, 5/6 - 2 (2/3)/3, 5/6 + 0.
    assert item_values(y, predicted, 2, "balanced_accuracy") == pytest.approx(
        [5 / 6 + 2 / 9, 5 / 6 + 2 / 9, 5 / 6 - 4 / 9, 5 / 6]
    )
    # F1 4/5 of 5 and 2/3 of 3, mean 11/15: + 2 (2 - 8/5)/5; - 2 (4/5)/5 - 2 (2/3)/3;
    # + 2 (2 - 4/3)/3.
    assert item_values(y, predicted, 2, "f1_macro") == pytest.approx(
        [11 / 15 + 4 / 25, 11 / 15 + 4 / 25, 11 / 15 - 8 / 25 - 4 / 9, 11 / 15 + 4 / 9]
    )


@pytest.mark.parametrize("metric", METRICS)
def test_the_mean_is_the_metric_and_a_value_its_derivative(metric: str) -> None:
    random = np.random.default_rng(0)
    y, predicted = random.integers(0, 4, 40), random.integers(0, 5, 40)  # class 4 is never true
    values = item_values(y, predicted, 6, metric)  # class 5 is neither
    theta = _weighted(y, predicted, np.ones(40), metric)
    assert values.mean() == pytest.approx(theta)
    step = 1e-6
    for item in range(40):
        weights = np.ones(40)
        weights[item] += step
        derivative = (_weighted(y, predicted, weights, metric) - theta) / step
        assert 40 * derivative == pytest.approx(values[item] - theta, abs=1e-4)


def test_an_unknown_metric_is_refused() -> None:
    with pytest.raises(ValueError, match="got loss"):
        item_values(np.zeros(2, int), np.zeros(2, int), 2, "loss")


def _weighted(y: np.ndarray, predicted: np.ndarray, weights: np.ndarray, metric: str) -> float:
    hits, true, guessed = (
        np.bincount(which, weights=weight, minlength=6)
        for which, weight in ((y, weights * (y == predicted)), (y, weights), (predicted, weights))
    )
    return float(rates_from_counts(hits, true, guessed)[metric])
