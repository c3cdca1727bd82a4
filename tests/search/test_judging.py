from math import inf, log, sqrt

import numpy as np
import pytest

from app.tasks.classification import Classification
from worker.evaluation.measures import measures_of
from worker.search.judging import by_information, by_labels, difference


def test_labels_by_hand() -> None:
    logits = np.log(np.array([[0.8, 0.2], [0.6, 0.4], [0.5, 0.5]], np.float32))
    y = np.array([0, 1, 0], np.int32)
    values, losses = by_labels(
        measures_of(Classification(classes=("a", "b"))), "accuracy", y, logits
    )
    assert values.tolist() == [1.0, 0.0, 1.0]
    assert losses == pytest.approx([-log(0.8), -log(0.4), -log(0.5)], rel=1e-6)


def test_information_needs_no_labels() -> None:
    """Sure, balanced and the same when moved: log 2. Another class by chance when moved: 0."""
    sure = np.array([[50, 0], [50, 0], [0, 50], [0, 50]], np.float32)
    values, losses = by_information(sure, sure)
    assert values.mean() == pytest.approx(log(2))
    assert losses.tolist() == [0.0] * 4
    values, _ = by_information(sure, sure[[0, 2, 1, 3]])
    assert values.mean() == pytest.approx(0, abs=1e-12)


def test_information_of_sure_logits_is_finite() -> None:
    sure = np.array([[1e4, 0], [1e4, 0]], np.float32)
    assert np.isfinite(by_information(sure, sure[:, ::-1])[0]).all()


def test_paired_difference_by_hand() -> None:
    high, low = np.array([1.0, 1.0, 0.0, 1.0]), np.array([0.0, 1.0, 0.0, 1.0])
    mean, error = difference(high, low)
    assert mean == 0.25
    assert error == pytest.approx(0.5 / sqrt(4))
    assert difference(high[:1], low[:1]) == (1.0, inf)
