"""The API's distances, by hand and beside scikit-learn's classifier and kernel."""

import numpy as np
import pytest
from sklearn.linear_model import RidgeClassifier
from sklearn.metrics.pairwise import euclidean_distances, rbf_kernel
from sklearn.model_selection import PredefinedSplit, cross_val_predict

from app.datasets.divergence import mmd_squared, proxy_a_distance


def test_mmd_by_hand() -> None:
    one, other = np.array([[0.0], [1.0]]), np.array([[0.0], [3.0]])
    # Distances 1 and 3 within; 0, 3, 1 and 2 between; the median of their squares is (1 + 4) / 2.
    k = {gap: np.exp(-(gap**2) / (2 * 2.5)) for gap in range(4)}
    expected = k[1] + k[3] - 2 * (k[0] + k[3] + k[1] + k[2]) / 4
    assert mmd_squared(one, other) == pytest.approx(expected)


def test_mmd_beside_scikit_learns_kernel() -> None:
    random = np.random.default_rng(0)
    one, other = random.normal(size=(30, 4)), random.normal(1, 1, (20, 4))
    joint = np.concatenate([one, other])
    median = np.median(euclidean_distances(joint)[np.triu_indices(50, 1)] ** 2)
    within, across, between = (
        rbf_kernel(a, b, gamma=1 / (2 * median))
        for a, b in ((one, one), (other, other), (one, other))
    )
    expected = (
        (within.sum() - 30) / (30 * 29) + (across.sum() - 20) / (20 * 19) - 2 * between.mean()
    )
    assert mmd_squared(one, other) == pytest.approx(expected)


def test_mmd_is_right_on_average_where_domains_are_equal() -> None:
    found = [
        mmd_squared(*np.random.default_rng(seed).normal(size=(2, 25, 3))) for seed in range(200)
    ]
    values = np.array(found, np.float64)
    assert (values < 0).any()
    assert abs(values.mean()) < 3 * values.std() / np.sqrt(200)


def test_a_distance_beside_scikit_learns_classifier() -> None:
    random = np.random.default_rng(0)
    one, other = random.normal(size=(100, 6)), random.normal(0.4, 1, (100, 6))
    x, domain = np.concatenate([one, other]), np.repeat([1, -1], 100)
    folds = PredefinedSplit(np.tile(np.arange(100) % 5, 2))
    # The ridge is a hundredth of a feature's mean variance, here about 1 an item.
    model = RidgeClassifier(alpha=0.01 * x.var(axis=0).mean() * 160)
    error = (cross_val_predict(model, x, domain, cv=folds) != domain).mean()
    assert 0.2 < error < 0.4
    assert proxy_a_distance(one, other) == pytest.approx(2 * (1 - 2 * error), abs=0.021)


def test_equal_domains_and_far_ones() -> None:
    random = np.random.default_rng(0)
    one, other = random.random((2, 500, 20))
    assert proxy_a_distance(one, other) == pytest.approx(0, abs=0.15)
    assert proxy_a_distance(one, one) == 0
    assert proxy_a_distance(one, other + 2) == 2


def test_a_small_domain_weighs_as_much_as_a_large_one() -> None:
    random = np.random.default_rng(0)
    one, few = random.random((500, 5)), random.random((40, 5))
    assert proxy_a_distance(one, few) == pytest.approx(0, abs=0.4)  # by counts it would be 1.7
    assert proxy_a_distance(one, few + 2) == 2


@pytest.mark.parametrize("items", [2, 3, 4])
def test_a_handful_of_items(items: int) -> None:
    one, other = np.random.default_rng(0).random((2, items, 3))
    assert proxy_a_distance(one, other + 9) == 2
    assert mmd_squared(one, other + 9) == pytest.approx(mmd_squared(other + 9, one))


def test_items_that_are_all_the_same() -> None:
    same = np.full((10, 3), 0.5)
    assert (proxy_a_distance(same, same), mmd_squared(same, same)) == (0, 0)
    assert proxy_a_distance(same, same + 0.25) == 2


def test_one_item_is_no_domain() -> None:
    one, other = np.zeros((1, 3)), np.ones((9, 3))
    assert proxy_a_distance(one, other) is None
    assert mmd_squared(other, one) is None
