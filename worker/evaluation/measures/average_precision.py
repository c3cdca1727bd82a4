"""Average precision of one label, and what each item adds to it.

AP = 1/pi mean_j y_j P(s_j),   P(s) = A(s) / B(s),   A(s) = mean_i y_i [s_i >= s],
                                                     B(s) = mean_i [s_i >= s]

with the share pi of items that have the label: the precision at each threshold that a score is,
weighted by the recall that it adds (scikit-learn's `average_precision_score`). Equal scores are one
threshold.
"""

import numpy as np

from worker.evaluation.arrays import Floats
from worker.evaluation.measures.contract import Labels, Values


def average_precision(y: Labels, scores: Floats) -> float:
    """0..1. `y`: 0 and 1, (n,), with a 1; `scores`: (n,), higher where a 1 is likelier."""
    return float(average_precision_values(y, scores).mean())


def average_precision_values(y: Labels, scores: Floats) -> Values:
    """AP and each item's influence on it, (n,), whose mean is AP:

    AP + 1/pi (y_i (P(s_i) - AP) + mean_j y_j [s_j <= s_i] (y_i - P(s_j)) / B(s_j))
    """
    _, level = np.unique(scores, return_inverse=True)  # 0 for the lowest
    n, true = len(y), np.bincount(level, weights=y)
    at_least = np.cumsum(np.bincount(level)[::-1])[::-1] / n  # B of each level
    precision = np.cumsum(true[::-1])[::-1] / n / at_least
    share = true.sum() / n
    found = float(true @ precision / n / share)
    below = np.cumsum(true / n / at_least)  # mean_j y_j [s_j <= s] / B(s_j)
    weighted = np.cumsum(true / n * precision / at_least)
    moved = y * below[level] - weighted[level]
    values: Values = found + (y * (precision[level] - found) + moved) / share
    return values
