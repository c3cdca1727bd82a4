"""Answers of the native protocol: a label, a set of labels or a quantity for each input."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import orjson

from app.prediction.calibration import raw_probabilities
from app.prediction.feeds import Array
from app.prediction.outputs import FEW
from app.prediction.protocols.contract import Answer, AnsweredRequest
from app.prediction.served import Loaded
from app.tasks.multi_label import THRESHOLD


class LabelAnswers(NamedTuple):
    """Writes the best label and its score for each input; of the `top_k` best, all in order."""

    top_k: int | None = None
    raw_scores: bool = False

    def scores_per_input(self, classes: int) -> int:
        return self.top_k or 1

    def piece(self, loaded: Loaded, probabilities: Array) -> bytes:
        if self is PLAIN and probabilities.size <= FEW:
            return orjson.dumps([_best(loaded.labels, row) for row in probabilities.tolist()])[1:-1]
        return orjson.dumps(self._outputs(loaded, probabilities))[1:-1]

    def answer(self, answered: AnsweredRequest) -> Answer:
        return _framed(answered, self.raw_scores)

    def _outputs(self, loaded: Loaded, probabilities: Array) -> list[dict[str, Any]]:
        """Labels are ranked by the graph's probabilities whichever scores were asked for."""
        labels, scores = loaded.labels, probabilities
        if self.raw_scores and loaded.temperature is not None:
            scores = raw_probabilities(probabilities, loaded.temperature)
        if self.top_k is None:
            best = probabilities.argmax(axis=1)
            its_scores = scores[np.arange(len(best)), best]
            return [
                {"label": labels[index], "score": score}
                for index, score in zip(best.tolist(), its_scores.tolist(), strict=True)
            ]
        return [
            _best_of(_pairs(names, own))
            for names, own in _ranked(labels, probabilities, scores, self.top_k)
        ]


PLAIN = LabelAnswers()


class LabelSetAnswers(NamedTuple):
    """Writes the labels that each input has, the best first, with their scores; of the `top_k` best
    scores all beside them."""

    top_k: int | None = None

    def scores_per_input(self, classes: int) -> int:
        return classes + (self.top_k or 0)

    def piece(self, loaded: Loaded, probabilities: Array) -> bytes:
        ranked = _ranked(loaded.labels, probabilities, probabilities)
        return orjson.dumps([self._output(names, scores) for names, scores in ranked])[1:-1]

    def _output(self, labels: list[str], scores: list[float]) -> dict[str, Any]:
        had = sum(score >= THRESHOLD for score in scores)
        output: dict[str, Any] = {"labels": _pairs(labels[:had], scores[:had])}
        if self.top_k is not None:
            output["scores"] = _pairs(labels[: self.top_k], scores[: self.top_k])
        return output

    def answer(self, answered: AnsweredRequest) -> Answer:
        return _framed(answered)


SETS = LabelSetAnswers()


class QuantityAnswers(NamedTuple):
    """Writes the quantity of each input."""

    def scores_per_input(self, classes: int) -> int:
        return 1

    def piece(self, loaded: Loaded, values: Array) -> bytes:
        """`values`: (n, 1), in the user's unit."""
        return orjson.dumps([{"value": value} for value in values[:, 0].tolist()])[1:-1]

    def answer(self, answered: AnsweredRequest) -> Answer:
        return _framed(answered)


VALUES = QuantityAnswers()


def _framed(answered: AnsweredRequest, are_raw: bool = False) -> Answer:
    """The outputs between what is said of them all. `are_raw`: scores without the temperature."""
    loaded, warnings = answered.loaded, answered.warnings
    is_calibrated = loaded.temperature is not None and not are_raw
    temperature = loaded.temperature if is_calibrated else 1.0
    head = _head(answered.name, loaded.model_id, is_calibrated, temperature)
    tail = b"]}"
    if warnings:
        told = [warning.model_dump(exclude_none=True) for warning in warnings]
        tail = b'],"warnings":' + orjson.dumps(told) + b"}"
    return Answer(b"".join((head, b",".join(answered.pieces), tail)))


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


def _best(labels: tuple[str, ...], scores: list[float]) -> dict[str, Any]:
    best = max(scores)
    return {"label": labels[scores.index(best)], "score": best}


def _best_of(pairs: list[dict[str, Any]]) -> dict[str, Any]:
    return {**pairs[0], "scores": pairs}


def _ranked(
    labels: tuple[str, ...], probabilities: Array, scores: Array, most: int | None = None
) -> Iterator[tuple[list[str], list[float]]]:
    """Labels of each input by falling probability, with their scores; of `most` alone."""
    order = np.argsort(-probabilities, axis=1, kind="stable")[:, :most]
    ranked = np.take_along_axis(scores, order, axis=1)
    for indices, own in zip(order.tolist(), ranked.tolist(), strict=True):
        yield [labels[index] for index in indices], own


def _pairs(labels: list[str], scores: list[float]) -> list[dict[str, Any]]:
    return [{"label": label, "score": score} for label, score in zip(labels, scores, strict=True)]
