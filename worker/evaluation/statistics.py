"""How sure one can be of a gain: over seeds (t) and over test items (bootstrap)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.stats import t as student

from worker.evaluation.arrays import Floats, Ints
from worker.evaluation.metrics import rates_from_counts

RESAMPLES = 2000
CELLS_AT_ONCE = 4_000_000  # resamples × items held in memory


@dataclass(frozen=True)
class MeanInterval:
    """`low` and `high` are None when n = 1: one value says nothing of its spread."""

    mean: float
    low: float | None
    high: float | None
    n: int


def mean_interval(values: Sequence[float] | Floats, confidence: float) -> MeanInterval:
    """mean ± t_{n-1, (1+confidence)/2} s / √n, with s the sample standard deviation (n - 1).

    Args:
        values: one a seed, (n,), n > 0. Differences give the paired interval of a gain.
        confidence: in (0, 1).

    Raises:
        ValueError: there are no values.
    """
    n = len(values)
    if n == 0:
        raise ValueError("interval: expected at least 1 value, got 0")
    mean = float(np.mean(values))
    if n == 1:
        return MeanInterval(mean, None, None, 1)
    margin = float(student.ppf((1 + confidence) / 2, n - 1) * np.std(values, ddof=1) / np.sqrt(n))
    return MeanInterval(mean, mean - margin, mean + margin, n)


def paired_p_value(differences: Sequence[float] | Floats) -> float:
    """Two-sided p of the paired t-test, P(|T_{n-1}| >= |mean| √n / s) when the true gain is 0.

    Args:
        differences: transfer minus baseline, one a seed, (n,), n > 1. When all are equal s is 0,
            and p is 1 for a gain of 0, else 0.
    """
    n, mean, spread = len(differences), np.mean(differences), np.std(differences, ddof=1)
    if spread == 0:
        return float(mean == 0)
    return float(2 * student.sf(abs(mean) * np.sqrt(n) / spread, n - 1))


def bootstrap_scores(
    y: Ints,
    predictions: Ints,
    classes: int,
    metric: str,
    seed: int | Sequence[int],
    resamples: int = RESAMPLES,
) -> Floats:
    """The metric, averaged over seeds, on test items drawn anew with replacement.

    The draws depend on `seed`, n and `resamples` alone, so two arms scored with the same ones are
    paired item by item: the difference of their scores is the paired bootstrap of the gain.

    Args:
        y: labels, (n,), 0 <= y < classes.
        predictions: classes, (seeds, n).
        metric: a name that rates_from_counts knows.

    Returns:
        (resamples,)
    """
    random = np.random.default_rng(seed)
    seeds, n = predictions.shape
    # An item counts, where it is drawn, for its class, each seed's prediction and each seed's hit.
    blocks = 1 + 2 * seeds
    rows = np.vstack([y, predictions, *[y] * seeds]) + classes * np.arange(blocks)[:, None]
    values = np.vstack([np.ones((1 + seeds, n)), predictions == y])
    columns = np.tile(np.arange(n), blocks)
    counts_for = csr_array((values.ravel(), (rows.ravel(), columns)), (classes * blocks, n))
    scores, step = [], max(1, CELLS_AT_ONCE // n)
    for start in range(0, resamples, step):
        size = min(step, resamples - start)
        drawn = random.integers(0, n, (size, n)) + n * np.arange(size)[:, None]
        times = np.bincount(drawn.ravel(), minlength=size * n).reshape(size, n)
        counts = (counts_for @ times.T.astype(np.float64)).T.reshape(size, blocks, classes)
        true, predicted, hits = np.split(counts, [1, 1 + seeds], axis=1)
        scores.append(rates_from_counts(hits, true, predicted)[metric].mean(axis=1))
    return np.concatenate(scores)


def percentile_interval(samples: Floats, confidence: float) -> tuple[float, float]:
    """The (1 - confidence)/2 and (1 + confidence)/2 quantiles of `samples`, (resamples,)."""
    low, high = np.quantile(samples, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def bootstrap_p_value(samples: Floats) -> float:
    """Two-sided: 2 (1 + min(#{<= 0}, #{>= 0})) / (resamples + 1), at most 1."""
    fewer = min((samples <= 0).sum(), (samples >= 0).sum())
    return float(min(1.0, 2 * (1 + fewer) / (len(samples) + 1)))


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down correction: of the ascending p_(1..m), max_{j<=i} min(1, (m-j+1) p_(j)).

    Returns:
        The corrected values in the order given. Reference: Holm, 1979, Scand. J. Statist. 6.
    """
    corrected, floor = [0.0] * len(p_values), 0.0
    for rank, index in enumerate(np.argsort(p_values, kind="stable")):
        floor = max(floor, min(1.0, (len(p_values) - rank) * p_values[index]))
        corrected[index] = floor
    return corrected
