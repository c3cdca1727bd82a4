"""Successive halving: all strategies get a little, the worse half is dropped, the rest get all.

Jamieson & Talwalkar, "Non-stochastic best arm identification and hyperparameter optimization",
AISTATS 2016; Li et al., "Hyperband", JMLR 2018. On each rung every candidate is trained for a share
of its epochs on some of the folds.

Departures. There are two rungs at most, and one where the budget has room for training all in full:
for a handful of strategies a rung between them costs more than it saves, and a short training is a
weak witness. Held-out items may be a handful too, so a candidate within a standard error of the
leader stays, as long as that leaves the next rung as many folds. At the end not the best is chosen
but the earliest of the portfolio within a standard error of it, unless another of those has a loss
that is lower by more than its own: a loss tells more of an item than right or wrong does.
"""

from collections.abc import Sequence
from math import ceil

from app.spec.outcomes import Candidate
from worker.search.ledger import Ledger
from worker.search.standing import Standing, behind, choose, ranked

SHORT_THEN_WHOLE, WHOLE = (0.25, 1.0), (1.0,)  # shares of the epochs, rung by rung


def halve(ledger: Ledger, part: float) -> None:
    """Leaves the last rung in `ledger.last`, and who is chosen there in `ledger.best`.

    Args:
        part: of the ledger's allowance, 0..1.
    """
    halving = _Halving(ledger, part)
    field, shares = halving.plan(list(ledger.portfolio))
    for rung, share in enumerate(shares):
        rest = shares[rung + 1 :]
        field, folds = halving.fitting(field, rung, shares[rung:])
        if len(field) < 2:
            return
        ledger.last = ledger.rung(field, rung, share, folds)
        kept = halving.kept(ledger.last, folds, rest) if rest else ledger.last
        ledger.best = choose(kept, ledger.portfolio)
        field = [each.candidate for each in ranked(kept)]


class _Halving:
    def __init__(self, ledger: Ledger, part: float) -> None:
        self._ledger, self._part = ledger, part

    def plan(self, field: list[Candidate]) -> tuple[list[Candidate], Sequence[float]]:
        """The rungs, and those that start on them: the last have to go where there is no room."""
        for count in range(len(field), 1, -1):
            started = field[:count]
            folds = self._folds(started, WHOLE)
            shares = WHOLE if folds == self._ledger.folds or count == 2 else SHORT_THEN_WHOLE
            if folds or (shares is SHORT_THEN_WHOLE and self._can_begin(started)):
                self._drop(field[count:], 0, shares[0])
                return started, shares
        self._drop(field[1:], 0, 1.0)
        return field[:1], ()

    def fitting(
        self, field: list[Candidate], rung: int, rest: Sequence[float]
    ) -> tuple[list[Candidate], int]:
        """Those for whom the rung has a fold, and how many folds it has."""
        if len(rest) > 1:  # planned: the next rung's field will be what there is room for
            return field, max(1, self._folds(field, rest))
        count = len(field)
        while count > 1 and not self._folds(field[:count], rest):
            count -= 1
        self._drop(field[count:], rung, rest[0])
        return field[:count], self._folds(field[:count], rest) if count else 0

    def kept(
        self, standings: Sequence[Standing], folds: int, rest: Sequence[float]
    ) -> list[Standing]:
        """The better half, and those within noise of the leader while the next rung has room."""
        order, half = ranked(standings), ceil(len(standings) / 2)
        kept = order[:half]
        for each in order[half:]:
            is_close = each.is_within_noise_of(order[0])
            more = [one.candidate for one in [*kept, each]]
            if is_close and self._folds(more, rest) >= folds:
                kept.append(each)
                continue
            each.dropped = behind(order[0], each)
            if is_close:
                each.dropped += ", within noise, but the next rung had no room for it"
        return kept

    def _can_begin(self, field: Sequence[Candidate]) -> bool:
        """Tells whether there is a fold for all on the first rung, and for two on the second: how
        much the others will cost there is known when their heads have converged."""
        two = sorted(self._ledger.expected(each, WHOLE[0]) for each in field)[:2]
        return self._fold_cost(field, SHORT_THEN_WHOLE[0]) + sum(two) <= self._room(field)

    def _folds(self, field: Sequence[Candidate], shares: Sequence[float]) -> int:
        """On which `field` can begin and its dearer half go on, rung by rung."""
        left, one = list(field), 0.0
        for share in shares:
            one += self._fold_cost(left, share)
            dearer = sorted(left, key=lambda each: -self._ledger.expected(each, WHOLE[0]))
            left = dearer[: ceil(len(left) / 2)]
        return max(0, min(self._ledger.folds, int(self._room(field) / one + 1e-9)))

    def _fold_cost(self, field: Sequence[Candidate], share: float) -> float:
        return sum(self._ledger.expected(candidate, share) for candidate in field)

    def _room(self, field: Sequence[Candidate]) -> float:
        return self._ledger.allowance(field) * self._part - self._ledger.cost

    def _drop(self, candidates: Sequence[Candidate], rung: int, share: float) -> None:
        for candidate in candidates:
            before = (each for each in self._ledger.last if each.candidate == candidate)
            standing = next(before, None) or self._ledger.standing(candidate, rung, share)
            standing.dropped = f"no room in the budget for it on rung {rung}"
