"""The overall interval against values worked out by hand, and by simulation of a known gain."""

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import norm

from worker.evaluation.crossed import crossed_interval


def test_by_hand() -> None:
    got = crossed_interval(np.array([[4.0, 2.0], [2.0, 0.0]]), 0.95)
    # Mean 2, mean squares 4 and 4, no rest: variance 8 / 4, ν = 8² / (4² + 4²) = 2, t = 4.30265.
    assert got.high == pytest.approx(2 + 4.30265 * np.sqrt(2), abs=1e-4)
    assert got.low == pytest.approx(2 - 4.30265 * np.sqrt(2), abs=1e-4)
    # With 2 degrees of freedom p = 1 - T / sqrt(T² + 2), and here T = 2 / sqrt 2.
    assert got.p_value == pytest.approx(1 - np.sqrt(2) / 2)


def test_without_items_that_differ_it_is_the_t_interval_over_seeds() -> None:
    got = crossed_interval(np.repeat([[1.0], [2.0], [3.0]], 50, axis=1), 0.95)
    assert (got.low, got.high) == pytest.approx((2 - 2.48414, 2 + 2.48414), abs=1e-5)


def test_without_seeds_that_differ_it_is_the_t_interval_over_items() -> None:
    got = crossed_interval(np.repeat([[1.0, 2.0, 3.0]], 50, axis=0), 0.95)
    assert (got.low, got.high) == pytest.approx((2 - 2.48414, 2 + 2.48414), abs=1e-5)


def test_the_variance_never_falls_below_what_the_rest_shows() -> None:
    got = crossed_interval(np.array([[1.0, 0.0], [0.0, 1.0]]), 0.95)  # M_rest 1, the others 0
    # Variance 1 / 4, ν = 1, t = 12.7062.
    assert got.high == pytest.approx(0.5 + 12.7062 / 2, abs=1e-4)


def test_without_any_spread() -> None:
    nothing = crossed_interval(np.zeros((2, 3)), 0.95)
    assert (nothing.low, nothing.high, nothing.p_value) == (0, 0, 1)
    always = crossed_interval(np.ones((2, 3)), 0.95)
    assert (always.low, always.high, always.p_value) == (1, 1, 0)


@pytest.mark.parametrize("shape", [(1, 5), (5, 1)])
def test_one_seed_or_one_item_has_no_interval(shape: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="at least 2 seeds and 2 items"):
        crossed_interval(np.zeros(shape), 0.95)


@pytest.mark.parametrize(
    "spreads",
    [
        # items alike to both arms, items for an arm, seeds for an arm; over 1 of the rest
        (1.0, 0.8, 0.1),
        (1.0, 0.5, 0.3),
        (0.5, 0.3, 0.6),
    ],
)
def test_it_covers_the_population_gain_as_often_as_it_says(
    spreads: tuple[float, float, float],
) -> None:
    covered = []
    for differences, gain in simulated(200, 5, 400, spreads):
        got = crossed_interval(differences, 0.95)
        covered.append(got.low <= gain <= got.high)
    assert 0.93 <= np.mean(covered) <= 0.97


def simulated(
    repeats: int, seeds: int, items: int, spreads: tuple[float, float, float]
) -> Iterator[tuple[NDArray[np.float64], float]]:
    """Differences (seeds, items) in being right, and the gain over all seeds and items there are.

    An arm is right where level + item + item for this arm + seed + rest > 0, all normal.
    """
    random = np.random.default_rng(0)
    of_item, of_item_and_arm, of_seed = spreads
    levels = (0.9, 0.6)
    transfer, scratch = norm.cdf(np.array(levels) / np.sqrt(1 + np.square(spreads).sum()))
    for _ in range(repeats):
        difficulty = random.normal(0, of_item, items)
        right = [
            level
            + difficulty
            + random.normal(0, of_item_and_arm, items)
            + random.normal(0, of_seed, (seeds, 1))
            + random.normal(0, 1, (seeds, items))
            > 0
            for level in levels
        ]
        yield right[0].astype(float) - right[1], float(transfer - scratch)
