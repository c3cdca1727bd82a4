"""Checks that hold values against those that a model was trained on."""

from collections.abc import Sequence
from typing import Protocol

from app.prediction.feeds import Part
from app.prediction.inputs import Places
from app.prediction.schemas import PredictionWarning


class ValueCheck(Protocol):
    """Holds values against what a model was trained on."""

    def __call__(self, parts: Sequence[Part], places: Places) -> tuple[PredictionWarning, ...]:
        """Doubts about them. `parts`: the values of n >= 1 inputs in all, which stand in a body at
        `places`. Raises Invalid where the model is not asked about such values."""
