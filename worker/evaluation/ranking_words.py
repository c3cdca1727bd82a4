"""A ranking of sources into sentences: which suits best, and how clear that is."""

from collections.abc import Sequence

from app.jobs.report import SourceRank, Transferability

TIE = 1e-9


def in_words(found: Transferability, metric: str) -> tuple[str, str]:
    """(headline, reason). By what was measured, where at least two sources were; else by scores."""
    measured = [each for each in found.ranking if each.measured]
    if len(measured) > 1:
        headline, reason = _by_measurement(measured, found, metric)
    else:
        headline, reason = _by_scores(found)
    doubted = [each for each in found.ranking if each.doubt and _name(each) in headline]
    return headline, reason + "".join(f"; but of {_name(each)}, {each.doubt}" for each in doubted)


def _by_measurement(
    measured: Sequence[SourceRank], found: Transferability, metric: str
) -> tuple[str, str]:
    order = sorted(measured, key=lambda each: -_mean(each))
    first, second = order[:2]
    low = first.measured.low if first.measured else None
    is_clear = low is not None and _mean(second) < low
    reason = (
        f"{first.best_arm} reaches {metric} {_mean(first):.4f}, "
        f"{second.best_arm} from {_name(second)} {_mean(second):.4f}"
    )
    if not is_clear:
        reason += ", which is within the seeds' spread"
    by_score = found.ranking[0]
    agreed = "had put it first" if by_score is first else f"had put {_name(by_score)} first"
    if found.ranked_by in by_score.scores:
        reason += f"; before any transfer {found.ranked_by} {agreed}"
    return f"{_name(first)} suits best" if is_clear else _tied([first, second]), reason


def _by_scores(found: Transferability) -> tuple[str, str]:
    by, ranking = found.ranked_by, found.ranking
    values = [each.scores.get(by) for each in ranking]
    top = values[0]
    if top is None:
        return "no source could be ranked", f"none has a {by}"
    best = [
        each
        for each, value in zip(ranking, values, strict=True)
        if value is not None and top - value < TIE
    ]
    if len(best) > 1:
        return _tied(best), f"{by} {top:.4f} of each"
    headline = f"{_name(best[0])} suits best"
    if len(ranking) == 1 or values[1] is None:
        return headline, f"{by} {top:.4f}, the only one"
    reason = f"{by} {top:.4f}, the next {values[1]:.4f} ({_name(ranking[1])})"
    for_it, asked = _votes(ranking)
    others = "all" if len(for_it) == len(asked) else f"{len(for_it)} of {len(asked)}"
    reason += f"; {others} scores put it first"
    if 2 * len(for_it) <= len(asked):
        reason += ", so it is not clear"
    return headline, reason


def _votes(ranking: Sequence[SourceRank]) -> tuple[list[str], list[str]]:
    """The scores that put the first source first, alone; and all that two sources have."""
    for_it, asked = [], []
    for name, own in ranking[0].scores.items():
        others = [value for each in ranking[1:] if (value := each.scores.get(name)) is not None]
        if own is None or not others:
            continue
        asked.append(name)
        if own > max(others) + TIE:
            for_it.append(name)
    return for_it, asked


def _tied(sources: Sequence[SourceRank]) -> str:
    names = [_name(each) for each in sources]
    return f"{', '.join(names[:-1])} and {names[-1]} suit equally well"


def _name(source: SourceRank) -> str:
    return source.name or source.reference


def _mean(source: SourceRank) -> float:
    return source.measured.mean if source.measured else float("-inf")
