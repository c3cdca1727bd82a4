"""How far counted answers are from others, and whether by more than chance.

The distance is the total variation, TV = ½ Σ_k |p_k − q_k|: so large a share of the answers would
have to be others for the two to agree. Of two samples of n and m independent items from the same
distribution

    E TV ≤ ½ Σ_k sqrt(r_k (1 − r_k) (1/n + 1/m)),     r the distribution of both together,
    P(TV ≥ E TV + t) ≤ exp(−2 t² / (1/n + 1/m)),

the first by Jensen's inequality, the second by McDiarmid's: one item changes TV by 1/n or 1/m at
most. The limit is that at a probability of 1 in 1,000, and 0.1 at least: with enough items
any difference is beyond chance, and a small one is of no concern. The mean confidences
are held against the same second line, with both signs, by Hoeffding's inequality.
"""

from dataclasses import dataclass
from math import log, sqrt
from typing import Literal

from app.traffic.counts import AnswersSeen

FALSE_ALARMS = 0.001  # per look, at most
LEAST = 0.1
FEWEST = 50  # items on either side

Standing = Literal["too_few", "same", "drifted"]


@dataclass(frozen=True)
class Distance:
    """A distance of 0 to 1, and the limit above which it is no chance; None of too few items."""

    value: float
    limit: float | None

    @property
    def standing(self) -> Standing:
        if self.limit is None:
            return "too_few"
        return "drifted" if self.value > self.limit else "same"


def of_kinds(now: AnswersSeen, then: AnswersSeen) -> Distance:
    """Distance of the kinds of answers; both have items."""
    kinds = now.kinds.keys() | then.kinds.keys()
    shares = [
        (now.kinds.get(kind, 0) / now.items, then.kinds.get(kind, 0) / then.items) for kind in kinds
    ]
    value = sum(abs(p - q) for p, q in shares) / 2
    if min(now.items, then.items) < FEWEST:
        return Distance(value, None)
    spread = 1 / now.items + 1 / then.items
    both = [(now.kinds.get(k, 0) + then.kinds.get(k, 0)) / (now.items + then.items) for k in kinds]
    by_chance = sum(sqrt(r * (1 - r) * spread) for r in both) / 2
    return Distance(value, max(LEAST, by_chance + sqrt(log(1 / FALSE_ALARMS) * spread / 2)))


def of_confidence(now: AnswersSeen, then: AnswersSeen) -> Distance:
    """Distance of the mean confidences; both have items."""
    value = abs(now.confidence / now.items - then.confidence / then.items)
    if min(now.items, then.items) < FEWEST:
        return Distance(value, None)
    spread = 1 / now.items + 1 / then.items
    return Distance(value, max(LEAST, sqrt(log(2 / FALSE_ALARMS) * spread / 2)))
