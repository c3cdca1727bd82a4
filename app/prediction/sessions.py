"""A packaged graph, loaded into ONNX Runtime and held against the trainer's own answers."""

import math
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime
import orjson

from app.errors import KtlError
from app.inputs import Inputs
from app.tasks import Task

Array = npt.NDArray[np.float32]

TOLERANCE = 1e-4
CHUNK_BYTES = 2 * 2**20  # of inputs that one run takes: bounds the memory of its activations
INLINE_SECONDS = 0.0002  # a run as short as this costs less than a hop to a thread
MEASURED_ROWS = (1, 8, 32)


class LoadFailed(Exception):
    """This graph is not the trained network, or no graph at all. It will never be ready."""


@dataclass(frozen=True)
class Session:
    """`chunk_rows` inputs go through at once; up to `inline_rows` take less than 0.2 ms."""

    _runtime: Any
    shape: tuple[int, ...]
    chunk_rows: int
    inline_rows: int

    def run(self, inputs: Array) -> Array:
        """Raw values (n, *shape) float32 -> the task's answers (n, classes) float32."""
        if len(inputs) <= self.chunk_rows:
            return _run(self._runtime, inputs)
        starts = range(0, len(inputs), self.chunk_rows)
        chunks = [_run(self._runtime, inputs[at : at + self.chunk_rows]) for at in starts]
        return np.concatenate(chunks)


def load(onnx: Path, golden: Path, inputs: Inputs, task: Task) -> Session:
    """Raises LoadFailed unless the graph answers the golden inputs within 1e-4, of a quantity that
    of its standard deviation; where they are stored as clients send them too, unless the decoder
    makes the same of those."""
    (tensor,) = inputs.tensors
    shape, classes, tolerance = tensor.shape, task.outputs, TOLERANCE * task.std
    options = onnxruntime.SessionOptions()
    # Requests are the parallelism here: threads inside a run of these sizes wait for each other.
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    try:
        graph = onnx.read_bytes()  # not its path, which would stand in the error's text
        runtime = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        with np.load(golden, allow_pickle=False) as stored:
            tensors, expected = stored["inputs"], stored[task.answers]
            sent = stored["raw"].tobytes() if "raw" in stored else None
        answered = _run(runtime, tensors)
    except Exception as error:  # ONNX Runtime's errors share no class of their own
        raise LoadFailed(f"expected an ONNX graph that runs, got: {error}") from error
    if tensors.shape[1:] != shape or answered.shape != (len(tensors), classes):
        raise LoadFailed(
            f"expected a graph from (n, {_listed(shape)}) to (n, {classes}), "
            f"got {tensors.shape} to {answered.shape}"
        )
    if sent is not None:
        _check_decoder(inputs, tensor.name, sent, tensors)
    difference = float(np.max(np.abs(answered - expected)))
    if not difference <= tolerance:  # not `>`: a NaN must fail as well
        raise LoadFailed(
            f"expected {task.answers} within {tolerance:g} of the trainer's on its golden inputs, "
            f"got {difference:.3g} off"
        )
    chunk_rows = max(1, CHUNK_BYTES // (4 * math.prod(shape)))
    return Session(runtime, shape, chunk_rows, min(chunk_rows, _inline_rows(runtime, tensors)))


def _check_decoder(inputs: Inputs, name: str, sent: bytes, tensors: Array) -> None:
    """Raises LoadFailed unless items as clients send them, in JSON, are decoded as they were where
    the model was packaged."""
    try:
        items = orjson.loads(sent)
        decoded = inputs.decode([*items], "#")[name]
    except (KtlError, TypeError, orjson.JSONDecodeError) as error:
        raise LoadFailed(f"expected golden inputs that can be decoded, got: {error}") from error
    if decoded.shape != tensors.shape or not np.array_equal(decoded, tensors, equal_nan=True):
        raise LoadFailed(
            "expected golden inputs to be decoded as they were where the model was packaged, got "
            "others: package it with this release"
        )


def _run(runtime: Any, inputs: Array) -> Array:
    answer: Array = runtime.run(None, {"inputs": inputs})[0]
    return answer


def _inline_rows(runtime: Any, inputs: Array) -> int:
    """The largest measured batch whose quickest run stays below INLINE_SECONDS, or 0."""
    quick = 0
    for rows in MEASURED_ROWS:
        batch = np.resize(inputs, (rows, *inputs.shape[1:]))
        _run(runtime, batch)
        if min(_seconds(runtime, batch) for _ in range(5)) >= INLINE_SECONDS:
            break
        quick = rows
    return quick


def _seconds(runtime: Any, batch: Array) -> float:
    started = perf_counter()
    _run(runtime, batch)
    return perf_counter() - started


def _listed(shape: tuple[int, ...]) -> str:
    return ", ".join(map(str, shape))
