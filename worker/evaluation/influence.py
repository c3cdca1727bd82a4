"""A metric of all items as the mean of one value an item, so that items can be taken as drawn."""

import numpy as np
from numpy.typing import NDArray

from worker.evaluation.arrays import Ints
from worker.evaluation.metrics import ClassCounts, class_rates


def item_values(y: Ints, predicted: Ints, classes: int, metric: str) -> NDArray[np.float64]:
    """The metric θ plus each item's influence on it; their mean is θ exactly.

    With T_k items of class k, P_k predicted as it, R_k its recall, F_k its F1, C classes averaged:

        accuracy           [p = y]
        balanced_accuracy  θ + n/C ([p = y] - R_y) / T_y
        f1_macro           θ + n/C (2 [p = y] - F_y) / (T_y + P_y) - n/C F_p / (T_p + P_p)

    The last two are the derivative of the metric in the weight of an item, times n.

    Args:
        y, predicted: classes, (n,), n > 0.

    Returns:
        (n,)

    Reference: the infinitesimal jackknife, Efron, The Jackknife, the Bootstrap and Other
    Resampling Plans, SIAM 1982, chapter 6.
    """
    hit: NDArray[np.float64] = (predicted == y).astype(np.float64)
    counts = ClassCounts.of(y, predicted, classes)
    true, of_class = counts.true, counts.true + counts.predicted
    _, recall, f1 = class_rates(*counts)
    influence: NDArray[np.float64]
    if metric == "accuracy":
        return hit
    if metric == "balanced_accuracy":
        rates, influence = recall[true > 0], (hit - recall[y]) / true[y]
    elif metric == "f1_macro":
        rates = f1[of_class > 0]
        influence = (2 * hit - f1[y]) / of_class[y] - f1[predicted] / of_class[predicted]
    else:
        raise ValueError(f"expected accuracy, balanced_accuracy or f1_macro, got {metric}")
    return float(rates.mean()) + influence * (len(y) / len(rates))
