"""Racing: all candidates are looked at, then trained fold after fold until one is left.

Maron & Moore, "Hoeffding races", NeurIPS 1993; Birattari et al., "A racing algorithm for
configuring metaheuristics", GECCO 2002. Each candidate is trained on the first fold: for all its
epochs where the budget has room for that, else for a share of them, so that none is dropped unseen.
The rest of the folds goes to those still in the race, the best half first where not all fit.

A candidate that is behind the leader leaves the race where Student's t of the paired differences of
held-out items says so with an error of ERROR over all comparisons (Bonferroni): the chance that the
best one is lost is at most ERROR, as far as items are independent. Those that leave for want of
room leave by their score. Whoever is left is chosen among by worker.search.standing.choose.
"""

from collections.abc import Sequence
from math import ceil

from app.spec.outcomes import Candidate
from worker.search.ledger import Ledger
from worker.search.standing import Standing, behind, choose, is_clearly_behind, ranked

ERROR = 0.1  # of the whole race
# Shares of the epochs for the first look, and whether two are trained whole after it.
LOOKS = ((1.0, False), (0.5, True), (0.25, True), (0.1, True), (0.25, False), (0.1, False))
LOOK, WHOLE = 0, 1  # rungs


def race(ledger: Ledger, field: Sequence[Candidate], part: float) -> None:
    """Leaves those who were in it to the end in `ledger.last`, and the choice in `ledger.best`.

    Args:
        part: of the ledger's allowance, 0..1, all that was spent before included.
    """
    _Race(ledger, list(field), part).run()


class _Race:
    def __init__(self, ledger: Ledger, field: list[Candidate], part: float) -> None:
        self._ledger, self._field, self._part = ledger, field, part
        self._error = ERROR / max(1, (len(field) - 1) * (ledger.folds + 1))

    def run(self) -> None:
        if len(self._field) < 2:
            return
        share = self._share()
        if share is None:
            self._no_room(self._field, LOOK)
            return
        if share < 1:
            looked = self._ledger.rung(self._field, LOOK, share, 1)
            self._settle(looked)
            field = [each.candidate for each in self._after(looked)]
            field = self._fitting(field)
        else:
            field = self._field
        if len(field) > 1:
            self._whole(field)

    def _share(self) -> float | None:
        """Share of the epochs for the first look; None where there is no room for any."""
        whole = sorted(self._cost(each, 1.0) for each in self._field)
        for share, goes_on in LOOKS:
            cost = sum(self._cost(each, share) for each in self._field)
            if cost + goes_on * sum(whole[:2]) <= self._room():
                return share
        return None

    def _after(self, looked: Sequence[Standing]) -> list[Standing]:
        """Those that are not clearly behind, the best first; two at least. A short training is a
        weak witness."""
        order = ranked(looked)
        kept = [
            each
            for place, each in enumerate(order)
            if place < 2 or not is_clearly_behind(order[0], each, self._error)
        ]
        for each in order:
            if each not in kept:
                each.dropped = behind(order[0], each)
        return kept

    def _fitting(self, field: list[Candidate]) -> list[Candidate]:
        """The first of `field` that a whole fold has room for."""
        while len(field) > 1 and self._sum(field) > self._room():
            self._no_room(field[-1:], LOOK)
            field = field[:-1]
        return field

    def _whole(self, field: list[Candidate]) -> None:
        ledger = self._ledger
        standings = [ledger.whole(each, WHOLE) for each in field]
        for fold in range(ledger.folds):
            alive = [each for each in standings if each.dropped is None]
            if fold:
                alive = self._roomy(alive, fold)
            if len(alive) < 2 and fold:
                break
            for each in alive:
                if len(each.results) == fold:
                    ledger.measure(each)
            self._settle(alive)
            order = ranked(alive)
            for each in order[1:]:
                if is_clearly_behind(order[0], each, self._error):
                    each.dropped = behind(order[0], each)
        self._settle([each for each in standings if each.dropped is None])

    def _roomy(self, alive: list[Standing], fold: int) -> list[Standing]:
        """Those that go on to a fold: all, or the best where there is no room for more; none where
        it would be fewer than half, or one alone: nobody leaves for that."""
        order, new = ranked(alive), [each for each in alive if len(each.results) <= fold]
        kept = [each for each in order if each in new]
        least = max(ceil(len(order) / 2), 2 - (len(alive) - len(new)))
        while len(kept) > 1 and self._fold_of(kept) > self._room():
            if len(kept) <= least:
                return []
            kept.pop()
        lost = [each for each in order if each in new and each not in kept]
        for each in lost:
            each.dropped = f"{behind(order[0], each)}, within noise, and no room for another fold"
        return [each for each in alive if each not in lost]

    def _settle(self, standings: Sequence[Standing]) -> None:
        for each in standings:
            each.dropped = each.dropped or each.failure
        self._ledger.last = [each for each in standings if each.dropped is None]
        self._ledger.best = choose(self._ledger.last, self._ledger.prior)

    def _no_room(self, candidates: Sequence[Candidate], rung: int) -> None:
        for candidate in candidates:
            before = (each for each in self._ledger.last if each.candidate == candidate)
            standing = next(before, None) or self._ledger.standing(candidate, rung, 1.0)
            standing.dropped = f"no room in the budget for it on rung {rung}"
            if standing.is_measured and self._ledger.best:
                said = behind(self._ledger.best, standing)
                standing.dropped = f"{said} after a short training, and no room for a whole one"

    def _fold_of(self, standings: Sequence[Standing]) -> float:
        return sum(self._ledger.expected(each.candidate, 1.0) for each in standings)

    def _sum(self, field: Sequence[Candidate]) -> float:
        return sum(self._cost(each, 1.0) for each in field)

    def _cost(self, candidate: Candidate, share: float) -> float:
        return (
            0.0
            if self._ledger.is_known(candidate, share)
            else self._ledger.expected(candidate, share)
        )

    def _room(self) -> float:
        return self._ledger.allowance(self._field) * self._part - self._ledger.cost
