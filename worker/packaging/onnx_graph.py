"""A trained network -> one ONNX graph from raw inputs to probabilities, held against Keras.

The graph is traced here and not by Keras' `model.export(format="onnx")`: that one names the output
itself, and it has put BatchNorm in training mode where a network begins with a Resizing layer.
"""

import time
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt
import onnxruntime
import tensorflow as tf

from app.errors import FailureCode, WorkFailure
from app.prediction.calibration import raw_probabilities

Array = npt.NDArray[np.float32]

INPUTS, PROBABILITIES = "inputs", "probabilities"
TOLERANCE = 1e-4
GOLDEN_ITEMS = 32
OPSET = 18


@dataclass(frozen=True)
class Packaged:
    """Paths into the working directory, and how far the graph was from Keras.

    `max_difference` is the largest absolute difference of a probability; `seconds` is wall time.
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
    temperature: float | None = None,
) -> Packaged:
    """Exports the network and checks that the export answers as the network does.

    Args:
        raw_model: raw values (n, height, width, channels), float32 -> logits (n, classes).
        sample: raw values (m, height, width, channels), m >= 1; the first 32 become golden inputs.
        workdir: an existing folder for `model.onnx`, `model.keras` and `golden.npz`.
        temperature: above 0; the graph divides the logits by it before the softmax. The .keras
            archive does not.

    Returns:
        The files. The graph takes `inputs` (n, height, width, channels) float32 for any n and
        answers `probabilities` (n, classes) float32. `golden.npz` holds arrays of the same names,
        the probabilities as Keras computed them.

    Raises:
        WorkFailure: `package_mismatch` when a probability differs by more than 1e-4 or is not
            finite.
    """
    started = time.perf_counter()
    signature = tf.TensorSpec((None, *sample.shape[1:]), tf.float32, name=INPUTS)

    @tf.function(input_signature=[signature])  # type: ignore[untyped-decorator]  # TensorFlow
    def probabilities(inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        logits = raw_model(inputs, training=False)
        return {PROBABILITIES: tf.nn.softmax(logits / temperature if temperature else logits)}

    onnx, archive, golden = (workdir / f for f in ("model.onnx", "model.keras", "golden.npz"))
    _export(probabilities, onnx)
    raw_model.save(archive)

    inputs = np.asarray(sample[:GOLDEN_ITEMS], dtype=np.float32)
    np.savez(golden, inputs=inputs, probabilities=probabilities(inputs)[PROBABILITIES].numpy())

    checked = np.concatenate([inputs, _extremes(inputs)])
    expected = probabilities(checked)[PROBABILITIES].numpy()
    session = onnxruntime.InferenceSession(onnx, providers=["CPUExecutionProvider"])
    (answered,) = session.run([PROBABILITIES], {INPUTS: checked})
    difference = float(np.max(np.abs(answered - expected)))
    if temperature:  # which, when high, makes all differences small
        raw = tf.nn.softmax(raw_model(checked, training=False)).numpy()
        raw_difference = np.max(np.abs(raw_probabilities(answered, temperature) - raw))
        difference = float(np.maximum(difference, raw_difference))  # a NaN stays one
    if not difference <= TOLERANCE:  # not `>`: a NaN must fail as well
        detail = f"expected probabilities within {TOLERANCE:g} of Keras, got {difference:.3g} off"
        raise WorkFailure(FailureCode.PACKAGE_MISMATCH, detail, stage="packaging")
    return Packaged(onnx, archive, golden, difference, time.perf_counter() - started)


def _export(function: tf.types.experimental.PolymorphicFunction, path: Path) -> None:
    import tf2onnx  # slow to import, and only a job's end needs it

    tf2onnx.convert.from_function(
        function, function.input_signature, opset=OPSET, output_path=str(path)
    )


def _extremes(inputs: Array) -> Array:
    """All zeros, all at the sample's lowest and all at its highest value: (3, *shape)."""
    values = np.array([0, inputs.min(), inputs.max()], dtype=np.float32)
    return np.ones((3, *inputs.shape[1:]), np.float32) * values.reshape(3, 1, 1, 1)
