"""Probabilities -> the body of an answer."""

from typing import Any

import numpy as np
import orjson

from app.deployments.schemas import PredictionWarning
from app.errors import invalid
from app.prediction.calibration import raw_probabilities
from app.prediction.decoders import Asked
from app.prediction.served import Loaded
from app.prediction.sessions import Array


def answer(
    name: str,
    loaded: Loaded,
    probabilities: Array,
    asked: Asked,
    warning: PredictionWarning | None,
) -> bytes:
    """`probabilities`: (n, classes), as the graph answers them. Raises Invalid where some are not
    finite."""
    finite = np.isfinite(probabilities).all(axis=1)
    if not finite.all():
        detail = "expected values in the range that the model was trained on, got too large ones"
        raise invalid("prediction_not_finite", detail, f"#/inputs/{int(finite.argmin())}")
    is_calibrated = loaded.temperature is not None and not asked.raw_scores
    body: dict[str, Any] = {
        "deployment": name,
        "model": loaded.model_id,
        "calibrated": is_calibrated,
        "temperature": loaded.temperature if is_calibrated else 1.0,
        "outputs": _outputs(loaded, probabilities, asked),
    }
    if warning:
        body["warnings"] = [warning.model_dump()]
    return orjson.dumps(body)


def _outputs(loaded: Loaded, probabilities: Array, asked: Asked) -> list[dict[str, Any]]:
    """Labels are ranked by the graph's probabilities whichever scores were asked for: the same."""
    labels, scores = loaded.labels, probabilities
    if asked.raw_scores and loaded.temperature is not None:
        scores = raw_probabilities(probabilities, loaded.temperature)
    if asked.top_k is None:
        best = probabilities.argmax(axis=1)
        its_scores = scores[np.arange(len(best)), best]
        return [
            {"label": labels[index], "score": score}
            for index, score in zip(best.tolist(), its_scores.tolist(), strict=True)
        ]
    order = np.argsort(-probabilities, axis=1, kind="stable")[:, : asked.top_k]
    ranked = np.take_along_axis(scores, order, axis=1)
    return [
        _ranked([labels[index] for index in indices], scores)
        for indices, scores in zip(order.tolist(), ranked.tolist(), strict=True)
    ]


def _ranked(labels: list[str], scores: list[float]) -> dict[str, Any]:
    pairs = [{"label": label, "score": score} for label, score in zip(labels, scores, strict=True)]
    return {**pairs[0], "scores": pairs}
