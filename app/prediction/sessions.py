"""A packaged graph, loaded into ONNX Runtime and held against the trainer's own answers."""

from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import onnxruntime
import orjson

from app.errors import KtlError
from app.inputs import Inputs
from app.prediction.bound import BoundGraph
from app.prediction.feeds import DENSE, Array, Fed, GraphFeed, Part, Prepare, feed_of
from app.tasks import Task
from app.tensors import TensorBatch, together

TOLERANCE = 1e-4
LAST_BITS = 2  # of an answer, in units of its last place, that engines may round apart
CHUNK_BYTES = 2 * 2**20  # of inputs that one run takes: bounds the memory of its activations
INLINE_SECONDS = 0.0002  # a run as short as this costs less than a hop to a thread
MEASURED_ROWS = (1, 8, 32)
TRIES = 20  # of which the quickest counts: the machine may be busy with other work


class LoadFailed(Exception):
    """This graph is not the trained network, or no graph at all. It will never be ready."""


@dataclass(frozen=True)
class Session:
    """`chunk_rows` inputs go through at once; up to `inline_rows` take less than 0.2 ms. `shape`:
    of an item's one tensor, or the first of several."""

    _runtime: Any
    shape: tuple[int, ...]
    chunk_rows: int
    inline_rows: int
    feed: GraphFeed = DENSE
    _bound: BoundGraph | None = None

    def answers(self, part: Part) -> Array:
        """Items as decoded -> the task's answers."""
        return self.run(self.feed.prepared(part))

    def run_inline(self, inputs: Fed) -> Array:
        """The same as `run`; asked by the event loop alone."""
        if len(inputs) == 1 and self._bound is not None:
            assert isinstance(inputs, np.ndarray)
            return self._bound.run(inputs)
        return self.run(inputs)

    def run(self, inputs: Fed) -> Array:
        """Items as `feed` prepares them, n of them -> the task's answers (n, classes) float32."""
        if len(inputs) <= self.chunk_rows:
            return self.feed.run(self._runtime, inputs)
        starts = range(0, len(inputs), self.chunk_rows)
        chunks = [self.feed.run(self._runtime, inputs[at : at + self.chunk_rows]) for at in starts]
        return np.concatenate(chunks)


def load(
    onnx: Path, golden: Path, inputs: Inputs, task: Task, prepare: Prepare | None = None
) -> Session:
    """Raises LoadFailed unless the graph answers the golden inputs within 1e-4, of a quantity that
    of its standard deviation, and the answers' last bits; where they are stored as clients send
    them too, unless the decoder makes the same of those. `prepare`: what decoded items go through
    before the graph."""
    shape, classes, tolerance = inputs.tensors[0].shape, task.outputs, TOLERANCE * task.std
    options = onnxruntime.SessionOptions()
    # Requests are the parallelism here: threads inside a run of these sizes wait for each other.
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    try:
        graph = onnx.read_bytes()  # not its path, which would stand in the error's text
        runtime = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        feed = feed_of(runtime, prepare)
        with np.load(golden, allow_pickle=False) as stored:
            asked, expected = feed.read(stored), stored[task.answers]
            sent = stored["raw"].tobytes() if "raw" in stored else None
        answered = feed.run(runtime, asked)
    except Exception as error:  # ONNX Runtime's errors share no class of their own
        raise LoadFailed(f"expected an ONNX graph that runs, got: {error}") from error
    got = shape if isinstance(asked, TensorBatch) else asked.shape[1:]
    if got != shape or answered.shape != (len(asked), classes):
        raise LoadFailed(
            f"expected a graph from (n, {_listed(shape)}) to (n, {classes}), "
            f"got {(len(asked), *got)} to {answered.shape}"
        )
    if sent is not None:
        _check_decoder(inputs, feed, sent, asked)
    elif isinstance(asked, TensorBatch):
        raise LoadFailed("expected golden inputs as clients send them, got the tensors alone")
    difference = apart(answered, expected)
    if not difference <= tolerance:  # not `>`: a NaN must fail as well
        raise LoadFailed(
            f"expected {task.answers} within {tolerance:g} of the trainer's on its golden inputs, "
            f"got {difference:.3g} off"
        )
    chunk_rows = max(1, CHUNK_BYTES * len(asked) // max(1, asked.nbytes))
    inline_rows = min(chunk_rows, _inline_rows(runtime, feed, asked))
    bound = BoundGraph.of(runtime, feed, asked[:1])
    return Session(runtime, shape, chunk_rows, inline_rows, feed, bound)


def apart(answered: Array, expected: Array) -> float:
    """Returns the largest absolute difference beyond the last bits of float32: one bit of a
    quantity of 50 ± 0.02 is 2e-4 of its deviation, and two engines' sums may differ in it."""
    with np.errstate(invalid="ignore"):  # what is not finite becomes NaN, which stays one
        bits = LAST_BITS * np.spacing(np.abs(expected.astype(np.float32)))
        off = np.abs(answered.astype(np.float64) - expected) - bits
    return float(np.max(np.maximum(off, 0.0)))


def _check_decoder(inputs: Inputs, feed: GraphFeed, sent: bytes, asked: Fed) -> None:
    """Raises LoadFailed unless items as clients send them, in JSON, are decoded as they were where
    the model was packaged."""
    try:
        items = orjson.loads(sent)
        decoded = feed.prepared(together(inputs.decode([*items], "#")))
    except (KtlError, TypeError, KeyError, ValueError) as error:
        raise LoadFailed(f"expected golden inputs that can be decoded, got: {error}") from error
    if not _is_same(decoded, asked):
        raise LoadFailed(
            "expected golden inputs to be decoded as they were where the model was packaged, got "
            "others: package it with this release"
        )


def _is_same(one: Part, other: Part) -> bool:
    """Tells whether values and shapes are equal; what is missing equals what is missing."""
    if not isinstance(one, TensorBatch):
        return not isinstance(other, TensorBatch) and np.array_equal(one, other, equal_nan=True)
    return isinstance(other, TensorBatch) and all(
        np.array_equal(values, other.tensors[name], equal_nan=values.dtype.kind == "f")
        for name, values in one.tensors.items()
    )


def _inline_rows(runtime: Any, feed: GraphFeed, inputs: Fed) -> int:
    """The largest measured batch whose quickest run stays below INLINE_SECONDS, or 0."""
    quick = 0
    for rows in MEASURED_ROWS:
        batch = inputs[np.arange(rows) % len(inputs)]
        feed.run(runtime, batch)
        if min(_seconds(runtime, feed, batch) for _ in range(TRIES)) >= INLINE_SECONDS:
            break
        quick = rows
    return quick


def _seconds(runtime: Any, feed: GraphFeed, inputs: Fed) -> float:
    started = perf_counter()
    feed.run(runtime, inputs)
    return perf_counter() - started


def _listed(shape: tuple[int, ...]) -> str:
    return ", ".join(map(str, shape))
