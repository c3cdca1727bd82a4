"""A graph with memory of its own answers one item as it does without."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from app.prediction.bound import BoundGraph
from app.prediction.feeds import feed_of
from tests.prediction.site import SHAPE, weights, write_graph


@pytest.fixture
def runtime(tmp_path: Path) -> onnxruntime.InferenceSession:
    write_graph(tmp_path / "model.onnx", weights(1))
    return onnxruntime.InferenceSession(tmp_path / "model.onnx")


def test_answers_are_equal_and_kept(runtime: onnxruntime.InferenceSession) -> None:
    items = np.random.default_rng(0).integers(0, 256, (5, *SHAPE)).astype(np.float32)
    feed = feed_of(runtime)
    bound = BoundGraph.of(runtime, feed, items[:1])
    assert bound is not None
    answers = [bound.run(items[at : at + 1]) for at in range(5)]
    expected = [feed.run(runtime, items[at : at + 1]) for at in range(5)]
    np.testing.assert_array_equal(answers, expected)  # each is its own, whatever came after
    assert len({answer.tobytes() for answer in answers}) == 5


def test_the_item_that_it_was_made_with_is_left_alone(
    runtime: onnxruntime.InferenceSession,
) -> None:
    item = np.zeros((1, *SHAPE), np.float32)
    bound = BoundGraph.of(runtime, feed_of(runtime), item)
    assert bound is not None
    bound.run(np.ones((1, *SHAPE), np.float32))
    assert not item.any()


class Unbound:
    """An engine that binds nothing."""

    def run(self, _: object, feeds: dict[str, np.ndarray]) -> list[np.ndarray]:
        return [np.ones((1, 2), np.float32)]

    def io_binding(self) -> None:
        raise RuntimeError("no")


def test_what_cannot_be_bound_is_not(runtime: onnxruntime.InferenceSession) -> None:
    item = np.zeros((1, *SHAPE), np.float32)
    assert BoundGraph.of(Unbound(), feed_of(runtime), item) is None
