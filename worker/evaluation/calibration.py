"""How far a network's confidence can be believed, and the one number that mends it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from worker.evaluation.arrays import Floats, Ints

BINS = 15
LOG_TEMPERATURES = (-3.0, 3.0)  # 0.05 to 20: separable validation data would ask for 0


@dataclass(frozen=True)
class Calibration:
    """`temperature` divides the logits; `ece_*` are the test's calibration errors, 0..1."""

    temperature: float
    ece_before: float
    ece_after: float


def calibrate(
    y_validation: Ints, logits_validation: Floats, y_test: Ints, logits_test: Floats
) -> Calibration:
    """Fits the temperature on the validation items and measures it on the test's.

    Args:
        y_validation, y_test: labels, (m,) and (n,), both m and n > 0.
        logits_validation, logits_test: (m, K) and (n, K).
    """
    temperature = fit_temperature(y_validation, logits_validation)
    return Calibration(
        temperature,
        _ece_of_logits(y_test, logits_test),
        _ece_of_logits(y_test, logits_test / temperature),
    )


def expected_calibration_error(correct: NDArray[np.bool_], confidence: Floats) -> float:
    """ECE = sum_b (n_b/n) |mean correct_b - mean confidence_b| over 15 bins of equal width.

    Args:
        correct: whether the prediction is right, (n,), n > 0.
        confidence: the predicted class's probability, (n,), in [0, 1]; a bin holds its upper edge.

    Returns:
        0..1. Reference: Guo et al., ICML 2017, arXiv:1706.04599, equation 3.
    """
    inner_edges = np.arange(1, BINS) / BINS
    bins = np.searchsorted(inner_edges, confidence, side="left")
    gaps = np.bincount(bins, weights=correct - confidence.astype(np.float64), minlength=BINS)
    return float(np.abs(gaps).sum() / len(correct))


def fit_temperature(y: Ints, logits: Floats) -> float:
    """T = argmin mean_i -log softmax(z_i / T)[y_i], 0.05 <= T <= 20, by bounded search on log T.

    Args:
        y: validation labels, (m,), m > 0.
        logits: validation logits z, (m, K).
    """
    z, rows = logits.astype(np.float64), np.arange(len(y))

    def loss(log_temperature: float) -> float:
        return float(-log_softmax(z / np.exp(log_temperature), axis=1)[rows, y].mean())

    found = minimize_scalar(loss, bounds=LOG_TEMPERATURES, method="bounded")
    return float(np.exp(found.x))


def _ece_of_logits(y: Ints, logits: Floats) -> float:
    confidence = np.exp(log_softmax(logits.astype(np.float64), axis=1).max(axis=1))
    return expected_calibration_error(logits.argmax(axis=1) == y, confidence)
