"""Items without labels, and with labels that change."""

import numpy as np
import pytest

from app.tasks.classification import Classification
from tests.training.trials import pictures
from worker.evaluation.measures import measures_of
from worker.strategies.recipe import Batch
from worker.training import feed as feeds
from worker.training.data import Split, cut_at_random
from worker.training.feed import Feed
from worker.training.sums import Sums

MEASURES = measures_of(Classification(classes=("a", "b")))

ROWS = np.arange(10 * 4, dtype=np.uint8).reshape(10, 2, 2, 1)


def split(labels: list[int]) -> Split:
    return pictures(ROWS[: len(labels)], np.array(labels, np.int32))


def test_hidden_labels_are_not_known() -> None:
    known = split([2, 0, 1])
    hidden = known.without_labels()
    assert (known.is_labelled, hidden.is_labelled) == (True, False)
    assert hidden.known.tolist() == [False] * 3
    assert hidden.y.tolist() == [0, 0, 0]
    assert hidden.y.dtype == np.int32
    assert hidden.items is known.items
    assert known.y.tolist() == [2, 0, 1]


def test_stored_labels_of_minus_one_are_not_known() -> None:
    some = split([2, -1, 1])
    assert some.known.tolist() == [True, False, True]
    assert some.y[some.known].tolist() == [2, 1]
    assert (some.y >= 0).all()
    assert not some.is_labelled
    assert some.select([2, 0]).is_labelled


@pytest.mark.parametrize(("items", "held_out"), [(100, 10), (14, 1), (3, 1), (2, 0), (1, 0)])
def test_validation_without_labels_is_cut_at_random(items: int, held_out: int) -> None:
    train, validation = cut_at_random(items, 0.1, seed=1)
    assert len(validation) == held_out
    assert np.array_equal(np.sort(np.concatenate([train, validation])), np.arange(items))
    for part in (train, validation):
        assert np.array_equal(part, np.sort(part))


def test_the_cut_depends_on_the_seed_alone() -> None:
    assert np.array_equal(cut_at_random(100, 0.1, 1)[1], cut_at_random(100, 0.1, 1)[1])
    assert not np.array_equal(cut_at_random(100, 0.1, 1)[1], cut_at_random(100, 0.1, 2)[1])


@pytest.mark.parametrize("resident_bytes", [feeds.RESIDENT_BYTES, 0])
def test_only_the_first_streams_labels_change(
    resident_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the rows nor their order."""
    monkeypatch.setattr(feeds, "RESIDENT_BYTES", resident_bytes)
    target, source = split([-1] * 6), split([0, 1, 0, 1, 0, 1])
    feed = Feed({"domain": target, "source": source}, {"domain": 2, "source": 2}, 3, [7])
    data, order, _, known = feed.chunk(0, 3, feed.capacity)
    assert known.tolist() == [False] * 6
    before = {stream: taken(data[stream], order[stream]) for stream in data}

    pseudo = np.array([5, 4, 3, 2, 1, 0], np.int32)
    feed.relabel(pseudo)
    data, order, labels, known = feed.chunk(0, 3, feed.capacity)
    x, y = taken(data["domain"], order["domain"])
    assert np.array_equal(x, before["domain"][0])
    assert np.array_equal(y, labels)
    assert known.tolist() == [False] * 6
    assert y.tolist() == [pseudo[row[0, 0, 0] // 4] for row in x]
    source_x, source_y = taken(data["source"], order["source"])
    assert np.array_equal(source_x, before["source"][0])
    assert np.array_equal(source_y, before["source"][1])
    assert target.y.tolist() == [0] * 6


def taken(rows: Batch, order: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The items and labels of three steps of two, in turn."""
    x, y = np.asarray(rows.x["image"]), np.asarray(rows.y)
    picked = order[:3].ravel()
    return x[picked], y[picked]


def test_items_without_labels_are_not_counted() -> None:
    sums = Sums.zero(MEASURES)
    labels = np.array([[0, 0, 1], [0, 0, 1]], np.int32)
    known = np.array([[True, False, True], [False, False, True]])
    predicted = np.array([[0, 1, 0], [0, 1, 1]], np.int32)[..., None]
    sums.add(np.array([0.5, 0.25], np.float32), labels, known, predicted)
    assert sums.loss == 0.75
    assert sums.tally.tolist() == [[1, 1], [1, 2], [2, 1]]
    sums.add(np.array([1.0], np.float32), labels[:1], np.zeros((1, 3), bool), predicted[:1])
    assert sums.loss == 1.75
    assert sums.items == 3


def test_a_table_of_an_earlier_release_is_read() -> None:
    table = np.array([[1, 0], [1, 1]], np.int64)
    sums = Sums.of_arrays({"sums/loss": np.array(0.75), "sums/confusion": table}, MEASURES)
    assert sums.tally.tolist() == [[1, 1], [1, 2], [2, 1]]
    again = Sums.of_arrays(sums.to_arrays(), MEASURES)
    assert (again.loss, again.tally.tolist()) == (
        0.75,
        sums.tally.tolist(),
    )
