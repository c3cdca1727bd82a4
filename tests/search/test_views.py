"""Which views of items are chosen, over made-up answers and with the real engine."""

from dataclasses import replace

import numpy as np
import pytest

from app.spec.outcomes import SearchOutcome
from app.spec.training import Augmentation, Space
from tests.search.arms import candidates, costs
from tests.training.trials import DOMAIN, Recorder, domain, pictures, spec, trial
from worker.search.candidates import Costs
from worker.search.evaluations import Result
from worker.search.ledger import Task
from worker.search.prior import Prior
from worker.search.run import run_search
from worker.search.search import search
from worker.training.data import Domain, cut_validation

VIEWS = Space(augmentation=True)
RIGHT = {"none": 0.7, "weak": 0.8, "strong": 0.75}


def searched(
    right: dict[str, float],
    names: tuple[str, ...] = ("lp_ft",),
    mirrored: float = 0.0,
    allowed: Costs = costs(),
    modality: str = "image",
    items: int = 200,
    folds: int = 3,
) -> tuple[SearchOutcome, list[Task]]:
    """`right`: part of the items that each augmentation gets right, `mirrored`: what that adds."""
    tasks = []

    def evaluate(task: Task) -> Result:
        tasks.append(task)
        how = task.candidate.augmentation
        share = right[how.strength if how else "none"] + (mirrored if how and how.mirror else 0)
        values = np.arange(items) < round(items * share)
        return Result(
            values=tuple(values.astype(float).tolist()),
            losses=(1.0,) * items,
            cost=allowed.of_fold(task.candidate, 1.0),
            seconds=1.0,
        )

    field = candidates(*names)
    outcome = search(
        field,
        evaluate,
        allowed,
        folds=folds,
        seeds=5,
        space=VIEWS,
        prior=Prior.of(field, modality),
        has_mirror=modality == "image",
    )
    return outcome, tasks


def test_the_best_views_are_chosen_and_the_reason_says_what_they_bring() -> None:
    outcome, _ = searched(RIGHT, mirrored=-0.1)
    assert outcome.chosen.augmentation == Augmentation(strength="weak")
    assert "augmentation weak: +0.100 ± 0.021 over none" in outcome.reason
    assert "mirrored" not in outcome.reason
    tried = {each.augmentation.words if each.augmentation else "none" for each in outcome.tried}
    assert tried == {"none", "weak", "strong", "weak, mirrored"}


def test_mirrored_is_chosen_where_held_out_items_speak_for_it() -> None:
    outcome, _ = searched(RIGHT, mirrored=0.1)
    assert outcome.chosen.augmentation == Augmentation(strength="weak", mirror=True)
    assert "mirrored +0.100 ± 0.021 over not" in outcome.reason


def test_mirrored_that_makes_no_difference_is_left() -> None:
    outcome, _ = searched(RIGHT, mirrored=0.0)
    assert outcome.chosen.augmentation == Augmentation(strength="weak")


def test_one_held_out_item_of_few_does_not_speak_for_mirrored() -> None:
    right = {"none": 0.8, "weak": 0.9, "strong": 0.75}
    outcome, tasks = searched(right, mirrored=0.1, items=16, folds=1)
    assert outcome.chosen.augmentation == Augmentation(strength="weak")
    assert any(each.candidate.views == "weak, mirrored" for each in tasks)


def test_views_of_pictures_are_taken_where_few_items_are_all_answered_alike() -> None:
    """Few labels are learnt by heart either way; it is later items that views are good for."""
    outcome, _ = searched({"none": 1.0, "weak": 1.0, "strong": 1.0}, items=16, folds=1)
    assert outcome.chosen.augmentation == Augmentation(strength="weak")
    outcome, _ = searched(
        {"none": 1.0, "weak": 1.0, "strong": 1.0}, items=16, folds=1, modality="table"
    )
    assert outcome.chosen.augmentation is None


def test_views_that_do_harm_are_left() -> None:
    outcome, tasks = searched({"none": 0.8, "weak": 0.6, "strong": 0.5})
    assert outcome.chosen.augmentation is None
    assert not any(each.candidate.augmentation == Augmentation(mirror=True) for each in tasks)


def test_tables_have_no_mirror() -> None:
    _, tasks = searched(RIGHT, modality="table")
    assert not any(
        each.candidate.augmentation and each.candidate.augmentation.mirror for each in tasks
    )


def test_the_views_of_the_first_hold_for_all_that_train_on_views() -> None:
    outcome, tasks = searched(RIGHT, ("lp_ft", "fine_tune", "linear_probe"))
    seen = {(each.candidate.name, each.candidate.views) for each in tasks}
    assert ("fine_tune", "weak") in seen
    assert ("fine_tune", "none") not in seen
    assert ("linear_probe", "none") in seen
    assert outcome.chosen.views == "weak"


def test_without_room_the_views_are_what_was_thought_best_before() -> None:
    tiny = replace(costs(), items=10, fold_items=1000)
    outcome, tasks = searched(RIGHT, allowed=tiny)
    assert tasks == []
    assert outcome.chosen.augmentation == Augmentation(strength="weak")
    assert "before any is tried" in outcome.reason
    assert "no room" in outcome.reason
    outcome, _ = searched(RIGHT, allowed=tiny, modality="table")
    assert outcome.chosen.augmentation is None


def test_all_diverge_and_the_report_says_so() -> None:
    def evaluate(task: Task) -> Result:
        return Result(cost=1.0, seconds=1.0, failure="the loss is not finite")

    field = candidates("lp_ft", "fine_tune")
    outcome = search(field, evaluate, costs(), folds=3, seeds=5, space=VIEWS)
    assert outcome.chosen.name == "lp_ft"
    assert "none could be trained: the loss is not finite" in outcome.reason


def test_what_diverged_is_not_chosen_before_what_was_not_tried() -> None:
    def evaluate(task: Task) -> Result:
        return Result(cost=1.0, seconds=5.0, failure="the loss is not finite")

    field = candidates("lp_ft", "fine_tune")
    outcome = search(field, evaluate, costs(), folds=3, seeds=5, seconds=3.0)
    assert [each.strategy for each in outcome.tried if each.folds] == ["lp_ft"]
    assert outcome.chosen.name == "fine_tune"
    assert "none that was tried could be trained: the loss is not finite" in outcome.reason


@pytest.mark.slow
def test_classes_that_mirror_each_other_are_not_mirrored() -> None:
    """As b and d: a bright column on the left, or on the right."""
    rng = np.random.default_rng(0)
    y = (np.arange(120) % 2).astype(np.int32)
    x = rng.integers(0, 90, (120, 8, 8, 1), dtype=np.uint8)
    x[y == 0, :, 1:3] += 120
    x[y == 1, :, 5:7] += 120
    whole = pictures(x, y)
    parts = (whole.select(rows) for rows in cut_validation(y, 0.1, 0))
    target = Domain(domain(classes=2, items=120).schema, *parts)
    job = spec("convnet", {"filters": [8], "dense": 16}, learning_rate=0.01, epochs=12)
    setup = replace(trial("scratch", job, target=target), source=None, source_weights=None)
    outcome = run_search(setup, (None,), Recorder(), space=VIEWS, metric="accuracy")
    assert not (outcome.chosen.augmentation and outcome.chosen.augmentation.mirror)
    assert outcome.chosen.strategy is None
    assert len(outcome.tried) >= 3


def test_with_one_item_a_class_the_views_are_what_was_thought_best_before() -> None:
    few = domain(items=3)
    none = few.train.select(np.empty(0, np.int64))
    setup = replace(
        trial("scratch", spec(epochs=4)),
        source=None,
        source_weights=None,
        target=Domain(few.schema, few.train, none),
    )
    outcome = run_search(setup, (None,), Recorder(), space=VIEWS, metric="accuracy")
    assert outcome.chosen.views == "weak"
    assert "no class has two items" in outcome.reason


def test_a_class_of_one_item_is_told_of() -> None:
    y = DOMAIN.train.y
    keep = np.flatnonzero((y != 0) | (np.arange(len(y)) == np.flatnonzero(y == 0)[0]))
    single = DOMAIN.train.select(keep)
    none = single.select(np.empty(0, np.int64))
    setup = replace(
        trial("scratch", spec(epochs=2)),
        source=None,
        source_weights=None,
        target=Domain(DOMAIN.schema, single, none),
    )
    outcome = run_search(setup, (None,), Recorder(), space=VIEWS, metric="accuracy")
    assert "1 of 3 classes has one item, which no fold holds out" in outcome.reason
