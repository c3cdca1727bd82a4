"""Which labels are suspected, by hand and on two clouds of points."""

import numpy as np
import pytest

from worker.audit.confident_learning import find_suspects
from worker.audit.neighbours import NEIGHBOURS, Votes, neighbour_votes


def votes(shares: list[tuple[float, float]], y: np.ndarray) -> Votes:
    """Of two neighbours, one of each class, by the shares of the classes 0 and 1."""
    labels = np.tile(np.array([0, 1], np.int32), (len(y), 1))
    of = np.array(shares)
    return Votes(labels, of, of[np.arange(len(y)), y])


def test_it_is_as_many_of_a_class_as_the_confident_joint_says() -> None:
    """Class 0: 8 items at (.9, .1) and 4 at (.1, .9), so t_0 = (8 .9 + 4 .1) / 12 = .633. Class 1:
    10 items at (.1, .9), and 2 at (.6, .4), which are below t_0 and t_1 = .817: not confident.
    C_0 = (8, 4): of 12 items 12 * 4/12 = 4 are wrong. C_1 = (0, 10): none are."""
    y = np.repeat([0, 1], 12).astype(np.int32)
    shares = [(0.9, 0.1)] * 8 + [(0.1, 0.9)] * 4 + [(0.1, 0.9)] * 10 + [(0.6, 0.4)] * 2
    found = find_suspects(votes(shares, y), y, 2)
    assert sorted(found.items.tolist()) == [8, 9, 10, 11]
    assert found.proposed.tolist() == [1, 1, 1, 1]
    assert found.scores == pytest.approx([0.8] * 4)


def test_what_two_neighbours_dispute_is_no_suspect() -> None:
    """t_0 = (8 .9 + 2 .1 + 2 .45) / 12 = .69 and t_1 = .55, so C_0 = (8, 4) and 4 items are wrong;
    but two of these have .55 of the votes against .45."""
    y = np.repeat([0, 1], 12).astype(np.int32)
    shares = [(0.9, 0.1)] * 8 + [(0.1, 0.9)] * 2 + [(0.45, 0.55)] * 2 + [(0.45, 0.55)] * 12
    assert sorted(find_suspects(votes(shares, y), y, 2).items.tolist()) == [8, 9]


def test_a_class_with_fewer_items_than_neighbours_is_never_condemned() -> None:
    """All neighbours of its items are of the other class, as there are hardly any of its own."""
    rare = NEIGHBOURS - 1
    y = np.repeat([0, 1], [40, rare]).astype(np.int32)
    shares = [(1.0, 0.0)] * (40 + rare)
    assert len(find_suspects(votes(shares, y), y, 2)) == 0


def test_at_most_half_of_a_class_is_suspected() -> None:
    y = np.repeat([0, 1], [12, 12]).astype(np.int32)
    shares = [(0.9, 0.1)] * 2 + [(0.1, 0.9)] * 10 + [(0.1, 0.9)] * 12
    assert len(find_suspects(votes(shares, y), y, 2)) == 6


def test_neighbours_do_not_count_the_item_itself() -> None:
    """On a line: the item at 10 has only neighbours of the other class."""
    features = np.concatenate([np.arange(12), [10.1]]).astype(np.float32)[:, None]
    y = np.array([0] * 12 + [1], np.int32)
    found = neighbour_votes(features, y)
    assert found.labels.shape == (13, NEIGHBOURS)
    assert found.own[-1] == 0.0
    assert (found.labels[-1] == 0).all()
    assert found.shares[-1] == pytest.approx([1.0] * NEIGHBOURS)


def test_weights_fall_with_the_squared_distance() -> None:
    """At squared distances 1 and 4, whose mean is 2.5: exp(-.4) and exp(-1.6), over their sum."""
    features = np.array([[0.0], [1.0], [-2.0]], np.float32)
    found = neighbour_votes(features, np.array([0, 0, 1], np.int32))
    near, far = np.exp(-0.4), np.exp(-1.6)
    assert found.labels[0].tolist() == [0, 1]
    assert found.shares[0] == pytest.approx([near / (near + far), far / (near + far)])
    assert found.own[0] == pytest.approx(near / (near + far))


def test_equal_items_have_a_say_each() -> None:
    """Thirty twins: more than an item has neighbours, so that it may not be among those found."""
    y = np.repeat([0, 1], [15, 15]).astype(np.int32)
    found = neighbour_votes(np.zeros((30, 2), np.float32), y)
    assert found.labels.shape == (30, NEIGHBOURS)
    assert np.isfinite(found.shares).all()


@pytest.mark.parametrize("share", [0.0, 0.1, 0.2])
def test_flipped_labels_are_found_and_given_back(share: float) -> None:
    """Three clouds that hardly overlap."""
    rng = np.random.default_rng(0)
    truth = np.arange(600) % 3
    features = rng.normal(size=(600, 5)).astype(np.float32) + 4 * np.eye(3, 5)[truth]
    y, flipped = truth.astype(np.int32), rng.permutation(600)[: int(600 * share)]
    y[flipped] = (y[flipped] + rng.integers(1, 3, len(flipped))) % 3
    found = find_suspects(neighbour_votes(features.astype(np.float32), y), y, 3)
    if not share:
        assert len(found) <= 6
        return
    right = np.isin(found.items, flipped)
    assert right.sum() >= 0.9 * len(flipped)
    assert right.mean() >= 0.9
    assert (found.proposed == truth[found.items])[right].mean() >= 0.95
    assert (np.diff(found.scores) <= 0).all()
