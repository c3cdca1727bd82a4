"""Better features score higher; what cannot be scored is None, and nothing is NaN."""

from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from worker.evaluation import transferability
from worker.evaluation.transferability import SCORES, knn_accuracy, probe_accuracy, scores


def domain(
    apart: float, n: int = 200, d: int = 20, classes: int = 4, seed: int = 0
) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.float32]]:
    """Features and probabilities whose classes lie the further from each other, the larger
    `apart`."""
    random = np.random.default_rng(seed)
    y = np.arange(n) % classes
    features = random.normal(size=(n, d))
    features[np.arange(n), y] += apart
    logits = np.exp(features[:, : classes + 1])
    probabilities = logits / logits.sum(axis=1, keepdims=True)
    return features.astype(np.float32), y, probabilities.astype(np.float32)


@cache
def scored(apart: float) -> dict[str, float]:
    found = scores(*domain(apart), seed=0)
    assert set(found) == set(SCORES)
    return {name: value for name, value in found.items() if value is not None}


@pytest.mark.parametrize("name", SCORES)
def test_the_better_the_classes_separate_the_higher_the_score(name: str) -> None:
    found = [scored(apart)[name] for apart in (0, 1.5, 3, 6)]
    assert found == sorted(found)
    assert len(set(found)) == 4


def test_accuracies_of_features_that_tell_all_and_nothing() -> None:
    features, y, _ = domain(20, d=4)
    assert knn_accuracy(features, y, 5, seed=0) == 1
    assert probe_accuracy(features, y, 5, seed=0) == 1
    nothing, y, _ = domain(0, n=1000)
    assert knn_accuracy(nothing, y, 5, seed=0) == pytest.approx(0.25, abs=0.05)
    assert probe_accuracy(nothing, y, 5, seed=0) == pytest.approx(0.25, abs=0.05)


def test_a_class_of_two_items_leaves_two_folds() -> None:
    features = np.array([[0.0], [0.1], [9.0], [9.1]], np.float32)
    y = np.array([3, 3, 8, 8])
    # Of two neighbours, one of each class, the smaller label wins: half of the items are right.
    assert knn_accuracy(features, y, 5, seed=0) == 0.5
    assert probe_accuracy(features, y, 5, seed=0) == 1


def test_one_class_has_no_scores() -> None:
    features, y, probabilities = domain(1)
    assert set(scores(features, 0 * y, probabilities, 0).values()) == {None}


def test_a_class_of_one_item_has_no_cross_validation() -> None:
    features, y, probabilities = domain(1)
    y[0] = 9
    found = scores(features, y, probabilities, 0)
    assert [name for name in SCORES if found[name] is None] == ["knn", "probe"]


def test_without_probabilities_there_is_no_leep() -> None:
    features, y, _ = domain(1)
    found = scores(features, y, None, 0)
    assert [name for name in SCORES if found[name] is None] == ["leep"]


@pytest.mark.parametrize("fill", [0.0, 3.0, np.nan, np.inf])
def test_features_that_say_nothing_have_leep_alone(fill: float) -> None:
    features, y, probabilities = domain(1)
    found = scores(np.full_like(features, fill), y, probabilities, 0)
    assert [name for name in SCORES if found[name] is not None] == ["leep"]


@pytest.mark.parametrize(
    ("n", "d", "classes", "scale"),
    [
        (2, 1, 2, 1),
        (3, 50, 3, 1),
        (4, 3, 2, 1),
        (20, 500, 10, 1),
        (200, 4, 100, 1),
        (50, 8, 2, 1e37),
        (50, 8, 2, 1e-44),
    ],
)
@pytest.mark.parametrize("odd", ["", "constant columns", "equal columns", "equal items"])
def test_odd_data_are_scored_with_finite_numbers(
    n: int, d: int, classes: int, scale: float, odd: str
) -> None:
    random = np.random.default_rng(0)
    features, y = random.normal(size=(n, d)), np.arange(n) % classes
    match odd:
        case "constant columns":
            features[:, 1:] = 7
        case "equal columns":
            features[:] = features[:, :1]
        case "equal items":
            features[1:-1] = features[0]
    probabilities = np.eye(3)[random.integers(0, 2, n)]  # zeros and ones, and an unused class
    found = scores((scale * features).astype(np.float32), y, probabilities.astype(np.float32), 0)
    assert all(value is None or np.isfinite(value) for value in found.values())
    assert None not in (found["leep"], found["logme"], found["h_score"])


def test_of_many_items_some_are_drawn_by_the_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    features, y, probabilities = domain(2, n=400)
    y[:2] = 9  # a rare class keeps its two items
    monkeypatch.setattr(transferability, "ITEMS", 100)
    one, again, other = (scores(features, y, probabilities, seed) for seed in (0, 0, 1))
    assert one == again
    assert one["logme"] != other["logme"]
    assert None not in one.values()
    assert one["probe"] == pytest.approx(scored(2)["probe"], abs=0.2)
