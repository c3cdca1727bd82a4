"""Area under the ROC curve of one class against the rest, and what each item adds to it.

AUC = mean over pairs (i with a 1, j with a 0) of h(s_i, s_j),   h = [s_i > s_j] + [s_i = s_j] / 2
"""

import numpy as np

from worker.evaluation.arrays import Floats
from worker.evaluation.measures.contract import Labels, Values


def area_values(y: Labels, scores: Floats) -> Values:
    """AUC and each item's influence on it, (n,), whose mean is AUC:

    AUC + (V_i - AUC) / pi for a 1, AUC + (V_i - AUC) / (1 - pi) for a 0

    with the share pi of ones and V_i the mean of h over the items of the other kind.

    Args:
        y: 0 and 1, (n,), with at least one of each.
        scores: (n,), higher where a 1 is likelier.

    Reference: DeLong, DeLong & Clarke-Pearson, Comparing the areas under two or more correlated
    receiver operating characteristic curves, Biometrics 44, 1988.
    """
    is_one = y.astype(np.bool_)
    _, level = np.unique(scores, return_inverse=True)
    ones, zeros = (
        np.bincount(level[kind], minlength=level.max() + 1) for kind in (is_one, ~is_one)
    )
    won = (np.cumsum(zeros) - zeros / 2) / zeros.sum()  # of a 1 on each level
    lost = (ones.sum() - np.cumsum(ones) + ones / 2) / ones.sum()  # of a 0
    components = np.where(is_one, won[level], lost[level])
    area = float(ones @ won / ones.sum())
    share = is_one.mean()
    values: Values = area + (components - area) / np.where(is_one, share, 1 - share)
    return values
