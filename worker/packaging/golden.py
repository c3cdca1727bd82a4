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
from app.prediction.feeds import ONE, Fed, Prepare, feed_of
from app.prediction.sessions import apart
from app.tensors import TensorBatch, Tensors, together

Array = npt.NDArray[np.float32]
Answers = Callable[[Tensors], Array]  # as the graph takes them (n, …) -> answers (n, outputs)

RAW = "raw"
TOLERANCE = 1e-4
GOLDEN_ITEMS = 32
SMALLEST = float(np.finfo(np.float32).tiny)  # below it float32 has fewer digits, and then 0


def hold(
    graph: Path,
    golden: Path,
    signature: Signature,
    sample: Tensors,
    answers: Answers,
    unsoftened: Answers | None = None,
    prepare: Prepare | None = None,
) -> float:
    """Writes `golden`, and asks the graph the same items, and extreme ones.

    Args:
        sample: raw values (m, *shape), m >= 1; the first 32 become golden inputs.
        answers: of the trained model, by the names of the graph's inputs.
        unsoftened: the same without the signature's temperature.
        prepare: what decoded items go through before the graph.

    Returns:
        The largest absolute difference of a probability, or of a quantity in standard deviations,
        beyond the last bits of either.

    Raises:
        WorkFailure: `package_mismatch` where that is more than 1e-4, or not finite.
    """
    output, scale, temperature = signature.task.answers, signature.task.std, signature.temperature
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    feed = feed_of(session, prepare)
    items = {name: values[:GOLDEN_ITEMS] for name, values in sample.items()}
    inputs, sent = _golden(signature.inputs, items)
    asked = feed.prepared(together(inputs))
    stored: dict[str, Any] = {**feed.stored(asked), output: answers(named(asked)), **sent}
    np.savez(golden, **stored)
    extremes = feed.prepared(together(signature.inputs.extremes(inputs)))
    checked = feed.joined([asked, extremes])
    expected = answers(named(checked))
    answered = feed.run(session, checked)
    difference = apart(answered, expected) / scale
    if temperature and unsoftened:  # which, when high, makes all differences small
        tells = answered.min(axis=1) >= SMALLEST  # what a low one took away says no raw score
        raw = raw_probabilities(answered[tells], temperature)
        of_raw = np.abs(raw - unsoftened(named(checked))[tells])
        difference = float(np.maximum(difference, np.max(of_raw, initial=0.0)))  # a NaN stays one
    if not difference <= TOLERANCE:  # not `>`: a NaN must fail as well
        within, off = TOLERANCE * scale, difference * scale
        detail = f"expected {output} within {within:g} of the trained model's, got {off:.3g} off"
        raise WorkFailure(FailureCode.PACKAGE_MISMATCH, detail, stage="packaging")
    return difference


def named(inputs: Fed) -> Tensors:
    """Tensors by the names of the graph's inputs."""
    return inputs.tensors if isinstance(inputs, TensorBatch) else {ONE: inputs}


def _golden(inputs: Inputs, items: Tensors) -> tuple[Tensors, dict[str, npt.NDArray[np.uint8]]]:
    """Golden inputs (m, *shape), and as clients send them, which the decoder makes them of."""
    sent = inputs.raw(items)
    if sent is None:
        return items, {}
    text = orjson.dumps(sent)
    return inputs.decode(orjson.loads(text), "#"), {RAW: np.frombuffer(text, np.uint8)}
