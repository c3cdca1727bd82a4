"""How sure one can be of a gain for other seeds and other test items at once."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

from worker.evaluation.arrays import Floats


@dataclass(frozen=True)
class CrossedInterval:
    """`p_value` is two-sided, that the mean is 0."""

    low: float
    high: float
    p_value: float


def crossed_interval(differences: Floats, confidence: float) -> CrossedInterval:
    """Of the mean of D[s, i] = μ + seed_s + item_i + rest_si, all random, from a two-way analysis
    of variance with the mean squares M:

        Var(mean) S I = max(M_seeds + M_items - M_rest, M_seeds, M_items, M_rest)
        ν = (Var(mean) S I)² / (M_seeds²/(S-1) + M_items²/(I-1) + M_rest²/((S-1)(I-1)))

    and mean ± t_ν √Var(mean). The first term of the maximum is unbiased. The others keep it from
    falling below what each source shows by itself, which chance would let it do.

    In simulations a 95 % interval covers the truth 93 to 98 % of the time with 3 or 5 seeds, 94 to
    97 % with 10, where seeds or items differ in their gain. It covers more, up to 99 %, where all
    that differs is the rest: there it cannot know that seeds do not. It covers less where the arms
    differ on a handful of items only (82 % with two, of 100): the report warns of that.

    Args:
        differences: D, transfer minus baseline, (seeds S, items I), S > 1 and I > 1.
        confidence: in (0, 1).

    Raises:
        ValueError: there is a single seed or a single item.

    References: Cornfield & Tukey, Ann. Math. Statist. 27, 1956 (the mean squares); Satterthwaite,
    Biometrics Bulletin 2, 1946 (ν); Owen, Ann. Appl. Statist. 1, 2007, doi:10.1214/07-AOAS122 (why
    neither factor may be left out).
    """
    seeds, items = differences.shape
    if seeds < 2 or items < 2:
        raise ValueError(f"expected at least 2 seeds and 2 items, got {seeds} and {items}")
    mean = float(differences.mean())
    of_seeds, of_items = differences.mean(axis=1) - mean, differences.mean(axis=0) - mean
    rest = differences - mean - of_seeds[:, None] - of_items
    squares = np.array([items * of_seeds @ of_seeds, seeds * of_items @ of_items, (rest**2).sum()])
    freedom = np.array([seeds - 1, items - 1, (seeds - 1) * (items - 1)])
    m_seeds, m_items, m_rest = mean_squares = squares / freedom
    variance = max(m_seeds + m_items - m_rest, *mean_squares)
    if variance == 0:
        return CrossedInterval(mean, mean, float(mean == 0))
    nu = variance**2 / (mean_squares**2 / freedom).sum()
    error = np.sqrt(variance / (seeds * items))
    margin = float(student.ppf((1 + confidence) / 2, nu) * error)
    p_value = float(2 * student.sf(abs(mean) / error, nu))
    return CrossedInterval(mean - margin, mean + margin, p_value)
