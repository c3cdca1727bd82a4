"""The golden gate's other half: a packaged graph held against whom it was made of, and the items
and answers that it is asked again where it is served."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime
import orjson

from app.errors import FailureCode, WorkFailure
from app.inputs import Inputs
from app.models.schemas import Signature
from app.prediction.calibration import raw_probabilities
from app.tensors import Tensors

Array = npt.NDArray[np.float32]
Answers = Callable[[Array], Array]  # raw values (n, *shape) -> the task's answers (n, outputs)

INPUTS, RAW = "inputs", "raw"
TOLERANCE = 1e-4
GOLDEN_ITEMS = 32


def hold(
    graph: Path,
    golden: Path,
    signature: Signature,
    sample: npt.NDArray[np.generic],
    answers: Answers,
    unsoftened: Answers | None = None,
) -> float:
    """Writes `golden`, and asks the graph the same items, and extreme ones.

    Args:
        sample: raw values (m, *shape), m >= 1; the first 32 become golden inputs.
        answers: of the trained model.
        unsoftened: the same without the signature's temperature.

    Returns:
        The largest absolute difference of a probability, or of a quantity in standard deviations.

    Raises:
        WorkFailure: `package_mismatch` where that is more than 1e-4, or not finite.
    """
    output, scale, temperature = signature.task.answers, signature.task.std, signature.temperature
    (tensor,) = signature.inputs.tensors
    inputs, sent = _golden(signature.inputs, {tensor.name: sample[:GOLDEN_ITEMS]})
    stored: dict[str, Any] = {INPUTS: inputs, output: answers(inputs), **sent}
    np.savez(golden, **stored)
    extremes = signature.inputs.extremes({tensor.name: inputs})[tensor.name]
    checked = np.concatenate([inputs, extremes])
    expected = answers(checked)
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    (answered,) = session.run([output], {INPUTS: checked})
    difference = float(np.max(np.abs(answered - expected))) / scale
    if temperature and unsoftened:  # which, when high, makes all differences small
        apart = np.abs(raw_probabilities(answered, temperature) - unsoftened(checked))
        difference = float(np.maximum(difference, np.max(apart)))  # a NaN stays one
    if not difference <= TOLERANCE:  # not `>`: a NaN must fail as well
        within, off = TOLERANCE * scale, difference * scale
        detail = f"expected {output} within {within:g} of the trained model's, got {off:.3g} off"
        raise WorkFailure(FailureCode.PACKAGE_MISMATCH, detail, stage="packaging")
    return difference


def _golden(inputs: Inputs, items: Tensors) -> tuple[Array, dict[str, npt.NDArray[np.uint8]]]:
    """Golden inputs (m, *shape), and as clients send them, which the decoder makes them of."""
    (name,) = items
    sent = inputs.raw(items)
    if sent is None:
        return np.asarray(items[name], np.float32), {}
    text = orjson.dumps(sent)
    decoded = inputs.decode(orjson.loads(text), "#")[name]
    return decoded, {RAW: np.frombuffer(text, np.uint8)}
