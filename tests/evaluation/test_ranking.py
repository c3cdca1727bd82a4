"""Rankings worked out by hand."""

import pytest

from worker.evaluation.ranking import RankCorrelation, rank_correlation, regret


def test_correlation_by_hand() -> None:
    # Of the pairs only the best two are exchanged: (5 - 1) / 6. Their places weigh the most: with
    # 1/rank + 1/rank' a pair, ranked by either, (all - 2 * 3/2) / all, where all = 25/4.
    got = rank_correlation([4, 3, 2, 1], [0.8, 0.9, 0.7, 0.6])
    assert got
    assert got.kendall_tau == pytest.approx(4 / 6)
    assert got.weighted_tau == pytest.approx((25 / 4 - 3) / (25 / 4))
    worst = rank_correlation([4, 3, 2, 1], [0.9, 0.8, 0.6, 0.7])
    assert worst
    assert worst.kendall_tau == pytest.approx(4 / 6)
    assert worst.weighted_tau == pytest.approx((25 / 4 - 2 * 7 / 12) / (25 / 4))


def test_the_same_order_and_the_reverse() -> None:
    assert rank_correlation([1, 2, 3], [0.1, 0.2, 0.9]) == RankCorrelation(
        pytest.approx(1), pytest.approx(1)
    )
    assert rank_correlation([3, 2, 1], [0.1, 0.2, 0.9]) == RankCorrelation(
        pytest.approx(-1), pytest.approx(-1)
    )


def test_sources_without_a_score_or_a_measurement_are_left_out() -> None:
    assert rank_correlation([1, None, 2, 9], [0.1, 0.5, 0.3, None]) == RankCorrelation(
        pytest.approx(1), pytest.approx(1)
    )


@pytest.mark.parametrize(("scores", "measured"), [([5, 5, 5], [1, 2, 3]), ([1, 2, 3], [4, 4, 4])])
def test_ties_throughout_have_no_correlation(scores: list[float], measured: list[float]) -> None:
    assert rank_correlation(scores, measured) == RankCorrelation(None, None)


@pytest.mark.parametrize("scores", [[], [1.0], [1.0, None], [None, None]])
def test_fewer_than_two_sources_have_no_ranking(scores: list[float | None]) -> None:
    measured = [0.5, 0.6][: len(scores)]
    assert rank_correlation(scores, measured) is None
    assert regret(scores, measured) is None


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([1, 3, 2], 0),  # it puts the best first
        ([3, 2, 1], 0.3),
        ([3, 3, 1], 0.15),  # either, as if by lot
        ([7, 7, 7], (0.3 + 0 + 0.2) / 3),
        ([2, None, 1], 0.3),  # the best was not even scored
    ],
)
def test_regret_by_hand(scores: list[float | None], expected: float) -> None:
    assert regret(scores, [0.6, 0.9, 0.7]) == pytest.approx(expected)


def test_a_first_place_that_was_not_measured_goes_to_the_next() -> None:
    assert regret([9, 2, 1], [None, 0.5, 0.75]) == 0.25
