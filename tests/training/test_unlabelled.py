"""Items without labels, and with labels that change."""

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from app.tasks.classification import Classification
from tests.training.trials import pictures
from worker.evaluation.measures import measures_of
from worker.strategies.recipe import Batch, Group, Optimization, Phase
from worker.training import feed as feeds
from worker.training.data import Split, cut_at_random
from worker.training.feed import BatchFeed, rows_of_step
from worker.training.items import Items
from worker.training.optimizers import averaging, optimizer_of
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
    feed = BatchFeed({"target": target, "source": source}, {"target": 2, "source": 2}, 3, [7])
    data, order, _, known = feed.chunk(0, 3, feed.capacity)
    assert known.tolist() == [False] * 6
    before = {stream: taken(data[stream], order[stream]) for stream in data}

    pseudo = np.array([5, 4, 3, 2, 1, 0], np.int32)
    feed.relabel(pseudo)
    data, order, labels, known = feed.chunk(0, 3, feed.capacity)
    x, y = taken(data["target"], order["target"])
    assert np.array_equal(x, before["target"][0])
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


def phase(batches: int, *streams: Any) -> Phase:
    return Phase("adapt", lambda *_: None, (), 1, streams=streams, unlabelled_batches=batches)


def test_rows_of_a_step_beside_few_labels() -> None:
    """4 labelled items are a batch of 4; the others fill batches of 16, as far as there are any."""
    streams = {
        "target": split([0] * 4),
        "source": split([0] * 10),
        "unlabelled": Split.stored(Items.of({"image": np.zeros((40, 2, 2, 1))}), np.full(40, -1)),
    }
    beside = phase(2, "target", "unlabelled", "source")
    assert rows_of_step(beside, streams, 4, 16) == {"target": 4, "source": 10, "unlabelled": 32}
    assert rows_of_step(phase(3, "unlabelled"), streams, 4, 16)["unlabelled"] == 40
    two = {name: streams[name] for name in ("target", "source")}
    assert rows_of_step(phase(2, "target", "source"), two, 4, 16) == {"target": 4, "source": 4}


@pytest.mark.parametrize("resident_bytes", [feeds.RESIDENT_BYTES, 0])
def test_streams_of_different_sizes_stay_in_step(
    resident_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An epoch passes over the labelled items once; the others go round at their own size."""
    monkeypatch.setattr(feeds, "RESIDENT_BYTES", resident_bytes)
    known, others = split([0, 1, 0, 1]), split([-1] * 10)
    rows = {"target": 2, "unlabelled": 5}
    feed = BatchFeed({"target": known, "unlabelled": others}, rows, 2, [3])
    assert feed.batch == 2
    data, order, labels, _ = feed.chunk(0, 2, 2)
    assert {name: positions.shape for name, positions in order.items()} == {
        "target": (2, 2),
        "unlabelled": (2, 5),
    }
    for stream, items in (("target", 4), ("unlabelled", 10)):
        x = np.asarray(data[stream].x["image"])[np.asarray(order[stream]).ravel()]
        assert sorted(row[0, 0, 0] // 4 for row in x) == list(range(items))
    assert sorted(labels.tolist()) == [0, 0, 1, 1]


def test_an_average_that_warms_up_forgets_where_it_began() -> None:
    """By hand over three steps: the first step's weight is taken whole; then momenta 2/11, 3/12."""
    variable = keras.Variable(np.zeros(1, np.float32))
    group = Group((variable,), 1.0)
    how = Optimization("sgd", ema_momentum=0.999, ema_warms_up=True)
    optimizer = optimizer_of(how, group, "plain")
    for _ in range(3):
        with averaging(how, optimizer):
            optimizer.apply([tf.constant([-1.0])], [variable])
    weights = [float(variable.numpy()[0])]
    optimizer.finalize_variable_values([variable])
    seen = steps_of_nesterov(3)
    average = seen[0]
    for momentum, weight in zip((2 / 11, 3 / 12), seen[1:], strict=True):
        average = momentum * average + (1 - momentum) * weight
    assert weights[0] == pytest.approx(seen[-1])
    assert float(variable.numpy()[0]) == pytest.approx(average, rel=1e-5)
    assert optimizer.ema_momentum == 0.999


def steps_of_nesterov(steps: int) -> list[float]:
    """Weights from 0 with momentum 0.9, rate 1 and gradient -1."""
    weight, velocity, seen = 0.0, 0.0, []
    for _ in range(steps):
        velocity = 0.9 * velocity + 1
        weight += 0.9 * velocity + 1
        seen.append(weight)
    return seen
