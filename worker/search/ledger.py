"""The ledger of what a search has evaluated, what that has cost, and what it may still cost."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import inf

from app.spec.forecast import SEARCH_OVER_TRAINING
from app.spec.outcomes import Candidate, head_epochs
from worker.search.candidates import Costs
from worker.search.evaluations import Finished, Result
from worker.search.prior import Prior
from worker.search.standing import Standing
from worker.training.items import Indices


@dataclass(frozen=True)
class Task:
    """One evaluation: train `candidate` exactly, judge it on the items that `fold` holds out."""

    candidate: Candidate
    fold: int
    begins: float  # where the search stands, 0..1, and will stand after it
    ends: float


Evaluate = Callable[[Task], Result]


class OutOfSeconds(Exception):
    """Internal to a search: it ends with the best so far."""


@dataclass(eq=False)
class Ledger:
    """Evaluations that stand in `finished` are answered from there, in their order."""

    portfolio: Sequence[Candidate]
    evaluate: Evaluate
    costs: Costs
    folds: int
    seeds: int
    limit: float | None  # seconds
    finished: list[Finished]
    prior: Prior = field(default_factory=Prior)
    places: Sequence[Indices] = ()  # of the items that each fold holds out; none: all are others
    size: float = 1.0  # what scores are counted in, in the metric's unit

    most: float = field(default=inf, init=False)  # that all there is to evaluate would cost
    views: str = field(default="", init=False)  # what was found of augmentation, in words
    standings: list[Standing] = field(default_factory=list, init=False)
    last: list[Standing] = field(default_factory=list, init=False)  # comparable, complete
    best: Standing | None = field(default=None, init=False)  # of `last`
    evaluations: int = field(default=0, init=False)
    cost: float = field(default=0.0, init=False)
    seconds: float = field(default=0.0, init=False)
    _progress: float = field(default=0.0, init=False)
    _heads: dict[str, int] = field(default_factory=dict, init=False)  # a strategy's, converged

    def allowance(self, field: Sequence[Candidate]) -> float:
        """Allowance of the whole search, in steps, as long as each of `field` may be chosen: by the
        cheapest, or by the job's epochs where they cost more. A probe that has converged at once
        would leave no room to compare it with anything."""
        names = {candidate.name for candidate in field}
        costs = [self.trial(each) for each in self.portfolio if each.name in names]
        most = SEARCH_OVER_TRAINING * self.seeds * max(min(costs), self.costs.of_epochs)
        return max(most, self.costs.least)

    def trial(self, candidate: Candidate) -> float:
        """Steps, at most, of one trial."""
        return self.costs.of_trial(candidate, self._heads.get(candidate.name))

    def expected(self, candidate: Candidate, share: float) -> float:
        """Steps, at most, of one fold."""
        return self.costs.of_fold(candidate, share, self._heads.get(candidate.name))

    def standing(self, candidate: Candidate, rung: int, share: float) -> Standing:
        standing = Standing(candidate, rung, share, places=self.places, size=self.size)
        self.standings.append(standing)
        return standing

    def is_known(self, candidate: Candidate, share: float) -> bool:
        """Tells whether its first fold has been measured with this share of its epochs."""
        return self._measured(candidate, share) is not None

    def whole(self, candidate: Candidate, rung: int) -> Standing:
        """Standing of a candidate with all its epochs, with the folds that it was measured on."""
        known = self._measured(candidate, 1.0)
        if known is None:
            return self.standing(candidate, rung, 1.0)
        known.dropped = known.failure
        return known

    def _measured(self, candidate: Candidate, share: float) -> Standing | None:
        known = (
            each
            for each in self.standings
            if each.results and (each.candidate, each.share) == (candidate, share)
        )
        return next(known, None)

    def rung(
        self, field: Sequence[Candidate], rung: int, share: float, folds: int
    ) -> list[Standing]:
        """Candidate after candidate: its compiled loop serves all its folds."""
        standings = [
            self._measured(candidate, share) or self.standing(candidate, rung, share)
            for candidate in field
        ]
        for standing in standings:
            standing.dropped = None
            while len(standing.results) < folds and not standing.failure:
                self.measure(standing)
        return standings

    def measure(self, standing: Standing) -> None:
        """Measures a candidate on its next fold."""
        if self.limit is not None and self.seconds >= self.limit:
            raise OutOfSeconds
        candidate, share, fold = standing.candidate, standing.share, len(standing.results)
        begins = self._progress
        room = min(self.most, self.allowance([candidate])) - self.cost
        part = min(1.0, self.expected(candidate, share) / room) if room > 0 else 1.0
        self._progress = ends = begins + (1 - begins) * part
        shorter = candidate.shortened(share, self.costs.training)
        result = self._remembered(standing, fold)
        if result is None:
            result = self.evaluate(Task(shorter, fold, begins, ends))
            self.finished.append(
                Finished(candidate=candidate, rung=standing.rung, fold=fold, result=result)
            )
        standing.results.append(result)
        self.evaluations += 1
        self.cost += result.cost
        self.seconds += result.seconds
        if 0 < result.head < head_epochs(shorter):
            self._heads[candidate.name] = result.head

    def _remembered(self, standing: Standing, fold: int) -> Result | None:
        if self.evaluations >= len(self.finished):
            return None
        past, candidate = self.finished[self.evaluations], standing.candidate
        if (past.candidate, past.rung, past.fold) != (candidate, standing.rung, fold):
            raise ValueError(
                f"expected the state of this search, with {candidate.name} on rung "
                f"{standing.rung}, fold {fold}; got {past.candidate.name} on rung {past.rung}, "
                f"fold {past.fold}"
            )
        return past.result
