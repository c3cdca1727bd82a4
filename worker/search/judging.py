"""How good held-out logits are: one value an item, so that two candidates can be compared in pairs.

The score is the mean of the values; the standard error of a difference is that of the mean of the
items' differences.
"""

from collections.abc import Callable
from math import inf, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax

from worker.evaluation.influence import item_values
from worker.evaluation.label_free import item_information

Values = NDArray[np.float64]
Logits = NDArray[np.float32]  # (n, K)
# (labels (n,), int32; logits) -> (values (n,), losses (n,) in nats)
Judge = Callable[[NDArray[np.int32], Logits], tuple[Values, Values]]


def by_labels(metric: str) -> Judge:
    """accuracy, balanced_accuracy or f1_macro; the losses are cross-entropies."""

    def judge(y: NDArray[np.int32], logits: Logits) -> tuple[Values, Values]:
        log_p = log_softmax(logits.astype(np.float64), axis=1)
        values = item_values(y, logits.argmax(axis=1), logits.shape[1], metric)
        return values, -log_p[np.arange(len(y)), y]

    return judge


def by_information(logits: Logits, changed: Logits) -> tuple[Values, Values]:
    """Invariant information of the items and the changed items (worker.evaluation.label_free).

    Returns:
        each item's part of it, (n,), and zeros, (n,): without labels there is no loss.
    """
    return item_information(logits, changed), np.zeros(len(logits))


def difference(high: Values, low: Values) -> tuple[float, float]:
    """Mean and standard error of `high` - `low`, (n,) each, of the same items in one order. Of one
    item the error is not known: infinite."""
    apart = high - low
    error = float(apart.std(ddof=1)) / sqrt(len(apart)) if len(apart) > 1 else inf
    return float(apart.mean()), error
