"""A search from its first evaluation to its outcome.

Pure: the trainings are `evaluate`'s. What has finished is remembered in a list, and the same calls
after it come to the same end, bit for bit.
"""

from collections.abc import Sequence

from app.plurals import counted
from app.spec.outcomes import Candidate, SearchOutcome
from app.spec.training import Space
from worker.search.candidates import Costs
from worker.search.evaluations import Finished
from worker.search.ledger import Evaluate, Ledger, OutOfSeconds
from worker.search.prior import Prior
from worker.search.proposals import dimensions
from worker.search.racing import WHOLE, race
from worker.search.standing import Standing, apart, behind, ranked, told
from worker.search.tuning import tune
from worker.search.views import with_views
from worker.training.items import Indices

BEFORE_TUNING = 0.6  # of the budget
FOR_VIEWS, FOR_VIEWS_ALONE = 0.4, 0.6  # of that: beside strategies, and where there is one
MOST_VIEWS = 4  # that are tried, weak, strong and mirrored among them
TUNED = WHOLE + 1  # rung
TWO_ERRORS = 2.0  # standard errors that chance brings in 1 of 20


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
    prior: Prior | None = None,
    has_mirror: bool = False,
    places: Sequence[Indices] = (),
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
        prior: what is thought of candidates before any is trained; None: the first the most.
        has_mirror: whether items may be mirrored, where augmentation is in `space`.
        places: of the items that each fold holds out, where folds share items.

    Raises:
        ValueError: `finished` is of another search.
    """
    space, finished = space or Space(), [] if finished is None else finished
    prior = prior or Prior.of(portfolio)
    ledger = Ledger(
        portfolio, evaluate, costs, folds, seeds, seconds, finished, prior, places, abs(scale)
    )
    is_stopped = False
    try:
        tunes = any(dimensions(each, space) for each in portfolio)
        part = BEFORE_TUNING if tunes else 1.0
        if not tunes:
            views = [portfolio[0]] * MOST_VIEWS if space.augmentation else []
            tried = [*portfolio, *views]
            ledger.most = folds * sum(ledger.expected(each, 1.0) for each in tried)
        if space.augmentation:
            share = FOR_VIEWS if len(portfolio) > 1 else FOR_VIEWS_ALONE
            ledger.portfolio = with_views(ledger, share * part, has_mirror)
        race(ledger, ledger.portfolio, part)
        tune(ledger, space, TUNED, seed)
    except OutOfSeconds:
        is_stopped = True
    portfolio = ledger.portfolio
    best = ledger.best
    chosen = best.candidate if best else max(_untroubled(ledger), key=prior.worth)
    _say_why_not(ledger, is_stopped)
    default = next(each for each in portfolio if each.name == chosen.name)
    return SearchOutcome(
        chosen=chosen,
        reason=_reason(ledger, chosen, metric, scale)
        + (", when the seconds ended" if is_stopped else ""),
        tried=tuple(each.tried(scale) for each in ledger.standings),
        stopped="budget" if is_stopped else None,
        # One that trains nothing has no training of its own to count in.
        trainings=ledger.cost / (ledger.trial(default) or costs.of_epochs),
        seconds=ledger.seconds,
    )


def _untroubled(ledger: Ledger) -> Sequence[Candidate]:
    """The portfolio without those of which every training failed, as long as there are others."""
    failed = {each.name for each in ledger.portfolio if _has_failed(ledger, each)}
    return [each for each in ledger.portfolio if each.name not in failed] or ledger.portfolio


def _has_failed(ledger: Ledger, candidate: Candidate) -> bool:
    own = [each for each in ledger.standings if each.candidate.name == candidate.name]
    return any(each.failure for each in own) and not any(each.is_measured for each in own)


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
    said = f"{apart(ahead, error, best.size)} ahead of {best.name}"
    if ahead <= TWO_ERRORS * error:
        return f"{said}: within noise"
    return f"{said}: too few items to outweigh what is thought best before any is tried"


def _reason(ledger: Ledger, chosen: Candidate, metric: str, scale: float) -> str:
    best = ledger.best
    if best is None or not best.is_measured:
        if any(each.failure for each in ledger.standings):
            tried = [each for each in ledger.standings if each.failure]
            are_all = all(_has_failed(ledger, each) for each in ledger.portfolio)
            which = "none" if are_all else "none that was tried"
            why = f"{which} could be trained: {tried[0].failure}"
        else:
            why = "nothing to compare it with, or no room in the budget for that"
        return f"{chosen.name} is what is thought best of such a task before any is tried; {why}"
    score = told(scale / best.size * best.score, best.size)
    said = f"{best.name}: {metric} {score} on {counted(len(best.values), 'held-out item')}"
    if best.share < 1:
        said += f" after {best.share:.0%} of its epochs, for want of room"
    rest = [each for each in ledger.standings if each.share == best.share]
    others = [each for each in [*ranked(ledger.last), *ranked(rest)] if each is not best]
    if others:
        name = others[0].name
        name = f"{name} with other settings" if name == best.name else name
        said += f"; {name} was {_beside(best, others[0])}"
    said += f"; {ledger.views}" if ledger.views else ""
    return f"{said}; {counted(ledger.evaluations, 'evaluation')}"
