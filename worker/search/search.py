"""A search from its first evaluation to its outcome.

Pure: the trainings are `evaluate`'s. What has finished is remembered in a list, and the same calls
after it come to the same end, bit for bit.
"""

from collections.abc import Sequence

from app.spec.outcomes import Candidate, SearchOutcome
from app.spec.training import Space
from worker.search.candidates import Costs
from worker.search.evaluations import Finished
from worker.search.halving import SHORT_THEN_WHOLE, halve
from worker.search.ledger import Evaluate, Ledger, OutOfSeconds
from worker.search.proposals import dimensions
from worker.search.standing import Standing, behind, ranked
from worker.search.tuning import tune

HALVING_BEFORE_TUNING = 0.6  # of the budget


def search(
    portfolio: Sequence[Candidate],
    evaluate: Evaluate,
    costs: Costs,
    *,
    folds: int,
    seeds: int,
    space: Space | None = None,
    seed: int = 0,
    metric: str = "score",
    scale: float = 1.0,
    seconds: float | None = None,
    finished: list[Finished] | None = None,
) -> SearchOutcome:
    """Chooses among `portfolio`, and settings in `space` for what is left of it.

    Args:
        portfolio: different strategies, the safest first; at least one.
        evaluate: may raise, to stop the search; what has finished by then is in `finished`.
        costs: of one evaluation and of one trial, at most.
        folds: there are, at least 1.
        seeds: that the arm is trained with. The search costs no more than SEARCH_OVER_TRAINING
            times as many trainings of the cheapest candidate still in it, or of the job's epochs
            where they cost more.
        metric: the score's name, for the reason.
        scale: what a score times it is the metric: scores are compared, metrics are told.
        seconds: of evaluations, at most; the one under way ends.
        finished: of an earlier call with the same arguments, to go on from; it grows.

    Raises:
        ValueError: `finished` is of another search.
    """
    space, finished = space or Space(), [] if finished is None else finished
    ledger = Ledger(portfolio, evaluate, costs, folds, seeds, seconds, finished)
    is_stopped = False
    try:
        tunes = any(dimensions(each, space) for each in portfolio)
        halve(ledger, HALVING_BEFORE_TUNING if tunes else 1.0)
        tune(ledger, space, len(SHORT_THEN_WHOLE), seed)
    except OutOfSeconds:
        is_stopped = True
    best = ledger.best
    chosen = best.candidate if best else portfolio[0]
    _say_why_not(ledger, is_stopped)
    default = next(each for each in portfolio if each.name == chosen.name)
    return SearchOutcome(
        chosen=chosen,
        reason=_reason(ledger, chosen, metric, scale)
        + (", when the seconds ended" if is_stopped else ""),
        tried=tuple(each.tried(scale) for each in ledger.standings),
        stopped="budget" if is_stopped else None,
        trainings=ledger.cost / ledger.trial(default),
        seconds=ledger.seconds,
    )


def _say_why_not(ledger: Ledger, is_stopped: bool) -> None:
    best = ledger.best
    if best:
        best.dropped = None
    for each in ledger.standings:
        if each.failure:
            each.dropped = each.failure
        elif each is best or each.dropped:
            continue
        elif best and (each in ledger.last or each.share == best.share == 1):
            each.dropped = _beside(best, each)
        elif is_stopped and (best is None or each.rung > best.rung):
            each.dropped = "the seconds ended"


def _beside(best: Standing, other: Standing) -> str:
    """Why one that could have been chosen was not."""
    ahead, error = other.over(best)
    if ahead <= 0:
        return behind(best, other)
    said = f"{ahead:.3f} ± {error:.3f} ahead of {best.candidate.name}: within noise"
    saved, error = best.saves(other)
    if best.clearly_saves(other):
        said += f", and its loss is {saved:.3f} ± {error:.3f} higher"
    return said


def _reason(ledger: Ledger, chosen: Candidate, metric: str, scale: float) -> str:
    best = ledger.best
    if best is None or not best.is_measured:
        why = "nothing to compare it with, or no room in the budget for that"
        return f"{chosen.name} is the first of the portfolio; {why}"
    said = f"{chosen.name}: {metric} {scale * best.score:.3f} on {len(best.values)} held-out items"
    others = [each for each in ranked(ledger.last) if each is not best]
    if others:
        name = others[0].candidate.name
        name = f"{name} with other settings" if name == chosen.name else name
        said += f"; {name} was {_beside(best, others[0])}"
    return f"{said}; {ledger.evaluations} evaluations"
