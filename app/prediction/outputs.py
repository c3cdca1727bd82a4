"""Probabilities that a model answers, before a protocol writes them."""

from math import isfinite

import numpy as np

from app.errors import invalid
from app.prediction.feeds import Array
from app.prediction.inputs import Places

FEW = 2**10  # probabilities: each of numpy's functions costs more than Python does with so few


def check_finite(probabilities: Array, place: Places, first_row: int = 0) -> None:
    """Raises Invalid, which points to the first input whose probabilities (n, classes) are not."""
    if probabilities.size <= FEW and isfinite(sum(map(sum, probabilities.tolist()))):
        return
    finite = np.isfinite(probabilities)
    if not finite.all():
        detail = "expected values in the range that the model was trained on, got too large ones"
        row = first_row + int(finite.all(axis=1).argmin())
        raise invalid("prediction_not_finite", detail, place.of(row))
