"""Standing of a candidate on a rung, and which of several is to be had."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from scipy.stats import t as student

from app.spec.outcomes import Candidate, Tried
from app.tasks.contract import Metric
from worker.search.evaluations import Result
from worker.search.judging import Values, difference
from worker.search.prior import Prior
from worker.training.items import Indices

NOISE = 1.0  # standard errors of a paired difference
_QUANTITY = Metric("", bounds=(None, None), is_in_unit=True)


@dataclass(eq=False)
class Standing:
    candidate: Candidate
    rung: int
    share: float
    results: list[Result] = field(default_factory=list)  # one a fold, from the first
    dropped: str | None = None
    places: Sequence[Indices] = ()  # of the items that each fold holds out; none: all are others
    size: float = 1.0  # what a score is counted in, in the metric's unit

    @property
    def name(self) -> str:
        """The candidate's, with its views where it has some."""
        how = self.candidate.augmentation
        return f"{self.candidate.name} (augmentation {how.words})" if how else self.candidate.name

    @property
    def failure(self) -> str | None:
        return next((each.failure for each in self.results if each.failure), None)

    @property
    def is_measured(self) -> bool:
        return bool(self.results) and self.failure is None

    @property
    def values(self) -> Values:
        """One value an item: where folds were parted anew, the mean of an item's."""
        return self._by_item([each.values for each in self.results])

    @property
    def score(self) -> float:
        return float(self.values.mean())

    @property
    def losses(self) -> Values:
        return self._by_item([each.losses for each in self.results])

    def _by_item(self, folds: Sequence[Sequence[float]]) -> Values:
        found = np.concatenate([np.asarray(values, np.float64) for values in folds])
        if not self.places:
            return found
        items = np.concatenate(self.places[: len(folds)])
        counts = np.bincount(items)
        return np.bincount(items, found)[counts > 0] / counts[counts > 0]

    @property
    def loss(self) -> float:
        return float(self.losses.mean())

    @property
    def merit(self) -> tuple[float, float]:
        """The larger the better; rounded, for equal items summed in another order are a tie."""
        return round(self.score, 9), -round(self.loss, 9)

    def over(self, other: "Standing") -> tuple[float, float]:
        """Amount by which it is better, and the standard error of that, on the folds that both
        have."""
        folds = min(len(self.results), len(other.results))
        return difference(self.on(folds).values, other.on(folds).values)

    def is_within_noise_of(self, leader: "Standing") -> bool:
        ahead, error = leader.over(self)
        return ahead <= NOISE * error + 1e-12

    def on(self, folds: int) -> "Standing":
        """The same on the first `folds` only."""
        results = self.results[:folds]
        return replace(self, results=results, dropped=None)

    def tried(self, scale: float = 1.0) -> Tried:
        """Record as a search leaves it. `scale`: what a score times it is the metric."""
        candidate, strategy = self.candidate, self.candidate.strategy
        return Tried(
            strategy=candidate.way,
            params=strategy.params.model_dump(mode="json") if strategy else {},
            learning_rate=candidate.learning_rate,
            weight_decay=candidate.weight_decay,
            epochs=candidate.epochs,
            augmentation=candidate.augmentation,
            imbalance=candidate.imbalance,
            rung=self.rung,
            share=self.share,
            folds=len(self.results),
            score=scale * self.score if self.is_measured else None,
            loss=self.loss if self.is_measured else None,
            seconds=sum(each.seconds for each in self.results),
            dropped=self.dropped,
        )


def ranked(standings: Sequence[Standing]) -> list[Standing]:
    """Those that could be measured, the best on the folds that all have first; of equals the
    earlier."""
    measured = [each for each in standings if each.is_measured]
    folds = min((len(each.results) for each in measured), default=0)
    return sorted(measured, key=lambda each: each.on(folds).merit, reverse=True)


def choose(standings: Sequence[Standing], prior: Prior) -> Standing | None:
    """Chooses the one of which most is expected, by its score over the best's and the prior; of
    equals the one whose loss is lower, then the one that the prior prefers."""
    order = ranked(standings)

    def merit(each: Standing) -> tuple[float, float, float]:
        ahead, error = order[0].over(each) if each is not order[0] else (0.0, 0.0)
        items = len(each.values)
        expected = prior.expected(each.candidate, order[0].candidate, ahead, error, items)
        return round(expected, 9), -round(each.loss, 9), prior.worth(each.candidate)

    return max(order, key=merit, default=None)


def is_clearly_behind(leader: Standing, other: Standing, error: float) -> bool:
    """Tells whether Student's t of the paired differences says so with at most this error."""
    ahead, deviation = leader.over(other)
    items = min(len(leader.values), len(other.values))
    if ahead <= 0 or items < 2:
        return False
    return ahead > float(student.isf(error, items - 1)) * deviation + 1e-12


def behind(leader: Standing, other: Standing) -> str:
    ahead, error = leader.over(other)
    return f"{apart(ahead, error, leader.size)} behind {leader.name}"


def apart(ahead: float, error: float, size: float, signed: bool = False) -> str:
    """`0.012 ± 0.004`, in the metric's unit."""
    return f"{told(ahead, size, signed)} ± {told(error, size)}"


def told(score: float, size: float, signed: bool = False) -> str:
    """A score in the metric's unit: three decimals, four digits of what has a unit."""
    if size == 1:
        return f"{score:{'+' if signed else ''}.3f}"
    return _QUANTITY.shown(size * score, signed)
