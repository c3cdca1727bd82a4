"""A trained network -> one ONNX graph from raw inputs to probabilities, held against Keras.

The graph is traced here and not by Keras' `model.export(format="onnx")`: that one names the output
itself, and it has put BatchNorm in training mode where a network begins with a Resizing layer.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
import orjson
import tensorflow as tf

from app.errors import FailureCode, WorkFailure
from app.inputs import Inputs
from app.models.schemas import Signature
from app.prediction.calibration import raw_probabilities
from app.tensors import Tensors
from worker.objectives import objective_of
from worker.packaging.conversion import convert, fix
from worker.training.device import full_float32

Array = npt.NDArray[np.float32]

INPUTS, RAW = "inputs", "raw"
TOLERANCE = 1e-4
GOLDEN_ITEMS = 32
LARGE_KERNEL = 2**18  # weights: 1 MiB


@dataclass(frozen=True)
class Packaged:
    """Paths into the working directory, and how far the graph was from Keras.

    `max_difference` is the largest absolute difference of a probability, or of a quantity in
    standard deviations; `seconds` is wall time.
    """

    onnx: Path
    keras: Path
    golden: Path
    max_difference: float
    seconds: float


def package(
    raw_model: keras.Model,
    sample: npt.NDArray[np.generic],
    workdir: Path,
    signature: Signature,
) -> Packaged:
    """Exports the network and checks that the export answers as the network does.

    Args:
        raw_model: raw values (n, *shape), float32 -> logits (n, classes).
        sample: raw values (m, *shape), m >= 1; the first 32 become golden inputs.
        workdir: an existing folder for `model.onnx`, `model.keras` and `golden.npz`.
        signature: what an item is and what is asked of it. The graph divides the logits by its
            temperature before the softmax; the .keras archive does not.

    Returns:
        The files. The graph takes `inputs` (n, *shape) float32 for any n and answers
        `probabilities` (n, classes) float32, or what the task calls its answers. `golden.npz` holds
        arrays of the same names, the answers as Keras computed them; and, where clients do not send
        such arrays, `raw`: the golden inputs as the JSON of a request has them, its bytes as uint8.

    Raises:
        WorkFailure: `package_mismatch` when a probability differs by more than 1e-4, or a quantity
            by more than that of its standard deviation, or one is not finite.
    """
    with full_float32():  # as the graph computes where it is served
        return _package(raw_model, sample, workdir, signature)


def _package(
    raw_model: keras.Model,
    sample: npt.NDArray[np.generic],
    workdir: Path,
    signature: Signature,
) -> Packaged:
    started = time.perf_counter()
    task, temperature = signature.task, signature.temperature
    objective, output, scale = objective_of(task), task.answers, task.std
    takes = tf.TensorSpec((None, *sample.shape[1:]), tf.float32, name=INPUTS)

    @tf.function(input_signature=[takes])  # type: ignore[untyped-decorator]  # TensorFlow
    def answers(inputs: tf.Tensor) -> tf.Tensor:
        return objective.activate(raw_model(inputs, training=False), temperature)

    graph, archive, golden = (workdir / f for f in ("model.onnx", "model.keras", "golden.npz"))

    def activated(outputs: tf.Tensor) -> dict[str, tf.Tensor]:
        return {output: objective.activate(outputs, temperature)}

    _export(raw_model, takes, activated, graph)
    raw_model.save(archive)

    (tensor,) = signature.inputs.tensors
    inputs, sent = _golden(signature.inputs, {tensor.name: sample[:GOLDEN_ITEMS]})
    stored: dict[str, Any] = {INPUTS: inputs, output: answers(inputs).numpy(), **sent}
    np.savez(golden, **stored)

    extremes = signature.inputs.extremes({tensor.name: inputs})[tensor.name]
    checked = np.concatenate([inputs, extremes])
    expected = answers(checked).numpy()
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    (answered,) = session.run([output], {INPUTS: checked})
    difference = float(np.max(np.abs(answered - expected))) / scale
    if temperature:  # which, when high, makes all differences small
        raw = tf.nn.softmax(raw_model(checked, training=False)).numpy()
        raw_difference = np.max(np.abs(raw_probabilities(answered, temperature) - raw))
        difference = float(np.maximum(difference, raw_difference))  # a NaN stays one
    if not difference <= TOLERANCE:  # not `>`: a NaN must fail as well
        within, off = TOLERANCE * scale, difference * scale
        detail = f"expected {output} within {within:g} of Keras, got {off:.3g} off"
        raise WorkFailure(FailureCode.PACKAGE_MISMATCH, detail, stage="packaging")
    return Packaged(graph, archive, golden, difference, time.perf_counter() - started)


def _export(
    raw_model: keras.Model,
    takes: tf.TensorSpec,
    activated: Callable[[tf.Tensor], dict[str, tf.Tensor]],
    path: Path,
) -> None:
    """Large kernels of dense layers are inputs while the graph is converted, and are put into it
    afterwards: of what is constant tf2onnx makes some sixty copies (8.7 GB for a network of 147
    MB). Kernels of convolutions stay constant, which it lays out anew and joins with BatchNorm.
    """
    large = {
        f"kernel_{number}": variable
        for number, variable in enumerate(raw_model.variables)
        if len(variable.shape) == 2 and math.prod(variable.shape) >= LARGE_KERNEL
    }

    def answers(inputs: tf.Tensor, *kernels: tf.Tensor) -> dict[str, tf.Tensor]:
        given = {
            id(variable): kernel for variable, kernel in zip(large.values(), kernels, strict=True)
        }
        trained, fixed = (
            [given.get(id(variable), variable.value) for variable in variables]
            for variables in (raw_model.trainable_variables, raw_model.non_trainable_variables)
        )
        logits, _ = raw_model.stateless_call(trained, fixed, inputs, training=False)
        return activated(logits)

    of_kernels = [tf.TensorSpec(v.shape, v.dtype, name=name) for name, v in large.items()]
    graph = convert(answers, [takes, *of_kernels])
    fix(graph, large)
    onnx.save(graph, path)


def _golden(inputs: Inputs, items: Tensors) -> tuple[Array, dict[str, npt.NDArray[np.uint8]]]:
    """Golden inputs (m, *shape), and as clients send them, which the decoder makes them of."""
    (name,) = items
    sent = inputs.raw(items)
    if sent is None:
        return np.asarray(items[name], np.float32), {}
    text = orjson.dumps(sent)
    decoded = inputs.decode(orjson.loads(text), "#")[name]
    return decoded, {RAW: np.frombuffer(text, np.uint8)}
