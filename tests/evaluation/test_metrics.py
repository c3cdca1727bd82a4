"""Metrics against values worked out by hand, and against scikit-learn."""

import numpy as np
import pytest
from sklearn import metrics as sklearn

from worker.evaluation.metrics import (
    ClassCounts,
    classification_metrics,
    confusion,
    metrics_from_counts,
)


def test_values_worked_out_by_hand() -> None:
    y = np.array([0, 0, 1])
    logits = np.log(np.array([[0.5, 0.5], [0.2, 0.8], [0.25, 0.75]]))
    logits[0, 0] += 1e-12  # a tie, broken towards the truth
    got = classification_metrics(y, logits)
    # Predictions 0, 1, 1. Class 0: precision 1, recall 1/2. Class 1: precision 1/2, recall 1.
    assert got["loss"] == pytest.approx((np.log(2) + np.log(5) + np.log(4 / 3)) / 3)
    assert got["accuracy"] == pytest.approx(2 / 3)
    assert got["precision_macro"] == pytest.approx(3 / 4)
    assert got["recall_macro"] == pytest.approx(3 / 4)
    assert got["f1_macro"] == pytest.approx(2 / 3)
    assert got["balanced_accuracy"] == pytest.approx(3 / 4)
    # Bins 8, 12 and 12 of 15 (upper edges 0.533, 0.8 and 0.8): |1-.5|/3 + |(0+1)-(.8+.75)|/3
    assert got["ece"] == pytest.approx((0.5 + 0.55) / 3)
    assert confusion(y, np.array([0, 1, 1]), 2).tolist() == [[1, 1], [0, 1]]


# 6 classes; of the labels some are absent, of the predictions others
@pytest.mark.parametrize("absent", [(), (2,), (0, 5)])
@pytest.mark.parametrize("never_predicted", [(), (3,), (0, 1)])
@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true:UserWarning")
def test_agrees_with_scikit_learn(
    absent: tuple[int, ...], never_predicted: tuple[int, ...]
) -> None:
    random = np.random.default_rng(0)
    y = random.choice(np.setdiff1d(np.arange(6), absent), 40)
    logits = random.normal(size=(40, 6)).astype(np.float32)
    logits[:, never_predicted] = -9
    predicted = logits.argmax(axis=1)
    got = classification_metrics(y, logits)
    for name, score in (
        ("precision_macro", sklearn.precision_score),
        ("recall_macro", sklearn.recall_score),
        ("f1_macro", sklearn.f1_score),
    ):
        wanted = score(y, predicted, average="macro", zero_division=0)
        assert got[name] == pytest.approx(wanted), name
    assert got["accuracy"] == pytest.approx(sklearn.accuracy_score(y, predicted))
    wanted = sklearn.balanced_accuracy_score(y, predicted)
    assert got["balanced_accuracy"] == pytest.approx(wanted)
    probabilities = np.exp(logits.astype(np.float64))
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    assert got["loss"] == pytest.approx(sklearn.log_loss(y, probabilities, labels=range(6)))
    assert (
        confusion(y, predicted, 6) == sklearn.confusion_matrix(y, predicted, labels=range(6))
    ).all()


def test_running_sums_give_the_same() -> None:
    random = np.random.default_rng(1)
    y, logits = random.integers(0, 4, 100), random.normal(size=(100, 4))
    whole = classification_metrics(y, logits)
    parts = [ClassCounts.of(y[i::3], logits[i::3].argmax(axis=1), 4) for i in range(3)]
    counts = ClassCounts(*np.sum(parts, axis=0))
    assert metrics_from_counts(counts, whole["loss"] * 100, 100) == pytest.approx(
        {name: value for name, value in whole.items() if name != "ece"}
    )


def test_large_logits_do_not_overflow() -> None:
    got = classification_metrics(np.array([0, 1]), np.array([[3e4, -3e4], [3e4, -3e4]], np.float32))
    assert got["loss"] == pytest.approx(3e4)
    assert got["accuracy"] == 0.5


def test_no_items_and_a_label_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 1 item"):
        metrics_from_counts(ClassCounts(*np.zeros((3, 2), np.int64)), 0.0, 0)
    with pytest.raises((ValueError, IndexError)):
        classification_metrics(np.array([2]), np.zeros((1, 2)))
