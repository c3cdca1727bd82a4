"""Judgement of held-out outputs: one value an item, so that candidates can be compared in pairs.

The score is the mean of the values; the standard error of a difference is that of the mean of the
items' differences.
"""

from math import inf, sqrt

import numpy as np
from numpy.typing import NDArray

from app.tasks import size_of
from worker.evaluation.label_free import item_information
from worker.evaluation.measures.contract import Labels, Measures

Values = NDArray[np.float64]
Logits = NDArray[np.float32]  # (n, K)


def by_labels(measures: Measures, metric: str, y: Labels, outputs: Logits) -> tuple[Values, Values]:
    """Each item's part of a primary metric, over `scale_of` it, and its loss, (n,) both."""
    values = measures.item_values(y, outputs, metric) / scale_of(measures, metric)
    return values, measures.item_losses(y, outputs)


def scale_of(measures: Measures, metric: str) -> float:
    """Factor by which a score is the metric: negative where lower is better, and a standard
    deviation of the labels where it is in their unit, so that losses beside it are of the same
    order."""
    task = measures.task
    return task.metrics[metric].sign * size_of(task, metric)


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
