"""Parts of a score that are thought of candidates before any is trained: an order by hand, after
what the study of the defaults saw (docs/decisions/defaults.md), not fitted to it.

A measured difference d of a standard error e weighs against the prior's as a normal one would:
w d + (1 - w) prior, w = SPREAD² / (SPREAD² + e²). Where nothing is measured the prior decides.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from app.spec.outcomes import Candidate
from app.spec.portfolio import KEEPING, KEEPING_MODALITIES

SPREAD = 0.03  # standard deviation of differences between candidates of one task
PLACE = 0.005  # by which a place in the portfolio is thought better than the next
SETTINGS = 0.005  # by which defaults are thought better than other settings of a strategy
# By which what keeps the source's answers is thought better than its place, where its classes are
# the target's: in the study .06 with 5 labels per class and .02 with 50.
KEPT = 0.02
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
    """`order`: names of candidates, the preferred first. `kept`: what is thought better than its
    place."""

    order: Sequence[str] = ()
    kept: frozenset[str] = frozenset()
    views: Mapping[str, float] = field(default_factory=lambda: OTHERS)
    defaults: frozenset[Candidate] = frozenset()

    @classmethod
    def of(cls, portfolio: Sequence[Candidate], modality: str = "") -> "Prior":
        names = [candidate.name for candidate in portfolio]
        kept = KEEPING if modality in KEEPING_MODALITIES else frozenset()
        return cls(names, kept, VIEWS.get(modality, OTHERS), frozenset(portfolio))

    def worth(self, candidate: Candidate) -> float:
        """Says what is thought of a candidate, over the first of the portfolio without views."""
        return self._of_way(candidate) + self._of_views(candidate)

    def expected(
        self, candidate: Candidate, leader: Candidate, ahead: float, error: float, items: int
    ) -> float:
        """Expected score of a candidate over that of `leader`, which is measured to be `ahead` of
        it by so much, with this standard error, on so many items.

        Views are weighed as if one item more told the two apart: few labels are learnt by heart
        without them as well as with them, and few held-out items are then answered alike.
        """
        weight, of_views = _weight(error), _weight(max(error, 1 / items))
        way = self._of_way(candidate) - self._of_way(leader)
        views = self._of_views(candidate) - self._of_views(leader)
        return -weight * ahead + (1 - weight) * way + (1 - of_views) * views

    def _of_way(self, candidate: Candidate) -> float:
        place = self.order.index(candidate.name) if candidate.name in self.order else 0
        plain = candidate.model_copy(update={"augmentation": None})
        better = KEPT * (candidate.way in self.kept)
        return better - PLACE * place - SETTINGS * (plain not in self.defaults)

    def _of_views(self, candidate: Candidate) -> float:
        how = candidate.augmentation
        return self.views.get(how.strength, 0.0) + MIRROR * how.mirror if how else 0.0


def _weight(error: float) -> float:
    """Weight of what was measured, beside the prior."""
    return SPREAD**2 / (SPREAD**2 + error**2)
