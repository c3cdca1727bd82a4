"""A search of settings for what the race has left: the defaults first, then proposals.

A proposal is trained in full, fold after fold, as long as it is not clearly worse than the best
(racing: Maron & Moore, NeurIPS 1993). The choice is made as in the race before it.
"""

from collections.abc import Sequence

from app.spec.outcomes import Candidate
from app.spec.training import Space
from worker.search.ledger import Ledger
from worker.search.proposals import Proposals, dimensions
from worker.search.standing import Standing, behind, choose, ranked

LEAST_PROPOSALS, MOST_PROPOSALS = 4, 24
LOSS_WEIGHT = 1e-3  # of a loss in nats over the score: it breaks ties


def tune(ledger: Ledger, space: Space, rung: int, seed: int) -> None:
    """Around the best default and the others within noise of it, as far as the budget goes; where
    they have not been trained in full, around the best alone.

    Leaves all that can be compared in `ledger.last`, and the choice in `ledger.best`.
    """
    best = ledger.best
    known = _close(ledger, best) if best and best.share == 1 else {}
    first = best.candidate if best else ledger.portfolio[0]
    defaults = [each for each in known or [first] if dimensions(each, space)]
    folds = _folds(ledger, defaults, known)
    if not folds:
        return
    standings = list(known.values()) or ledger.rung(defaults, rung, 1.0, folds)
    proposals = Proposals(defaults, space, ledger.costs.training, seed)
    for each in ranked(standings):
        if each.candidate in defaults:
            proposals.tell_default(each.candidate, _worth(each))
    ledger.last, ledger.best = standings, choose(standings, ledger.prior)
    for _ in range(MOST_PROPOSALS):
        candidate = proposals.ask()
        cost = folds * ledger.expected(candidate, 1.0)
        if ledger.cost + cost > ledger.allowance([*known, first]):
            break
        standing = _race(ledger, ledger.standing(candidate, rung, 1.0), folds)
        proposals.tell(_worth(standing) if standing.is_measured else None)
        if standing.dropped is None:
            ledger.last = [*ledger.last, standing]
            ledger.best = choose(ledger.last, ledger.prior)


def _close(ledger: Ledger, best: Standing) -> dict[Candidate, Standing]:
    """The best first."""
    order = ranked(ledger.last)
    close = [each for each in order if each.is_within_noise_of(order[0])]
    return {each.candidate: each for each in [best, *close]}


def _folds(ledger: Ledger, defaults: Sequence[Candidate], known: dict[Candidate, Standing]) -> int:
    """Of a proposal: as many as the known have, or so many that LEAST_PROPOSALS fit beside the
    default, or else one; 0 where there is no room."""
    if not defaults:
        return 0
    if known:
        return len(next(iter(known.values())).results)
    one = max(ledger.expected(each, 1.0) for each in defaults)
    affordable = int((ledger.allowance(defaults) - ledger.cost) / one)
    return min(ledger.folds, max(affordable // (1 + LEAST_PROPOSALS), min(1, affordable // 2)))


def _race(ledger: Ledger, standing: Standing, folds: int) -> Standing:
    leader = next(iter(ranked(ledger.last)), None)
    while len(standing.results) < folds and not standing.dropped:
        ledger.measure(standing)
        standing.dropped = standing.failure
        is_to_go_on = standing.is_measured and len(standing.results) < folds
        if leader and is_to_go_on and not standing.is_within_noise_of(leader):
            standing.dropped = behind(leader, standing)
    return standing


def _worth(standing: Standing) -> float:
    return standing.score - LOSS_WEIGHT * standing.loss
