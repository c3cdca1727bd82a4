"""Which views of training items an arm learns from: none, weak, strong, and mirrored or not.

It is asked of the first strategy of the portfolio that trains on views, and then holds for all:
what an item may look like depends on the items and their labels more than on the strategy. Mirrored
is tried last, over what was chosen, and nothing of it is assumed: it makes a b of a d.
"""

from collections.abc import Sequence

from app.spec.outcomes import Candidate
from app.spec.strategy_catalogue import CATALOGUE
from app.spec.training import Augmentation
from worker.search.ledger import Ledger
from worker.search.prior import Prior
from worker.search.racing import race
from worker.search.standing import Standing, apart

STRENGTHS: tuple[Augmentation, ...] = (
    Augmentation(strength="weak"),
    Augmentation(strength="strong"),
)


def with_views(ledger: Ledger, part: float, has_mirror: bool) -> list[Candidate]:
    """Returns the ledger's portfolio with the views that held-out items choose for its first
    strategy.

    Args:
        part: of the ledger's allowance, 0..1.
        has_mirror: whether the items have a left and a right.
    """
    portfolio = list(ledger.portfolio)
    able = [each for each in portfolio if _augments(each)]
    if not able:
        return portfolio
    first = able[0]
    options = [first, *(_with(first, how) for how in STRENGTHS)]
    share = 0.75 if has_mirror else 1.0
    race(ledger, options, share * part)
    best = ledger.best
    chosen = best.candidate if best else default_views(first, ledger.prior)
    ledger.views = said(best, options, ledger.standings)
    if has_mirror and best and best.candidate.augmentation:
        how = best.candidate.augmentation.model_copy(update={"mirror": True})
        race(ledger, [best.candidate, _with(first, how)], part)
        if ledger.best:
            chosen = ledger.best.candidate
            if chosen.augmentation == how:
                ahead, error = ledger.best.over(best)
                ledger.views += f"; mirrored {apart(ahead, error, best.size, signed=True)} over not"
    return [_with(each, chosen.augmentation) if _augments(each) else each for each in portfolio]


def default_views(candidate: Candidate, prior: Prior) -> Candidate:
    """The candidate with the views that are thought best before anything is tried."""
    if not _augments(candidate):
        return candidate
    return max((candidate, *(_with(candidate, how) for how in STRENGTHS)), key=prior.worth)


def said(best: Standing | None, options: Sequence[Candidate], standings: Sequence[Standing]) -> str:
    """Words for what was chosen, and for what it brought."""
    if best is None:
        return "augmentation as it seems best before a try: no room in the budget to try it"
    plain = [
        each for each in standings if each.candidate == options[0] and each.share == best.share
    ]
    words = f"augmentation {best.candidate.views}"
    other = plain[-1] if plain and plain[-1].is_measured else None
    if other is None or other is best:
        return words
    ahead, error = best.over(other)
    return f"{words}: {apart(ahead, error, best.size, signed=True)} over none"


def _augments(candidate: Candidate) -> bool:
    return candidate.strategy is None or CATALOGUE[candidate.strategy.name].augments


def _with(candidate: Candidate, how: Augmentation | None) -> Candidate:
    return candidate.model_copy(update={"augmentation": how})
