"""Distance of two samples, in numpy alone: the API process asks as well as the worker.

Samples are (items, features), finite, in an order that means nothing.
"""

import numpy as np
from numpy.typing import NDArray

Sample = NDArray[np.floating]

FOLDS = 5
RIDGE = 0.01  # over the mean variance of a feature


def proxy_a_distance(one: Sample, other: Sample) -> float | None:
    """max(0, 2 (1 - 2 ε)), 0 for domains that nothing tells apart to 2 for those that are apart.

    ε is the error of a linear classifier of the domains (ridge regression on ±1) on items it did
    not learn from, by cross-validation; both domains weigh the same, whatever their sizes.

    Args:
        one, other: (m, d) and (n, d).

    Returns:
        None where a domain has fewer than 2 items.

    References: Ben-David et al., "Analysis of Representations for Domain Adaptation", NeurIPS 2006;
    "A theory of learning from different domains", Machine Learning 79, 2010.
    """
    m, n = len(one), len(other)
    if min(m, n) < 2:
        return None
    x = np.concatenate([one, other]).astype(np.float64)
    sign = np.repeat([1.0, -1.0], [m, n])
    weight = np.repeat([0.5 / m, 0.5 / n], [m, n])
    fold = np.concatenate([np.arange(m), np.arange(n)]) % FOLDS
    right = np.zeros(m + n, bool)
    for held_out in range(min(FOLDS, max(m, n))):
        learnt, asked = fold != held_out, fold == held_out
        side = _fitted(x[learnt], sign[learnt], weight[learnt], x[asked])
        right[asked] = side * sign[asked] > 0
    error = 1 - (right[:m].mean() + right[m:].mean()) / 2
    return max(0.0, float(2 * (1 - 2 * error)))


def _fitted(
    x: NDArray[np.float64],
    sign: NDArray[np.float64],
    weight: NDArray[np.float64],
    asked: NDArray[np.float64],
) -> NDArray[np.float64]:
    """The regression of `sign` on `x`, both domains of half the weight, at `asked`; (asked,)."""
    positive = sign > 0
    weight = 0.5 * weight / np.where(positive, weight[positive].sum(), weight[~positive].sum())
    mean = weight @ x
    centred = x - mean
    covariance = centred.T @ (weight[:, None] * centred)  # (d, d)
    ridge = RIDGE * np.trace(covariance) / len(covariance) + np.finfo(np.float64).tiny
    covariance[np.diag_indices_from(covariance)] += ridge
    return (asked - mean) @ np.linalg.solve(covariance, centred.T @ (weight * sign))


def mmd_squared(one: Sample, other: Sample) -> float | None:
    """The unbiased estimate of MMD² = E k(x, x') + E k(y, y') - 2 E k(x, y), which may fall a
    little below 0; k(a, b) = exp(-|a - b|² / 2σ²), σ the median distance in the joint sample.

    Args:
        one, other: (m, d) and (n, d).

    Returns:
        At most 2. None where a domain has fewer than 2 items.

    Reference: Gretton et al., "A Kernel Two-Sample Test", JMLR 13, 2012, equation 3.
    """
    m, n = len(one), len(other)
    if min(m, n) < 2:
        return None
    x = np.concatenate([one, other]).astype(np.float64)
    x -= x.mean(axis=0)
    lengths = np.einsum("id,id->i", x, x)
    squares = np.maximum(lengths[:, None] + lengths - 2 * x @ x.T, 0)
    squares = squares.astype(np.float32)  # exact enough from here, and thrice as fast
    pairs = squares[np.tri(m + n, k=-1, dtype=bool)]
    width = 2 * float(np.median(pairs) or pairs.mean())
    if width == 0:  # all items are the same
        return 0.0
    kernel = np.exp(-squares / width)
    np.fill_diagonal(kernel, 0)
    of_one, of_other, between = (
        float(block.sum(dtype=np.float64))
        for block in (kernel[:m, :m], kernel[m:, m:], kernel[:m, m:])
    )
    return of_one / (m * (m - 1)) + of_other / (n * (n - 1)) - 2 * between / (m * n)
