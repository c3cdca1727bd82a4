"""Standing of a candidate on a rung, and which of several is to be had."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from app.spec.outcomes import Candidate, Tried
from worker.search.evaluations import Result
from worker.search.judging import Values, difference

NOISE = 1.0  # standard errors of a paired difference


@dataclass(eq=False)
class Standing:
    candidate: Candidate
    rung: int
    share: float
    results: list[Result] = field(default_factory=list)  # one a fold, from the first
    dropped: str | None = None

    @property
    def failure(self) -> str | None:
        return next((each.failure for each in self.results if each.failure), None)

    @property
    def is_measured(self) -> bool:
        return bool(self.results) and self.failure is None

    @property
    def values(self) -> Values:
        return np.concatenate([np.asarray(each.values) for each in self.results])

    @property
    def score(self) -> float:
        return float(self.values.mean())

    @property
    def losses(self) -> Values:
        return np.concatenate([np.asarray(each.losses) for each in self.results])

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

    def saves(self, other: "Standing") -> tuple[float, float]:
        """Amount by which its loss is lower, likewise."""
        folds = min(len(self.results), len(other.results))
        return difference(other.on(folds).losses, self.on(folds).losses)

    def clearly_saves(self, other: "Standing") -> bool:
        saved, error = self.saves(other)
        return saved > NOISE * error + 1e-12

    def is_within_noise_of(self, leader: "Standing") -> bool:
        ahead, error = leader.over(self)
        return ahead <= NOISE * error + 1e-12

    def on(self, folds: int) -> "Standing":
        """The same on the first `folds` only."""
        return Standing(self.candidate, self.rung, self.share, self.results[:folds])

    def tried(self, scale: float = 1.0) -> Tried:
        """Record as a search leaves it. `scale`: what a score times it is the metric."""
        candidate, strategy = self.candidate, self.candidate.strategy
        return Tried(
            strategy=candidate.way,
            params=strategy.params.model_dump(mode="json") if strategy else {},
            learning_rate=candidate.learning_rate,
            weight_decay=candidate.weight_decay,
            epochs=candidate.epochs,
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
    """Those that could be measured, the best first; of equals the earlier."""
    measured = [each for each in standings if each.is_measured]
    return sorted(measured, key=lambda each: each.merit, reverse=True)


def choose(standings: Sequence[Standing], defaults: Sequence[Candidate]) -> Standing | None:
    """Chooses of those within a standard error of the best, the earliest of `defaults`; or, of
    those whose loss is clearly lower than its, the one that has the lowest."""
    order = ranked(standings)
    close = [each for each in order if each.is_within_noise_of(order[0])]
    first = [one for default in defaults for one in close if one.candidate == default]
    safest = next(iter([*first, *close]), None)
    surer = [each for each in close if safest and each.clearly_saves(safest)]
    return min(surer, key=lambda each: each.loss, default=safest)


def behind(leader: Standing, other: Standing) -> str:
    ahead, error = leader.over(other)
    return f"{ahead:.3f} ± {error:.3f} behind {leader.candidate.name}"
