"""Quality of rankings of sources by scores known before training, once all were measured.

Scores and measurements come in the same order, one a source, more is better; None where there is
none. All that is asked of them are those sources that have both.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import kendalltau, weightedtau

from worker.evaluation.arrays import Floats

Values = Sequence[float | None]


@dataclass(frozen=True)
class RankCorrelation:
    """-1 (reversed) to 1 (the same order); None where all scores, or all measurements, are tied."""

    kendall_tau: float | None
    weighted_tau: float | None  # exchanges among the best count for more


def rank_correlation(scores: Values, measured: Values) -> RankCorrelation | None:
    """Kendall's τ_b, and the weighted τ of additive hyperbolic weights 1/(rank + 1), the mean over
    the two rankings.

    Returns:
        None where fewer than 2 sources have both.

    Reference: Vigna, "A weighted correlation index for rankings with ties", WWW 2015.
    """
    paired = _paired(scores, measured)
    if paired is None:
        return None
    x, y = paired
    if x.min() == x.max() or y.min() == y.max():
        return RankCorrelation(None, None)
    return RankCorrelation(float(kendalltau(x, y).statistic), float(weightedtau(x, y).statistic))


def regret(scores: Values, measured: Values) -> float | None:
    """The best measurement minus that of the source that the score puts first: what it would have
    cost to believe it, in the measurement's unit. Sources that share the first place count by
    their mean, as if one were drawn. The best may be a source without a score.

    Returns:
        0 or more. None where fewer than 2 sources have both.
    """
    paired = _paired(scores, measured)
    if paired is None:
        return None
    x, y = paired
    best = max(value for value in measured if value is not None)
    return max(0.0, best - float(y[x == x.max()].mean()))


def _paired(scores: Values, measured: Values) -> tuple[Floats, Floats] | None:
    pairs = [
        (score, value)
        for score, value in zip(scores, measured, strict=True)
        if score is not None and value is not None
    ]
    if len(pairs) < 2:
        return None
    x, y = np.array(pairs, np.float64).T
    return x, y
