"""Searches over made-up arms: who is chosen, what it costs, and that it can stop anywhere."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.spec.forecast import SEARCH_OVER_TRAINING
from app.spec.training import Space, Training
from tests.search.arms import SUPERVISED, Arms, candidates, costs
from worker.search.candidates import Costs
from worker.search.evaluations import Result
from worker.search.ledger import Task
from worker.search.search import search
from worker.search.standing import Standing, is_clearly_behind

ALL = Space(learning_rate=True, weight_decay=True, epochs=True)

BEST = dict.fromkeys(SUPERVISED, 0.6) | {"co_tuning": 0.9}


def test_a_clearly_better_arm_is_found_under_noise() -> None:
    chosen = Counter(
        search(
            candidates(*SUPERVISED), Arms(BEST, 30, seed).evaluate, costs(), folds=3, seeds=5
        ).chosen.name
        for seed in range(200)
    )
    assert chosen["co_tuning"] >= 190


def test_equal_arms_leave_the_first() -> None:
    def evaluate(task: Task) -> Result:
        return Result(values=(1.0, 0.0, 1.0), losses=(0.5,) * 3, cost=1.0, seconds=1.0)

    outcome = search(candidates(*SUPERVISED), evaluate, costs(), folds=3, seeds=5)
    assert outcome.chosen.name == "lp_ft"


def test_the_first_is_preferred_within_a_standard_error() -> None:
    """One item more of 3 is no evidence, all of 8 are."""
    few = {"lp_ft": (1.0, 0.0, 0.0), "fine_tune": (1.0, 1.0, 0.0)}
    many = {"lp_ft": (0.0,) * 8, "fine_tune": (1.0,) * 8}
    chosen = []
    for values in (few, many):

        def evaluate(task: Task, values: dict[str, tuple[float, ...]] = values) -> Result:
            return Result(
                values=values[task.candidate.name],
                losses=(0.0,) * len(values["lp_ft"]),
                cost=1.0,
                seconds=1.0,
            )

        field = candidates("lp_ft", "fine_tune")
        chosen.append(search(field, evaluate, costs(), folds=1, seeds=5))
    assert [each.chosen.name for each in chosen] == ["lp_ft", "fine_tune"]
    first, second = chosen
    why = "0.333 ± 0.333 ahead of lp_ft: within noise"
    assert first.tried[1].dropped == why
    assert f"; fine_tune was {why}; 2 evaluations" in first.reason
    assert second.tried[0].dropped == "1.000 ± 0.000 behind fine_tune"
    assert second.reason.startswith(
        "fine_tune: score 1.000 on 8 held-out items; lp_ft was 1.000 ± 0.000 behind fine_tune"
    )


def test_the_metric_decides_and_the_loss_breaks_ties_alone() -> None:
    """An overfitted head is right more often and its loss is high: it is overconfident."""
    losses = {"lp_ft": 0.9, "fine_tune": 0.5}
    chosen = []
    for better in ("lp_ft", None):

        def evaluate(task: Task, better: str | None = better) -> Result:
            name = task.candidate.name
            values = (1.0, 0.0, 1.0, float(name == better))
            return Result(values=values, losses=(losses[name],) * 4, cost=1.0, seconds=1.0)

        outcome = search(candidates(*losses), evaluate, costs(), folds=1, seeds=5)
        chosen.append(outcome.chosen.name)
    assert chosen == ["lp_ft", "fine_tune"]


def test_where_there_is_room_all_are_trained_in_full() -> None:
    arms = Arms(BEST)
    search(candidates(*SUPERVISED), arms.evaluate, costs(), folds=1, seeds=5)
    assert [task.candidate.epochs for task in arms.tasks] == [None] * 5


def test_without_room_all_are_looked_at_for_fewer_epochs() -> None:
    arms = Arms(BEST, items=2000)
    outcome = search(candidates(*SUPERVISED), arms.evaluate, costs(), folds=3, seeds=2)
    epochs = [task.candidate.epochs for task in arms.tasks]
    assert epochs == [5] * 5 + [None] * 2
    assert {each.strategy for each in outcome.tried if each.rung == 0} == {*SUPERVISED}
    assert "co_tuning" in {each.strategy for each in outcome.tried if each.rung == 1}
    assert outcome.chosen.name == "co_tuning"
    dropped = [each.dropped for each in outcome.tried if each.rung == 0 and each.dropped]
    assert len(dropped) == 3
    assert all("behind co_tuning" in why for why in dropped)


@pytest.mark.parametrize(("seeds", "share"), [(1, 0.25), (5, 1.0)])
def test_none_is_dropped_before_it_was_looked_at(seeds: int, share: float) -> None:
    arms = Arms(BEST, items=2000)
    outcome = search(candidates(*SUPERVISED), arms.evaluate, costs(), folds=3, seeds=seeds)
    looked = {each.strategy: each.share for each in outcome.tried if each.rung == 0 or share == 1}
    assert looked == dict.fromkeys(SUPERVISED, share)
    assert outcome.chosen.name == "co_tuning"


def test_of_equals_one_is_called_worse_no_more_often_than_stated() -> None:
    rng = np.random.default_rng(0)
    lost = 0
    for _ in range(1000):
        one, other = (
            Standing(
                candidates("lp_ft")[0],
                rung=1,
                share=1.0,
                results=[Result(values=tuple(right), losses=(0.0,) * 60, cost=1.0, seconds=1.0)],
            )
            for right in (rng.random((2, 60)) < 0.7).astype(float)
        )
        lost += is_clearly_behind(one, other, error=0.05)
    assert 20 <= lost <= 65  # 50 are expected, with a deviation of 7


def test_one_strategy_is_not_tried() -> None:
    outcome = search(candidates("lp_ft"), Arms(BEST).evaluate, costs(), folds=3, seeds=5)
    assert outcome.chosen.name == "lp_ft"
    assert outcome.tried == ()
    assert outcome.trainings == 0


def test_without_room_for_two_the_first_is_taken() -> None:
    tiny = Costs(Training(epochs=1, batch_size=100), items=100, fold_items=67)
    outcome = search(candidates(*SUPERVISED), Arms(BEST).evaluate, tiny, folds=3, seeds=1)
    assert outcome.chosen.name == "lp_ft"
    assert {each.dropped for each in outcome.tried} == {"no room in the budget for it on rung 0"}


@settings(max_examples=150, deadline=None)
@given(
    names=st.lists(
        st.sampled_from([*SUPERVISED, "linear_probe", "multi_task"]), min_size=1, unique=True
    ),
    items=st.integers(4, 5000),
    epochs=st.integers(1, 100),
    batch_size=st.sampled_from([1, 16, 64, 1000]),
    folds=st.integers(1, 3),
    seeds=st.integers(1, 20),
    space=st.sampled_from([Space(), Space(learning_rate=True), ALL]),
    seed=st.integers(0, 100),
)
def test_the_search_stays_in_its_budget(
    names: list[str],
    items: int,
    epochs: int,
    batch_size: int,
    folds: int,
    seeds: int,
    space: Space,
    seed: int,
) -> None:
    cost = costs(items, Training(epochs=epochs, batch_size=batch_size))
    accuracy = {name: 0.5 + 0.05 * place for place, name in enumerate(sorted(names))}
    evaluate = Arms(accuracy, 10, seed, cost).evaluate
    field = candidates(*names)
    outcome = search(field, evaluate, cost, folds=folds, seeds=seeds, space=space, seed=seed)
    one = cost.of_trial(next(each for each in field if each.name == outcome.chosen.name))
    assert outcome.trainings * one <= SEARCH_OVER_TRAINING * seeds * max(one, cost.of_epochs) + 1e-6
