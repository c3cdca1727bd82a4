"""Counts of the hot path: each request once, and no more memory than is said."""

import numpy as np

from app.prediction.schemas import PredictionWarning
from app.traffic.tally import KEPT, KEPT_ITEMS, Tallies, Tally

ONE = np.array([[0.2, 0.8]], np.float32)
DOUBT = PredictionWarning(code="out_of_range", detail="", pointer="#")


def ask(tally: Tally, times: int, answers: np.ndarray = ONE) -> None:
    for _ in range(times):
        tally.answered(answers)
        tally.warned((DOUBT,))
        tally.ended(200, 0.001)


def test_what_is_taken_is_not_taken_again() -> None:
    tally = Tally()
    ask(tally, 3)
    tally.ended(422, 0.001)
    tally.ended(500, 0.1)
    taken = tally.take()
    assert (taken.requests, taken.items, sum(taken.latency.values())) == (5, 3, 3)
    assert taken.errors == {422: 1, 500: 1}
    assert taken.warned == {"out_of_range": 3}
    assert len(taken.answers) == 3
    assert not tally.has_more

    tally.ended(422, 0.001)
    taken = tally.take()
    assert (taken.requests, taken.items, taken.errors, taken.warned) == (1, 0, {422: 1}, {})
    assert taken.answers == []


def test_under_load_one_request_in_many_is_looked_at() -> None:
    tally = Tally()
    ask(tally, 10 * KEPT)
    assert len(tally.take().answers) == KEPT
    ask(tally, 10 * KEPT)  # from now on every tenth
    taken = tally.take()
    assert len(taken.answers) == KEPT
    assert taken.requests == taken.items == 10 * KEPT
    ask(tally, 5)
    tally.take()
    ask(tally, 5)
    assert len(tally.take().answers) == 5


def test_a_large_request_leaves_no_more_than_some_items_from_all_over_it() -> None:
    answers = np.arange(2000, dtype=np.float32).reshape(1000, 2)
    tally = Tally()
    tally.answered(answers)
    (kept,) = tally.take().answers
    assert len(kept) <= KEPT_ITEMS
    assert kept.base is None  # the others can go
    assert kept[0, 0] == 0
    assert kept[-1, 0] > 1900


def test_models_under_names_are_told_apart() -> None:
    tallies = Tallies()
    a = tallies.of("default", "pets", "mdl_a")
    assert tallies.of("default", "pets", "mdl_a") is a
    others = [("default", "pets", "mdl_b"), ("default", "x", "mdl_a"), ("theirs", "pets", "mdl_a")]
    assert len({id(tallies.of(*key)) for key in others} | {id(a)}) == 4
    assert [key.model_id for key, tally in tallies.all() if tally is a] == ["mdl_a"]
