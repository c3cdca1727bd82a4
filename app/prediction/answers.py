"""Probabilities -> the body of an answer, in pieces."""

from functools import lru_cache
from math import isfinite
from typing import Any

import numpy as np
import orjson

from app.errors import invalid
from app.prediction.calibration import raw_probabilities
from app.prediction.inputs import Asked
from app.prediction.schemas import PredictionWarning
from app.prediction.served import Loaded
from app.prediction.sessions import Array

FEW = 2**10  # probabilities: each of numpy's functions costs more than Python does with so few


def answer(
    name: str, loaded: Loaded, asked: Asked, outputs: list[bytes], warning: PredictionWarning | None
) -> bytes:
    """`outputs`: what `outputs_of` made of each part."""
    is_calibrated = loaded.temperature is not None and not asked.raw_scores
    temperature = loaded.temperature if is_calibrated else 1.0
    head = _head(name, loaded.model_id, is_calibrated, temperature)
    tail = b"]}"
    if warning:
        tail = b'],"warnings":' + orjson.dumps([warning.model_dump()]) + b"}"
    return b"".join((head, b",".join(outputs), tail))


@lru_cache(maxsize=256)
def _head(name: str, model: str, is_calibrated: bool, temperature: float) -> bytes:
    """The answer's beginning, which is the same for many."""
    members = {
        "deployment": name,
        "model": model,
        "calibrated": is_calibrated,
        "temperature": temperature,
    }
    return orjson.dumps(members)[:-1] + b',"outputs":['


def outputs_of(loaded: Loaded, probabilities: Array, asked: Asked, at: int = 0) -> bytes:
    """The outputs of the inputs from `at` on, with commas between them.

    `probabilities`: (n, classes), as the graph answers them. Raises Invalid where some are not
    finite.
    """
    if not loaded.has_classes:
        return _quantities(probabilities, asked, at)
    if probabilities.size <= FEW and asked.top_k is None and not asked.raw_scores:
        rows = probabilities.tolist()
        if isfinite(sum(map(sum, rows))):
            return orjson.dumps([_best(loaded.labels, row) for row in rows])[1:-1]
    _check_finite(probabilities, at)
    return orjson.dumps(_outputs(loaded, probabilities, asked))[1:-1]


def _quantities(values: Array, asked: Asked, at: int) -> bytes:
    """`values`: (n, 1), in the user's unit."""
    if asked.top_k is not None or asked.raw_scores:
        name = "raw_scores" if asked.top_k is None else "top_k"
        detail = f"expected no `{name}` of a model that answers quantities: it has no classes"
        raise invalid("no_classes", detail, f"#/{name}")
    _check_finite(values, at)
    return orjson.dumps([{"value": value} for value in values[:, 0].tolist()])[1:-1]


def _check_finite(probabilities: Array, at: int) -> None:
    if not np.isfinite(probabilities).all():
        row = at + int((~np.isfinite(probabilities).all(axis=1)).argmax())
        detail = "expected values in the range that the model was trained on, got too large ones"
        raise invalid("prediction_not_finite", detail, f"#/inputs/{row}")


def _best(labels: tuple[str, ...], scores: list[float]) -> dict[str, Any]:
    best = max(scores)
    return {"label": labels[scores.index(best)], "score": best}


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
