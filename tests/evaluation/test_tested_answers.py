"""Answers on the test items, counted as those that are asked later are."""

import numpy as np
import pytest

from app.tasks.classification import Classification
from app.tasks.multi_label import MultiLabel
from app.tasks.regression import Regression
from app.traffic.counts import TESTED, AnswersSeen, answers_on_test
from worker.evaluation.tested_answers import card_of_answers


def test_classes_are_counted_and_confidence_is_calibrated() -> None:
    task = Classification(classes=("a", "b", "c"))
    logits = np.array([[2, 0, 0], [3, 0, 0], [0, 0, 4]], np.float32)
    found = answers_on_test(card_of_answers(task, logits, temperature=2.0))
    assert found is not None
    assert (found.items, found.kinds) == (3, {0: 2, 2: 1})
    sure = [np.exp(z / 2) / (np.exp(z / 2) + 2) for z in (2, 3, 4)]
    assert found.confidence == pytest.approx(sum(sure), rel=1e-6)


def test_of_several_labels_the_likeliest_counts_or_none() -> None:
    task = MultiLabel(labels=("x", "y"))
    logits = np.array([[1, 3], [-1, -2], [2, -2]], np.float32)
    found = answers_on_test(card_of_answers(task, logits))
    assert found is not None
    assert {task.answer_kinds[kind]: n for kind, n in found.kinds.items()} == {
        "y": 1,
        "x": 1,
        "(no label)": 1,
    }


def test_quantities_fall_into_ten_ranges_of_their_unit() -> None:
    task = Regression(name="price", unit="USD", mean=100.0, std=10.0)
    outputs = np.random.default_rng(0).normal(size=(10_000, 1)).astype(np.float32)
    found = answers_on_test(card_of_answers(task, outputs))
    assert found is not None
    assert found.confidence == 0
    assert sorted(found.kinds) == list(range(10))
    assert all(850 < count < 1150 for count in found.kinds.values())
    low, high = (
        AnswersSeen.of(task, [np.array([[87.0]])]),
        AnswersSeen.of(task, [np.array([[1e9]])]),
    )
    assert (low.kinds, high.kinds) == ({0: 1}, {9: 1})
    assert len(set(task.answer_kinds)) == 10
    assert task.answer_kinds[0] == "below 87.18"


def test_without_test_items_the_card_says_nothing() -> None:
    task = Classification(classes=("a", "b"))
    assert card_of_answers(task, None) == card_of_answers(task, np.empty((0, 2))) == {}
    assert TESTED in card_of_answers(task, np.ones((1, 2)))
    assert answers_on_test({"arm": "lp_ft"}) is None
