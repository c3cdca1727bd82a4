"""Searches over made-up arms: who is chosen, what it costs, and that it can stop anywhere."""

import json
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.spec.forecast import SEARCH_OVER_TRAINING
from app.spec.outcomes import SearchOutcome
from app.spec.training import Space, Training
from tests.search.arms import SUPERVISED, TRAINING, Arms, candidates, costs
from worker.search.candidates import Costs
from worker.search.evaluations import Finished, Result
from worker.search.ledger import Task
from worker.search.search import search

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


def test_the_loss_decides_where_scores_do_not() -> None:
    losses = {"lp_ft": (0.9, 1.0, 1.1, 1.0), "fine_tune": (0.5, 0.6, 0.5, 0.7)}

    def evaluate(task: Task) -> Result:
        values = (1.0, 0.0, 1.0, float(task.candidate.name == "lp_ft"))
        return Result(values=values, losses=losses[task.candidate.name], cost=1.0, seconds=1.0)

    outcome = search(candidates(*losses), evaluate, costs(), folds=1, seeds=5)
    assert outcome.chosen.name == "fine_tune"
    why = "0.250 ± 0.250 ahead of fine_tune: within noise, and its loss is 0.425 ± 0.063 higher"
    assert outcome.tried[0].dropped == why


def test_where_there_is_room_all_are_trained_in_full() -> None:
    arms = Arms(BEST)
    search(candidates(*SUPERVISED), arms.evaluate, costs(), folds=1, seeds=5)
    assert [task.candidate.epochs for task in arms.tasks] == [None] * 5


def test_without_room_the_rungs_are_shorter_and_the_worse_half_goes() -> None:
    arms = Arms(BEST, items=2000)
    outcome = search(candidates(*SUPERVISED), arms.evaluate, costs(), folds=3, seeds=5)
    epochs = [task.candidate.epochs for task in arms.tasks]
    assert set(epochs) == {5, None}
    fields = [{each.strategy for each in outcome.tried if each.rung == rung} for rung in range(2)]
    assert [len(field) for field in fields] == [5, 3]
    assert all("co_tuning" in field for field in fields)
    dropped = [each.dropped for each in outcome.tried if each.rung == 0 and each.dropped]
    assert len(dropped) == 2
    assert all("behind co_tuning" in why for why in dropped)


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


def test_a_head_that_converges_early_is_known_to_cost_less() -> None:
    """Heads of 1000 epochs at most converge in 15: 1.5 epochs beside 20 of the whole network. The
    first rung must allow for 250, the second knows better and has room for a second fold."""
    field = candidates("lp_ft", "fine_tune", "linear_probe")
    field = [
        each if each.name == "fine_tune" else each.with_params(max_epochs=1000) for each in field
    ]

    def evaluate(task: Task) -> Result:
        is_whole = task.candidate.name == "fine_tune"
        return Result(
            values=(1.0, 0.0, 0.0, 0.0) if is_whole else (1.0, 1.0, 1.0, 1.0),
            losses=(1.0,) * 4,
            cost=costs().of_fold(task.candidate, 1.0, 15),
            head=0 if is_whole else 15,
            seconds=1.0,
        )

    outcome = search(field, evaluate, costs(), folds=3, seeds=5)
    assert {(each.strategy, each.rung): each.folds for each in outcome.tried} == {
        ("lp_ft", 0): 1,
        ("fine_tune", 0): 1,
        ("linear_probe", 0): 1,
        ("lp_ft", 1): 3,
        ("linear_probe", 1): 3,
    }
    assert outcome.trainings * 21.5 <= SEARCH_OVER_TRAINING * 5 * 20


class Stopped(Exception):
    pass


@pytest.mark.parametrize("space", [Space(), ALL])
def test_stopped_anywhere_it_goes_on_to_the_same_outcome(space: Space) -> None:
    def run(finished: list[Finished], stop_after: int) -> SearchOutcome:
        arms = Arms(BEST, items=20)

        def evaluate(task: Task) -> Result:
            if len(arms.tasks) == stop_after:
                raise Stopped
            return arms.evaluate(task)

        return search(
            candidates(*SUPERVISED),
            evaluate,
            costs(),
            folds=3,
            seeds=5,
            space=space,
            seed=3,
            finished=finished,
        )

    everything: list[Finished] = []
    whole = run(everything, -1)
    assert len(everything) > 10
    for stop in range(len(everything)):
        finished: list[Finished] = []
        with pytest.raises(Stopped):
            run(finished, stop)
        stored = json.dumps([each.model_dump(mode="json") for each in finished])
        restored = [Finished.model_validate(each) for each in json.loads(stored)]
        assert run(restored, -1) == whole
        assert restored == everything


def test_the_state_of_another_search_is_refused() -> None:
    finished: list[Finished] = []
    search(
        candidates("lp_ft", "l2_sp"),
        Arms(BEST).evaluate,
        costs(),
        folds=1,
        seeds=5,
        finished=finished,
    )
    with pytest.raises(ValueError, match="expected the state of this search, with fine_tune"):
        search(
            candidates("fine_tune", "l2_sp"),
            Arms(BEST).evaluate,
            costs(),
            folds=1,
            seeds=5,
            finished=finished,
        )


def test_out_of_seconds_on_the_first_rung_the_first_is_taken() -> None:
    arms = Arms(BEST)
    outcome = search(candidates(*SUPERVISED), arms.evaluate, costs(), folds=3, seeds=5, seconds=2.0)
    assert len(arms.tasks) == 2
    assert outcome.stopped == "budget"
    assert outcome.chosen.name == "lp_ft"
    assert outcome.reason.endswith("when the seconds ended")
    assert {each.dropped for each in outcome.tried} == {"the seconds ended"}


def test_out_of_seconds_later_the_best_so_far_is_taken() -> None:
    outcome = search(
        candidates(*SUPERVISED), Arms(BEST, 500).evaluate, costs(), folds=3, seeds=5, seconds=11.0
    )
    assert outcome.stopped == "budget"
    assert outcome.chosen.name == "co_tuning"
    assert max(each.rung for each in outcome.tried if each.score is not None) == 1


def test_one_that_cannot_be_trained_is_dropped() -> None:
    arms = Arms(BEST)

    def evaluate(task: Task) -> Result:
        if task.candidate.name == "co_tuning":
            return Result(cost=1.0, seconds=1.0, failure="diverged")
        return arms.evaluate(task)

    outcome = search(candidates(*SUPERVISED), evaluate, costs(), folds=3, seeds=5)
    assert outcome.chosen.name != "co_tuning"
    assert [each.dropped for each in outcome.tried if each.strategy == "co_tuning"] == ["diverged"]


def test_when_none_can_be_trained_the_first_is_left() -> None:
    def evaluate(task: Task) -> Result:
        return Result(cost=1.0, seconds=1.0, failure="diverged")

    for space in (Space(), ALL):
        outcome = search(candidates(*SUPERVISED), evaluate, costs(), folds=3, seeds=5, space=space)
        assert outcome.chosen == candidates("lp_ft")[0]
        assert {each.dropped for each in outcome.tried} == {"diverged"}


def test_a_better_learning_rate_is_found() -> None:
    """A tenth of it costs 23 points here; the best is at 3 times the default."""

    def evaluate(task: Task) -> Result:
        rate = task.candidate.learning_rate or TRAINING.learning_rate
        right = max(0, 100 - round(20 * abs(rate / 0.003 - 1)) - 5)
        values = (1.0,) * right + (0.0,) * (100 - right)
        return Result(
            values=values,
            losses=(1.0,) * 100,
            cost=costs().of_fold(task.candidate, 1.0),
            seconds=1.0,
        )

    space = Space(learning_rate=True)
    outcome = search(candidates("fine_tune"), evaluate, costs(), folds=1, seeds=10, space=space)
    assert outcome.tried[0].learning_rate is None
    assert outcome.tried[0].score == pytest.approx(0.82)
    rate = outcome.chosen.learning_rate
    assert rate is not None
    assert 0.002 < rate < 0.004
    assert len(outcome.tried) > 10


def test_settings_make_no_difference_so_the_defaults_stay() -> None:
    def evaluate(task: Task) -> Result:
        return Result(values=(1.0, 0.0), losses=(1.0, 1.0), cost=1.0, seconds=1.0)

    outcome = search(
        candidates("lp_ft", "fine_tune"), evaluate, costs(), folds=3, seeds=5, space=ALL
    )
    assert outcome.chosen == candidates("lp_ft")[0]
    assert any(each.learning_rate for each in outcome.tried)


def test_the_outcome_is_json() -> None:
    outcome = search(
        candidates(*SUPERVISED), Arms(BEST).evaluate, costs(), folds=3, seeds=5, space=ALL
    )
    assert SearchOutcome.model_validate_json(json.dumps(outcome.model_dump(mode="json"))) == outcome


def test_progress_rises_to_no_more_than_one() -> None:
    arms = Arms(BEST)
    search(candidates(*SUPERVISED), arms.evaluate, costs(), folds=3, seeds=5, space=ALL)
    points = [point for task in arms.tasks for point in (task.begins, task.ends)]
    assert points == sorted(points)
    assert points[0] == 0
    assert points[-1] <= 1
