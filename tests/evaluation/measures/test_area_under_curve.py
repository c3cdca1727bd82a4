"""The area under the ROC curve, by hand and by scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from worker.evaluation.measures.area_under_curve import area_values
from worker.evaluation.measures.class_ranks import (
    area_level,
    log_odds,
    rank_metrics,
    rank_values,
)


def test_it_is_the_share_of_pairs_in_the_right_order() -> None:
    """Ones at .9 and .4, zeros at .5 and .1: 3 of 4 pairs are in order."""
    values = area_values(np.array([1, 1, 0, 0]), np.array([0.9, 0.4, 0.5, 0.1]))
    assert values.mean() == pytest.approx(0.75)
    # components 1 and .5 of the ones, .5 and 1 of the zeros, each over its share of one half
    assert values == pytest.approx([1.25, 0.25, 0.25, 1.25])


def test_equal_scores_are_half_in_order() -> None:
    assert area_values(np.array([1, 0, 0]), np.array([0.5, 0.5, 0.1])).mean() == 0.75
    assert area_values(np.array([1, 0]), np.zeros(2)).mean() == 0.5


def test_it_is_scikit_learns_and_the_item_values_tell_its_error() -> None:
    rng = np.random.default_rng(0)
    y = (rng.random(300) < 0.3).astype(int)
    scores = np.round(rng.normal(size=300) + y, 1)  # with ties
    values = area_values(y, scores)
    assert values.mean() == pytest.approx(roc_auc_score(y, scores))
    again = [
        roc_auc_score(y[drawn], scores[drawn])
        for drawn in (rng.integers(0, 300, 300) for _ in range(500))
    ]
    assert values.std() / np.sqrt(300) == pytest.approx(np.std(again), rel=0.1)


def test_of_two_classes_the_second_and_of_more_the_mean_of_one_against_the_rest() -> None:
    rng = np.random.default_rng(1)
    for classes in (2, 4):
        y = rng.integers(0, classes, 200).astype(np.int32)
        logits = rng.normal(size=(200, classes)).astype(np.float32) + np.eye(classes)[y]
        p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        hot = np.eye(classes)[y]
        found = rank_metrics(y, logits)
        if classes == 2:
            auc, precision = roc_auc_score(y, p[:, 1]), average_precision_score(y, p[:, 1])
        else:
            auc = roc_auc_score(y, p, multi_class="ovr")
            precision = average_precision_score(hot, p, average="macro")
        assert found == pytest.approx({"auc": auc, "average_precision": precision})


@pytest.mark.parametrize("classes", [2, 3])
def test_items_that_a_network_is_sure_of_keep_their_order(classes: int) -> None:
    """Of logits 40 and more apart the probabilities are 1 to the last bit. Three of four pairs are
    in order, where four ties would be two; the first one found is right, and two of three."""
    y = np.array([0, 0, 1, 1], np.int32)
    logits = np.zeros((4, classes), np.float32)
    logits[:, 1] = [40, 60, 50, 70]
    found = rank_metrics(y, logits)
    assert found == pytest.approx({"auc": 3 / 4, "average_precision": (1 + 2 / 3) / 2})


def test_log_odds_by_hand() -> None:
    """p is 1/2, 1/4, 1/4: even odds, and 1 to 3."""
    found = log_odds(np.log([[2.0, 1.0, 1.0], [1.0, 1.0, 2.0]]).astype(np.float32))
    assert found[0] == pytest.approx([0, -np.log(3), -np.log(3)], abs=1e-6)
    assert found[1] == pytest.approx([-np.log(3), -np.log(3), 0], abs=1e-6)


def test_classes_that_no_item_or_every_item_is_of_are_left_out() -> None:
    y = np.array([0, 0, 1, 1], np.int32)
    logits = np.array([[3, 0, 9], [2, 0, 0], [0, 1, 0], [1, 1, 0]], np.float32)
    present = rank_values(y, logits, "auc")
    areas = []
    p = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    for k in (0, 1):
        areas.append(roc_auc_score(y == k, p[:, k]))
    assert present.mean() == pytest.approx(np.mean(areas))
    alone = rank_metrics(np.zeros(3, np.int32), np.eye(3))
    assert alone == {"auc": 0.5, "average_precision": 1.0}


def test_chance_is_one_half_and_its_error_the_rank_sums() -> None:
    level = area_level(np.repeat([0, 1], [90, 10]).astype(np.int32), 2)
    assert level.score == 0.5
    assert level.error == pytest.approx(np.sqrt(101 / (12 * 90 * 10)))


def test_too_many_classes_are_not_ordered() -> None:
    assert rank_metrics(np.array([0, 1], np.int32), np.zeros((2, 1001))) == {}
