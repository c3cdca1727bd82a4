"""Intervals of a gain for other seeds and other test items at once."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

from worker.evaluation.arrays import Floats
from worker.evaluation.measures.contract import Labels


@dataclass(frozen=True)
class CrossedInterval:
    """`p_value` is two-sided, that the mean is 0."""

    low: float
    high: float
    p_value: float


def crossed_interval(
    differences: Floats, confidence: float, is_rate: bool = True, classes: Labels | None = None
) -> CrossedInterval:
    """Interval of the mean of D[s, i] = μ + seed_s + item_i + rest_si, all random, from a two-way
    analysis of variance with the mean squares M:

        V_seeds = M_seeds / (S I)                           of the mean, by seeds and the rest
        V_items = max(0, M_items - M_rest) / (S I) + 1/2I²  by items alone
        ν = (V_seeds + V_items)² / (V_seeds²/(S-1) + V_items²/(I-1))

    and mean ± max(t_ν √(V_seeds + V_items), t_{S-1} √V_seeds): never shorter than the t-interval
    over the seeds, which takes the items for granted. 1/2I² is what one more item would add that is
    won or lost every other time: that no item was contested does not show that none ever will be.
    It stands for items that are right or wrong, and is left out of other metrics.

    Of a mean over classes, some of which may have few items, the items' mean squares are summed
    class by class: see `unbiased`.

    benchmarks/coverage.py simulates how often it covers the truth.

    Args:
        differences: D, transfer minus baseline, (seeds S, items I), S > 1 and I > 1. Where an item
            is right or wrong D lies in -1..1.
        confidence: in (0, 1).
        is_rate: whether the metric counts items that are right or wrong.
        classes: of the items, (I,), where the metric is a mean over classes and D are influences.

    Raises:
        ValueError: there is a single seed or a single item.

    References: Cornfield & Tukey, Ann. Math. Statist. 27, 1956 (the mean squares); Satterthwaite,
    Biometrics Bulletin 2, 1946 (ν); Agresti & Min, Statist. Med. 24, 2005, pp. 729-740 (items
    added to matched pairs); Owen, Ann. Appl. Statist. 1, 2007, doi:10.1214/07-AOAS122 (why neither
    factor may be left out).
    """
    seeds, items = differences.shape
    if seeds < 2 or items < 2:
        raise ValueError(f"expected at least 2 seeds and 2 items, got {seeds} and {items}")
    mean = float(differences.mean())
    of_seeds, of_items = differences.mean(axis=1) - mean, differences.mean(axis=0) - mean
    rest = differences - mean - of_seeds[:, None] - of_items
    m_seeds = items * float(of_seeds @ of_seeds) / (seeds - 1)
    by_item, by_rest = of_items**2, (rest**2).sum(axis=0)
    if classes is not None:
        by_item, by_rest = unbiased(by_item, classes), unbiased(by_rest, classes)
    m_items = seeds * float(by_item.sum()) / (items - 1)
    m_rest = float(by_rest.sum()) / ((seeds - 1) * (items - 1))
    by_seeds = m_seeds / (seeds * items)
    by_items = max(0.0, m_items - m_rest) / (seeds * items)
    if is_rate:
        by_items += 0.5 / items**2
    by_both = by_seeds + by_items
    if not by_both:  # every seed says the same of every item
        return CrossedInterval(mean, mean, 0.0 if mean else 1.0)
    nu = by_both**2 / (by_seeds**2 / (seeds - 1) + by_items**2 / (items - 1))
    freedom, errors = np.array([nu, seeds - 1]), np.sqrt([by_both, by_seeds])
    margin = float((student.ppf((1 + confidence) / 2, freedom) * errors).max())
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = np.where(errors > 0, abs(mean) / errors, np.inf)
    p_value = float(2 * student.sf(ratios, freedom).max())
    return CrossedInterval(mean - margin, mean + margin, p_value)


def unbiased(squares: Floats, classes: Labels) -> Floats:
    """Squared deviations of items, (I,), from their class's mean, as influences have them: of T
    items T / (T - 1) times, since the mean is these items' own. A class's only item, which cannot
    deviate, has what the items of other classes have on the mean, with its own class's weight.

    Without it a class of 1 to 3 test items counted as if it were known exactly: of jobs without a
    gain up to 7 % were called positive by auc, average precision or balanced accuracy.
    """
    _, own, counts = np.unique(classes, return_inverse=True, return_counts=True)
    items = counts[own]
    if (items == 1).all():
        return squares
    found: Floats = squares * items / np.maximum(1, items - 1)
    of_class = np.bincount(own, found * items)
    found[items == 1] = of_class[counts > 1].mean()
    return found
