"""What a classification's measures make of logits; the mathematics have tests of their own."""

import numpy as np
import pytest

from app.tasks.classification import Classification
from worker.evaluation.measures import measures_of
from worker.evaluation.measures.classification import ClassMeasures

MEASURES = ClassMeasures(Classification(classes=("a", "b", "c")))
Y = np.array([0, 0, 1, 2], np.int32)
LOGITS = np.log(np.array([[8, 1, 1], [1, 8, 1], [1, 8, 1], [1, 1, 8]], np.float32) / 10)


def test_the_task_has_its_measures() -> None:
    assert measures_of(MEASURES.task) == MEASURES


def test_every_metric_is_one_that_the_task_knows() -> None:
    found = MEASURES.measure(Y, LOGITS)
    assert found.keys() == MEASURES.task.metrics.keys()
    assert found["accuracy"] == 0.75
    assert MEASURES.answers(LOGITS).tolist() == [0, 1, 1, 2]


@pytest.mark.parametrize("metric", Classification.primary)
def test_the_mean_of_the_item_values_is_the_metric(metric: str) -> None:
    values = MEASURES.item_values(Y, LOGITS, metric)
    assert values.mean() == pytest.approx(MEASURES.measure(Y, LOGITS)[metric])


def test_the_mean_of_the_item_losses_is_the_loss() -> None:
    losses = MEASURES.item_losses(Y, LOGITS)
    assert losses == pytest.approx([-np.log(0.8), -np.log(0.1), -np.log(0.8), -np.log(0.8)])
    assert losses.mean() == pytest.approx(MEASURES.measure(Y, LOGITS)["loss"])


def test_the_bootstrap_is_of_the_predicted_classes() -> None:
    right = np.eye(3, dtype=np.float32)[Y]
    gains = MEASURES.resample(Y, [right], [LOGITS], "accuracy", 0)
    assert gains.min() >= 0
    assert gains.mean() == pytest.approx(0.25, abs=0.02)


def test_classes_are_the_strata() -> None:
    codes = MEASURES.strata(Y, 0)
    assert codes.dtype == np.int64
    assert codes.tolist() == Y.tolist()


def test_the_constant_is_the_commonest_class() -> None:
    constant = MEASURES.constant(Y, "accuracy")
    assert (constant.answer, constant.scores["accuracy"], constant.guessing) == ("a", 0.5, 1 / 3)
    assert constant.is_unequal
    assert MEASURES.held_against("f1_macro") == "balanced_accuracy"


def test_epoch_sums_leave_items_without_labels_out() -> None:
    y, predicted = np.array([[0, 0], [1, 2]], np.int32), np.array([[0, 1], [2, 2]], np.int32)
    known = np.array([[True, False], [True, True]])
    tally = MEASURES.added(MEASURES.nothing, y, known, predicted[..., None])
    assert tally.tolist() == [[1, 0, 1], [1, 1, 1], [1, 0, 2]]  # right, true, predicted
    assert MEASURES.items(tally) == 3
    assert MEASURES.of_epoch(tally, 0.5)["accuracy"] == pytest.approx(2 / 3)
