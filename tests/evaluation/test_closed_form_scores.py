"""LEEP by hand, LogME against the evidence's maximum, the H-score with scikit-learn's shrinkage."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.stats import multivariate_normal
from sklearn.covariance import LedoitWolf

from worker.evaluation.closed_form_scores import h_score, leep, log_me


def test_leep_by_hand() -> None:
    theta = np.array([[0.8, 0.2], [0.6, 0.4], [0.1, 0.9]], np.float32)
    # Of the classes 0, 0, 1: n P(y, z) = [[1.4, 0.6], [0.1, 0.9]], n P(z) = [1.5, 1.5].
    likelihood = [
        0.8 * 1.4 / 1.5 + 0.2 * 0.6 / 1.5,
        0.6 * 1.4 / 1.5 + 0.4 * 0.6 / 1.5,
        0.1 * 0.1 / 1.5 + 0.9 * 0.9 / 1.5,
    ]
    assert leep(theta, np.array([7, 7, 9])) == pytest.approx(np.log(likelihood).mean())


def test_leep_of_a_source_that_knows_and_of_one_that_does_not() -> None:
    y = np.array([0, 1, 2, 0, 1, 2])
    assert leep(np.eye(4)[(y + 1) % 3], y) == pytest.approx(0)  # its fourth class never occurs
    assert leep(np.full((6, 4), 0.25), y) == pytest.approx(np.log(1 / 3))


def largest_evidence(features: NDArray[np.float64], target: NDArray[np.float64]) -> float:
    """By search in log α and log β, of the density of the labels themselves."""
    n = len(target)

    def negative(logs: NDArray[np.float64]) -> float:
        alpha, beta = np.exp(logs)
        covariance = np.eye(n) / beta + features @ features.T / alpha
        return -float(multivariate_normal.logpdf(target, np.zeros(n), covariance)) / n

    return -float(minimize(negative, [0.0, 0.0], method="Nelder-Mead", tol=1e-9).fun)


@pytest.mark.parametrize("shape", [(40, 5), (20, 30)])
def test_log_me_is_the_largest_evidence(shape: tuple[int, int]) -> None:
    random = np.random.default_rng(1)
    y = np.arange(shape[0]) % 3
    features = random.normal(size=shape)
    features[np.arange(len(y)), y] += 1.5
    wanted = [largest_evidence(features, (y == label).astype(float)) for label in range(3)]
    assert log_me(features, y) == pytest.approx(np.mean(wanted), abs=1e-5)


def test_log_me_does_not_depend_on_the_features_scale() -> None:
    random = np.random.default_rng(0)
    features, y = random.normal(size=(30, 4)), np.arange(30) % 2
    assert log_me(1e6 * features, y) == pytest.approx(log_me(features, y))


def test_log_me_of_features_that_tell_all() -> None:
    y = np.arange(12) % 3
    exact = np.eye(3)[y]
    assert log_me(exact, y) > log_me(exact + np.random.default_rng(0).normal(0, 0.01, (12, 3)), y)


def test_h_score_with_scikit_learns_shrinkage() -> None:
    random = np.random.default_rng(0)
    y = random.integers(0, 3, 25)
    features = random.normal(size=(25, 40)) * np.arange(1, 41) + y[:, None]
    fitted = LedoitWolf().fit(features)
    means = np.array([features[y == label].mean(axis=0) for label in range(3)])[y]
    between = (1 - fitted.shrinkage_) * np.cov(means.T, bias=True)
    wanted = np.trace(np.linalg.inv(fitted.covariance_) @ between)
    assert 0.01 < fitted.shrinkage_ < 0.99
    assert h_score(features, y) == pytest.approx(wanted)


def test_h_score_by_hand() -> None:
    features = np.array([[0.0], [2.0], [4.0], [6.0]])
    # In one dimension nothing is shrunk: variance 5, class means 1 and 5 about 3, variance 4.
    assert h_score(features, np.array([0, 0, 1, 1])) == pytest.approx(4 / 5)


def test_h_score_of_a_singular_covariance_that_is_not_shrunk() -> None:
    features = np.array([[1.0, 2.0], [-1.0, -2.0]] * 5)
    assert h_score(features, np.arange(10) % 2) == pytest.approx(1)
