"""Gradient embeddings, k-means++ and what is chosen, against values computed by hand."""

import numpy as np
import pytest

from app.tasks.classification import Classification
from app.tasks.multi_label import MultiLabel
from app.tasks.regression import Regression
from worker.labelling.choice import choose
from worker.labelling.embeddings import Embeddings, embeddings_of
from worker.labelling.spread import draw, from_nearest
from worker.labelling.typical import most_typical

TWO = Classification(classes=("a", "b"))
LOG3 = np.log(3.0)


def made(vectors: Embeddings) -> np.ndarray:
    """The outer products themselves, (n, K d)."""
    products = vectors.residuals[:, :, None] * vectors.features[:, None, :]
    return products.reshape(len(vectors), -1)


def test_a_gradient_of_classes() -> None:
    """Logits (ln 3, 0): p = (3/4, 1/4), the guess is the first, so r = (-1/4, 1/4)."""
    vectors = embeddings_of(TWO, np.array([[LOG3, 0.0]]), np.array([[2.0, 0.0, 4.0]]))
    assert vectors.residuals == pytest.approx(np.array([[-0.25, 0.25]]))
    assert made(vectors)[0] == pytest.approx([-0.5, 0, -1, 0.5, 0, 1])
    assert vectors.squares == pytest.approx([2.5])


def test_a_gradient_of_several_labels() -> None:
    """p = (3/4, 1/4): the first is guessed to be there, the second not, so r = (-1/4, 1/4)."""
    task = MultiLabel(labels=("a", "b"))
    vectors = embeddings_of(task, np.array([[LOG3, -LOG3]]), np.array([[1.0]]))
    assert vectors.residuals == pytest.approx(np.array([[-0.25, 0.25]]))


def test_distances_are_those_of_the_products() -> None:
    rng = np.random.default_rng(0)
    vectors = Embeddings(rng.normal(size=(7, 3)), rng.normal(size=(7, 5)))
    wanted = ((made(vectors) - made(vectors)[2]) ** 2).sum(axis=1)
    assert vectors.distances(vectors.squares, 2) == pytest.approx(wanted)


def of_features(*rows: list[float]) -> Embeddings:
    return Embeddings(np.ones((len(rows), 1)), np.array(rows))


def test_what_is_known_already_is_never_drawn_first_and_a_far_item_always() -> None:
    """On a line at 0, 0 and 5, where 0 is known: D² = 0, 0, 25."""
    vectors = of_features([0.0], [0.0], [5.0])
    known = from_nearest(vectors, np.array([[0.0], [-9.0]]))
    assert known.tolist() == [0, 0, 25]
    drawn = draw(vectors, known, 3, np.random.default_rng(0))
    assert drawn.items[0] == 2
    assert sorted(drawn.items) == [0, 1, 2]
    assert drawn.shares.tolist() == [1, 0, 0]


def test_shares_are_by_how_much_the_sum_falls() -> None:
    """On a line at 1, 3 and 10, from 0: D² = 1, 9, 100. After 10: 1, 9, 0. After 3: 1, 0, 0."""
    vectors = of_features([1.0], [3.0], [10.0])
    shares = {}
    for seed in range(40):
        drawn = draw(vectors, vectors.squares, 3, np.random.default_rng(seed))
        shares[tuple(drawn.items)] = drawn.shares
    wanted = [100 / 110, 9 / 110, 1 / 110]
    assert shares[2, 1, 0] == pytest.approx(wanted)
    first = {seen[0] for seen in shares}
    assert first >= {1, 2}  # drawn, not only the farthest


def test_a_draw_is_in_proportion_to_the_squared_distance() -> None:
    vectors = of_features([1.0], [2.0])
    rng = np.random.default_rng(0)
    firsts = [draw(vectors, vectors.squares, 1, rng).items[0] for _ in range(2000)]
    assert np.mean(firsts) == pytest.approx(4 / 5, abs=0.03)


def test_the_same_seed_draws_the_same_items_and_no_more_than_there_are() -> None:
    vectors = of_features([1.0], [1.0], [2.0])
    one, two = (draw(vectors, vectors.squares, 9, np.random.default_rng(3)) for _ in range(2))
    assert sorted(one.items) == [0, 1, 2]
    assert one.items.tolist() == two.items.tolist()


def test_of_two_kinds_that_are_in_doubt_one_of_each_comes_first() -> None:
    """98 items that the network is sure of, and a pair of doubtful items of each of two kinds."""
    sure = np.tile([[50.0, 0.0]], (98, 1))
    outputs = np.concatenate([sure, np.zeros((4, 2))])
    features = np.ones((102, 2))
    features[98:100], features[100:] = [3.0, 0.0], [0.0, 3.0]
    for seed in range(20):
        rng = np.random.default_rng(seed)
        chosen = choose("doubtful", TWO, outputs, features, features[:0], 2, rng).items
        assert {int(item >= 100) for item in chosen} == {0, 1}
        assert min(chosen) >= 98


def test_of_a_quantity_what_is_unlike_the_labelled_items_comes_first() -> None:
    features = np.array([[0.0, 0.0], [0.0, 0.1], [7.0, 0.0]])
    task = Regression(mean=0.0, std=1.0)
    rng = np.random.default_rng(0)
    outputs, labelled = np.zeros((3, 1)), np.array([[0.0, 0.0], [0.0, 0.1]])
    assert choose("unlike", task, outputs, features, labelled, 1, rng).items.tolist() == [2]
    without = choose("unlike", task, outputs, features, labelled[:0], 3, rng).items
    assert sorted(without) == [0, 1, 2]


def heap(at: float, items: int) -> np.ndarray:
    """Items on a line around a place, the one in their middle last."""
    return np.append(np.linspace(at - 1, at + 1, items - 1), at)[:, None]


def test_the_typical_item_of_the_largest_heap_without_a_label_comes_first() -> None:
    """Heaps of 5, 9 and 7 items at 0, 100 and 200, of which that at 100 has a label."""
    features = np.concatenate([heap(0, 5), heap(100, 9), heap(200, 7)])
    drawn = most_typical(features, np.array([[100.5]]), 2, np.random.default_rng(0))
    assert drawn.items.tolist() == [20, 4]
    assert drawn.shares.tolist() == pytest.approx([7 / 21, 5 / 21])


def test_when_each_heap_has_a_label_the_next_typical_ones_follow_and_nobody_comes_twice() -> None:
    features = np.array([[0.0], [0.0], [5.0]])
    drawn = most_typical(features, features[:0], 9, np.random.default_rng(0))
    assert sorted(drawn.items) == [0, 1, 2]
    assert drawn.items[0] in {0, 1}  # of the heap of two
    assert drawn.items[1] == 2
    assert drawn.shares.tolist() == pytest.approx([2 / 3, 1 / 3, 0])
