"""Parts of a score that are thought of candidates before any is trained: an order by hand, after
what the study of the defaults saw (docs/decisions/defaults.md), not fitted to it.

A measured difference d of a standard error e weighs against the prior's as a normal one would:
w d + (1 - w) prior, w = SPREAD² / (SPREAD² + e²). Where nothing is measured the prior decides.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from app.spec.outcomes import Candidate

SPREAD = 0.03  # standard deviation of differences between candidates of one task
PLACE = 0.005  # by which a place in the portfolio is thought better than the next
SETTINGS = 0.005  # by which defaults are thought better than other settings of a strategy
# It makes other classes of digits and letters, so held-out items have to speak for it, not one of
# 16.
MIRROR = -0.02
# Modality -> strength of augmentation -> what it is thought to bring over none.
VIEWS: dict[str, dict[str, float]] = {
    "image": {"weak": 0.02, "strong": 0.01},
    "table": {"weak": -0.005, "strong": -0.01},
    "text": {"weak": -0.005, "strong": -0.01},
}
OTHERS = {"weak": -0.005, "strong": -0.01}


@dataclass(frozen=True)
class Prior:
    """`order`: names of candidates, the preferred first."""

    order: Sequence[str] = ()
    views: Mapping[str, float] = field(default_factory=lambda: OTHERS)
    defaults: frozenset[Candidate] = frozenset()

    @classmethod
    def of(cls, portfolio: Sequence[Candidate], modality: str = "") -> "Prior":
        names = [candidate.name for candidate in portfolio]
        return cls(names, VIEWS.get(modality, OTHERS), frozenset(portfolio))

    def worth(self, candidate: Candidate) -> float:
        """Says what is thought of a candidate, over the first of the portfolio without views."""
        place = self.order.index(candidate.name) if candidate.name in self.order else 0
        worth = -PLACE * place
        how = candidate.augmentation
        if how:
            worth += self.views.get(how.strength, 0.0) + MIRROR * how.mirror
        plain = candidate.model_copy(update={"augmentation": None})
        return worth - SETTINGS * (plain not in self.defaults)

    def expected(
        self, candidate: Candidate, leader: Candidate, ahead: float, error: float
    ) -> float:
        """Expected score of a candidate over that of `leader`, which is measured to be `ahead` of
        it by so much, with this standard error."""
        weight = SPREAD**2 / (SPREAD**2 + error**2)
        return -weight * ahead + (1 - weight) * (self.worth(candidate) - self.worth(leader))
