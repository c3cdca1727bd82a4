"""A ranking of sources into sentences: which suits best, and how clear that is."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.jobs.page.numbers import metric as head
from app.spec.source_report import SourceRank, Transferability
from app.tasks.contract import Metric

TIE = 1e-9


@dataclass(frozen=True)
class _Answer:
    best: tuple[SourceRank, ...]  # that the headline puts first
    headline: str
    reason: str


def in_words(found: Transferability, name: str, metric: Metric) -> tuple[str, str]:
    """(headline, reason). By what was measured, where at least two sources were; else by scores."""
    measured = [each for each in found.ranking if each.measured]
    is_measured = len(measured) > 1
    answer = _by_measurement(measured, found, name, metric) if is_measured else _by_scores(found)
    doubts = [f"; but of {_name(each)}, {each.doubt}" for each in answer.best if each.doubt]
    return answer.headline, answer.reason + "".join(doubts)


def _by_measurement(
    measured: Sequence[SourceRank], found: Transferability, name: str, metric: Metric
) -> _Answer:
    first, second = sorted(measured, key=lambda each: -metric.sign * _mean(each))[:2]
    headline = f"{_name(first)} suits best"
    reason = (
        f"{first.best_arm} reaches {name} {metric.shown(_mean(first))}, "
        f"{second.best_arm} from {_name(second)} {metric.shown(_mean(second))}"
    )
    interval = first.measured
    worst = None
    if interval:
        worst = interval.low if metric.higher_is_better else interval.high
    if worst is None:
        reason += ", with one seed each"
    elif metric.sign * _mean(second) >= metric.sign * worst:
        headline += f", with no clear lead over {_name(second)}"
        reason += ", which is within the spread over seeds"
    foreseen = found.ranking[0]
    if foreseen.scores.get(found.ranked_by) is not None:
        put_first = "it" if foreseen is first else _name(foreseen)
        reason += f"; before any transfer {head(found.ranked_by)} had put {put_first} first"
    return _Answer((first,), headline, reason)


def _by_scores(found: Transferability) -> _Answer:
    by, ranking = head(found.ranked_by), found.ranking
    values = [each.scores.get(found.ranked_by) for each in ranking]
    top = values[0]
    if top is None:
        return _Answer((), "no source could be ranked", f"none has a {by}")
    best = tuple(
        each
        for each, value in zip(ranking, values, strict=True)
        if value is not None and top - value < TIE
    )
    if len(best) > 1:
        names = [_name(each) for each in best]
        tied = f"{', '.join(names[:-1])} and {names[-1]} suit equally well"
        return _Answer(best, tied, f"{by} {top:.4f} of each")
    headline = f"{_name(best[0])} suits best"
    if len(ranking) == 1 or values[1] is None:
        return _Answer(best, headline, f"{by} {top:.4f}, the only one")
    votes, asked = _votes(ranking)
    for_it = "all" if votes == asked else f"{votes} of {asked}"
    reason = (
        f"{by} {top:.4f}, the next {values[1]:.4f} ({_name(ranking[1])}); "
        f"{for_it} scores put it first"
    )
    return _Answer(best, headline, reason + (", so it is not clear" if 2 * votes <= asked else ""))


def _votes(ranking: Sequence[SourceRank]) -> tuple[int, int]:
    """How many scores put the first source first, alone, and how many could."""
    votes = asked = 0
    for name, own in ranking[0].scores.items():
        others = [value for each in ranking[1:] if (value := each.scores.get(name)) is not None]
        if own is not None and others:
            asked += 1
            votes += own > max(others) + TIE
    return votes, asked


def _name(source: SourceRank) -> str:
    return source.name or source.reference


def _mean(source: SourceRank) -> float:
    return source.measured.mean if source.measured else float("-inf")
