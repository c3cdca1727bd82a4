"""Chance and the figure of always answering the commonest class, by hand."""

from dataclasses import replace

import numpy as np
import pytest

from app.spec.report import Report
from app.tasks.classification import Classification
from tests.evaluation.made_up import COUNTS, TASK, arm, logits, spec, trial
from worker.evaluation.measures.classification import level_of
from worker.evaluation.measures.contract import Level
from worker.evaluation.report import build_report

UNEQUAL = np.repeat([0, 1, 2], [60, 30, 10])  # and no item of d


def unequal(
    fine_tune: np.ndarray, scratch: np.ndarray, metric: str = "accuracy", seeds: int = 2
) -> Report:
    """Predicted classes (100,), the same with every seed."""
    trials = [
        trial(name, seed, 0, y_test=UNEQUAL, logits_test=np.eye(4)[predicted])
        for name, predicted in (("fine_tune", fine_tune), ("scratch", scratch))
        for seed in range(seeds)
    ]
    return build_report(spec(seeds=seeds, primary_metric=metric), trials, TASK, COUNTS)


def test_the_level_is_the_better_of_guessing_and_the_commonest_class() -> None:
    accuracy = level_of(UNEQUAL, 4)
    assert accuracy.score == pytest.approx(0.6)
    assert accuracy.error == pytest.approx(np.sqrt(0.6 * 0.4 / 100))
    # a third, over the three classes that have items; (1/3)² (1/60 + 1/30 + 1/10) = 1/60
    balanced = level_of(UNEQUAL, 4, "balanced_accuracy")
    assert balanced.score == pytest.approx(1 / 3)
    assert balanced.error == pytest.approx(np.sqrt(1 / 60 * 1 / 3 * 2 / 3))
    # 8 of 40 items are of the commonest of 5 classes alike: guessing is as good
    assert level_of(np.arange(40) % 5, 5).score == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("value", "standing"),
    [(0.166, "above"), (0.164, "at"), (0.265, "above"), (0.036, "at"), (0.03, "below")],
)
def test_noise_is_neither_above_nor_below(value: float, standing: str) -> None:
    assert Level(0.1, 0.04).standing(value) == standing  # 0.1 ± 0.0658


def test_what_the_constant_answer_scores() -> None:
    reference = unequal(UNEQUAL, UNEQUAL).reference
    assert reference is not None
    assert (reference.chance, reference.majority_class) == (0.25, "a")
    assert reference.majority["accuracy"] == pytest.approx(0.6)
    assert reference.majority["balanced_accuracy"] == pytest.approx(1 / 3)
    assert reference.majority["f1_macro"] == pytest.approx(2 * 0.6 / 1.6 / 3)  # precision .6
    assert reference.is_unequal
    assert reference.not_above == []


@pytest.mark.parametrize(("rarest", "is_unequal"), [(20, True), (21, False)])
def test_classes_are_unequal_from_three_to_two(rarest: int, is_unequal: bool) -> None:
    y = np.repeat([0, 1, 2, 3], [30, 30, 30, rarest])
    trials = arm("fine_tune", [0, 0], y_test=y, logits_test=logits(y, 0.9, 0))
    reference = build_report(spec(seeds=2), trials, TASK, COUNTS).reference
    assert reference is not None
    assert reference.is_unequal is is_unequal


def test_a_winner_that_always_answers_the_commonest_class_has_learnt_nothing() -> None:
    """By accuracy it beats a baseline that is worse still."""
    always = np.zeros(100, np.int64)
    worse = np.where(np.arange(100) < 20, 1, 0)
    report = unequal(always, worse)
    gain = report.arms["fine_tune"].gain
    assert gain is not None
    assert gain.mean == pytest.approx(0.2)
    assert report.verdict == "no_evidence"
    assert not report.is_proven
    first, *_ = report.reason.split(". ")
    assert first == (
        "fine_tune and scratch are no better than always answering a (accuracy 0.6000 and 0.4000; "
        "guessing has 0.2500, always answering a 0.6000)"
    )
    assert "balanced accuracy: fine_tune 0.3333 (accuracy 0.6000), scratch" in report.reason
    assert "always answering a has 0.3333 (accuracy 0.6000)" in report.reason


def test_another_primary_metric_is_held_against_balanced_accuracy() -> None:
    """Half of each class right: accuracy 0.5 is below the constant's 0.6, balanced accuracy is
    above its third."""
    half = np.where(np.arange(100) % 2, UNEQUAL, (UNEQUAL + 1) % 3)
    by_accuracy, balanced = unequal(half, half), unequal(half, half, "balanced_accuracy")
    assert by_accuracy.reference is not None
    assert balanced.reference is not None
    assert by_accuracy.reference.not_above == ["scratch", "fine_tune"]
    assert balanced.reference.not_above == []  # 1/3 + 1.645 √(1/60 · 2/9) = 0.433


def test_a_test_set_of_one_class_shows_nothing() -> None:
    y = np.zeros(50, np.int64)
    trials = [
        *arm("scratch", [0, 0], y_test=y, logits_test=logits(y, 0.5, 0)),
        *arm("fine_tune", [0, 0], y_test=y, logits_test=logits(y, 1, 0)),
    ]
    report = build_report(spec(seeds=2), trials, TASK, COUNTS)
    assert report.verdict == "no_evidence"
    assert "not above chance" in report.reason


def test_below_chance_stands_in_the_first_sentence_and_equal_is_equal() -> None:
    report = build_report(
        spec(seeds=2), [*arm("scratch", [0, 0]), *arm("fine_tune", [0, 0])], TASK, COUNTS
    )
    assert report.reason.startswith("fine_tune and scratch are below chance (accuracy 0.0000 and")
    assert "fine_tune equals scratch in accuracy, 95 % interval" in report.reason
    assert "by 0.0000" not in report.reason


def test_a_gain_that_rounds_to_nothing_is_not_said_to_lie_above() -> None:
    y = np.arange(40_000) % 4
    scratch = logits(y, 0.5, 0)
    better = scratch.copy()
    first_wrong = int(np.flatnonzero(scratch.argmax(1) != y)[0])
    better[first_wrong] = 2 * np.eye(4)[y[first_wrong]]  # one item of 40 000: 0.000025
    trials = [
        *arm("scratch", [0, 0], y_test=y, logits_test=scratch),
        *arm("fine_tune", [0, 0], y_test=y, logits_test=better),
    ]
    report = build_report(spec(seeds=2), trials, TASK, COUNTS)
    gain = report.arms["fine_tune"].gain
    assert gain is not None
    assert gain.mean == pytest.approx(0.000025)
    assert report.reason.startswith("fine_tune equals scratch in accuracy to four decimals")


def test_other_arms_at_chance_are_warned_of() -> None:
    trials = [
        *arm("scratch", [0.5, 0.5]),
        *arm("fine_tune", [0.7, 0.7], validation=0.9),
        *arm("lp_ft", [0.26, 0.24]),
    ]
    report = build_report(spec(("fine_tune", "lp_ft"), seeds=2), trials, TASK, COUNTS)
    assert "no better than an answer that looks at no item: lp_ft" in report.warnings
    assert "chance" not in report.reason


def test_without_labelled_test_items_there_is_no_reference() -> None:
    report = build_report(spec(seeds=1), [], TASK, COUNTS)
    assert report.reference is None


def test_chance_is_that_of_the_metric_beside_it() -> None:
    """Of ten items one is a b: an order at random has an average precision of 0.1 and an AUC of
    1/2, guessing an accuracy of 1/2, whichever metric decides the job."""
    y = np.repeat([0, 1], [90, 10])
    for metric in ("accuracy", "average_precision"):
        trials = [
            replace(each, y_test=y, logits_test=np.eye(2)[y], y_validation=None)
            for each in arm("fine_tune", [0, 0])
        ]
        two = Classification(classes=("a", "b"))
        report = build_report(spec(seeds=2, primary_metric=metric), trials, two, (9, 1))
        assert report.chance_of("accuracy") == report.chance_of("auc") == 0.5
        assert report.chance_of("average_precision") == pytest.approx(0.1)
        assert report.chance_of("f1_macro") is None


def test_what_is_better_but_within_noise_is_said_so() -> None:
    """3 of 5 are of the commonest class; 4 of 5 are no more than luck brings."""
    y = np.array([0, 0, 0, 1, 2])
    trials = [
        trial(name, seed, 0, y_test=y, logits_test=np.eye(4)[[0, 0, 0, 1, 1]])
        for name in ("fine_tune", "scratch")
        for seed in range(2)
    ]
    reason = build_report(spec(seeds=2), trials, TASK, COUNTS).reason
    assert "no better than always answering a by more than the noise of 5 test items (" in reason


def test_few_items_of_a_class_are_warned_of_where_they_weigh_as_much_as_many() -> None:
    y = np.repeat([0, 1, 2, 3], [200, 100, 4, 1])
    trials = arm("fine_tune", [0, 0], y_test=y, logits_test=logits(y, 0.9, 0))
    rough = "classes with fewer than 5 test items weigh as much as the others by auc: c (4), d (1)"
    for metric, is_said in (("auc", True), ("accuracy", False)):
        report = build_report(spec(seeds=2, primary_metric=metric), trials, TASK, COUNTS)
        assert any(each.startswith(rough) for each in report.warnings) is is_said
