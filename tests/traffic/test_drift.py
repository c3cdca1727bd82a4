"""No alarm by chance, from few items or from many, and one where the answers are others."""

import numpy as np
import pytest

from app.tasks.classification import Classification
from app.traffic.counts import AnswersSeen
from app.traffic.drift import FALSE_ALARMS, FEWEST, LEAST, of_confidence, of_kinds

LOOKS = 1000


def drawn(rng: np.random.Generator, shares: np.ndarray, items: int) -> AnswersSeen:
    counts = rng.multinomial(items, shares)
    confidence = items * 0.71 + float(rng.normal(0, 0.16)) * items**0.5  # of a beta (5, 2)
    kinds = {kind: int(count) for kind, count in enumerate(counts) if count}
    return AnswersSeen(items=items, kinds=kinds, confidence=confidence)


@pytest.mark.parametrize("kinds", [2, 10, 100])
@pytest.mark.parametrize("items", [(50, 50), (60, 2000), (400, 300), (5000, 1000)])
@pytest.mark.parametrize("is_uneven", [False, True])
def test_chance_raises_the_alarm_less_than_once_in_a_thousand_looks(
    kinds: int, items: tuple[int, int], is_uneven: bool
) -> None:
    rng = np.random.default_rng(1)
    weights = 0.5 ** np.arange(kinds) if is_uneven else np.ones(kinds)
    shares = weights / weights.sum()
    pairs = [[drawn(rng, shares, of) for of in items] for _ in range(LOOKS)]
    alarms = [
        (of_kinds(*pair).standing == "drifted", of_confidence(*pair).standing == "drifted")
        for pair in pairs
    ]
    assert all(count <= FALSE_ALARMS * LOOKS for count in np.sum(alarms, axis=0))


def test_a_change_that_matters_is_seen() -> None:
    rng = np.random.default_rng(2)
    then = drawn(rng, np.array([0.18, 0.82]), 1000)
    seen = [
        of_kinds(drawn(rng, np.array([0.41, 0.59]), 300), then).standing == "drifted"
        for _ in range(200)
    ]
    assert np.mean(seen) > 0.95


def test_of_few_items_nothing_is_said() -> None:
    few = AnswersSeen(items=FEWEST - 1, kinds={0: FEWEST - 1}, confidence=20.0)
    then = AnswersSeen(items=1000, kinds={1: 1000}, confidence=900.0)
    assert of_kinds(few, then).value == 1
    for pair in ((few, then), (then, few)):
        assert of_kinds(*pair).standing == of_confidence(*pair).standing == "too_few"


def test_a_small_difference_is_no_concern_however_sure_it_is() -> None:
    million = 10**6
    then = AnswersSeen(items=million, kinds={0: 500_000, 1: 500_000}, confidence=0.8 * million)
    now = AnswersSeen(items=million, kinds={0: 590_000, 1: 410_000}, confidence=0.71 * million)
    assert of_kinds(now, then).value == pytest.approx(0.09)
    assert of_kinds(now, then).limit == LEAST
    assert of_kinds(now, then).standing == of_confidence(now, then).standing == "same"


def test_the_distance_by_hand() -> None:
    then = AnswersSeen(items=100, kinds={0: 50, 1: 50}, confidence=90.0)
    now = AnswersSeen(items=200, kinds={0: 40, 2: 160}, confidence=100.0)
    assert of_kinds(now, then).value == pytest.approx((0.3 + 0.5 + 0.8) / 2)
    assert of_confidence(now, then).value == pytest.approx(0.4)


def test_answers_of_another_width_are_not_counted() -> None:
    task = Classification(classes=("a", "b"))
    own = np.array([[0.9, 0.1], [0.2, 0.8]], np.float32)
    seen = AnswersSeen.of(task, [own, np.ones((3, 5), np.float32)])
    assert (seen.items, seen.kinds) == (2, {0: 1, 1: 1})
    assert seen.confidence == pytest.approx(1.7)
