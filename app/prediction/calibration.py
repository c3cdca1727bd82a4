"""Calibrated probabilities -> the network's own."""

import numpy as np

from app.prediction.feeds import Array


def raw_probabilities(calibrated: Array, temperature: float) -> Array:
    """softmax(z) of p = softmax(z / T), (n, classes): p ** T, divided by its sum.

    What float32 rounds to p = 0 was below 1e-45, its raw score below 1e-45 ** T: 1e-9 for T = 0.2.
    """
    relative = calibrated.astype(np.float64) / calibrated.max(axis=1, keepdims=True)
    powers = relative**temperature
    raw: Array = (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)
    return raw
