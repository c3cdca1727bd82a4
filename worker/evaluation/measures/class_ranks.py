"""Measures of how well a classification's probabilities order the items: no threshold, no commonest
class.

Of two classes the second one's AUC and average precision; of more the mean over the classes of that
class against the rest (scikit-learn's one-vs-rest, macro). Classes without test items, or without
any other, are left out.
"""

from collections.abc import Iterator
from math import sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from app.tasks.classification import MOST_RANKED, RANKED
from worker.evaluation.arrays import Floats
from worker.evaluation.measures.area_under_curve import area_values
from worker.evaluation.measures.average_precision import average_precision_values
from worker.evaluation.measures.contract import Labels, Level, Values

NO_ORDER = 0.5  # AUC where there is one class alone, and nothing to order
_VALUES = {"auc": area_values, "average_precision": average_precision_values}


def rank_metrics(y: Labels, logits: Floats) -> dict[str, float]:
    """auc and average_precision, each over all n > 0 items; neither of too many classes."""
    if logits.shape[1] > MOST_RANKED:
        return {}
    return {name: float(rank_values(y, logits, name).mean()) for name in RANKED}


def rank_values(y: Labels, logits: Floats, metric: str) -> Values:
    """One value an item, (n,), whose mean is the metric: the metric and the item's influence on it.

    Args:
        y: classes, (n,), n > 0.
        logits: (n, K).
        metric: one of RANKED.
    """
    scores, total = log_odds(logits), np.zeros(len(y))
    ordered = list(_ordered(y, logits.shape[1]))
    for k in ordered:
        total += _VALUES[metric](y == k, scores[:, k])
    if ordered:
        values: Values = total / len(ordered)
        return values
    return np.full(len(y), _without_order(y, logits.shape[1], metric))


def log_odds(logits: Floats) -> Floats:
    """Computes ln p_k - ln (1 - p_k) of p = softmax(z), (n, K). It has the order of p_k, which is 1
    to the last bit for all items that a network is sure of: they would count as equal."""
    z = logits.astype(np.float64)
    likeliest = np.arange(len(z)), z.argmax(axis=1)
    z -= z[likeliest][:, None]
    z[likeliest] = -np.inf
    others = logsumexp(z, axis=1)  # all but the likeliest, over it
    z -= np.log1p(np.exp(others))[:, None]  # ln p_k of these
    z -= np.log1p(-np.exp(z))
    z[likeliest] = -others
    return z


def area_level(y: Labels, classes: int) -> Level:
    """The AUC of an order at random, 1/2, and its standard error: the mean of the classes'
    √((n + 1) / (12 n₁ n₀)), the rank sum's (Mann & Whitney, Ann. Math. Statist. 18, 1947), which
    is the error of their mean where all err together, and else more than it.

    Args:
        y: classes, (n,), n > 0.
    """
    n, counts = len(y), np.bincount(y, minlength=classes)
    errors = [
        sqrt((n + 1) / (12 * int(counts[k]) * (n - int(counts[k])))) for k in _ordered(y, classes)
    ]
    return Level(NO_ORDER, float(np.mean(errors)) if errors else 0.0)


def _ordered(y: Labels, classes: int) -> Iterator[int]:
    """The classes whose items can be told from others."""
    counts: NDArray[np.int64] = np.bincount(y, minlength=classes)
    first = 1 if classes == 2 else 0
    return (k for k in range(first, classes) if 0 < counts[k] < len(y))


def _without_order(y: Labels, classes: int, metric: str) -> float:
    """Value where all items are of one class: of two, the share that is the second."""
    if metric == "auc":
        return NO_ORDER
    return float((y == 1).mean()) if classes == 2 else 1.0
