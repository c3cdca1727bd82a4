"""What stands behind short words of a report: a verdict's headline, `auto`, the source of
`lp_ft@2`. The page and the command line say it alike."""

from collections import Counter
from collections.abc import Sequence

from app.spec.report import Report, Verdict

HEADLINES: dict[Verdict, str] = {
    "positive_transfer": "The transfer helped",
    "no_evidence": "No evidence that the transfer helped",
    "negative_transfer": "The transfer did harm",
}
ALL = "all"


def headline(report: Report) -> str:
    """Answers whether the transfer helped; without a baseline, which arm was chosen."""
    if report.baseline is not None:
        return HEADLINES[report.verdict]
    if report.winner is None:
        return "No arm has results"
    chosen = "was chosen" if len(report.arms) > 1 else "is the only arm"
    return f"{report.winner} {chosen}; whether the transfer helped is open without a baseline"


def behind(report: Report, source_names: Sequence[str] = ()) -> dict[str, str]:
    """Words by the name of an arm that does not say it: which source it starts from, and what its
    search made of it. `source_names`: of the job's sources, in their order."""
    arms = dict.fromkeys([*report.arms, *(each.arm for each in report.searches)])
    told = {arm: [*_source(arm, source_names), *_became(arm, report)] for arm in arms}
    return {arm: ", ".join(words) for arm, words in told.items() if words}


def _source(arm: str, names: Sequence[str]) -> list[str]:
    start = arm.partition("@")[2]
    if start == ALL and names:
        return [f"from all of {', '.join(names)}"]
    if start.isdecimal() and 0 < int(start) <= len(names):
        return [f"from {names[int(start) - 1]}"]
    return []


def _became(arm: str, report: Report) -> list[str]:
    """`became lp_ft for 4 of 5 seeds and fine_tune for 1`, at the job's own label budget."""
    searches = [
        each
        for each in report.searches
        if each.arm == arm and each.labels_per_class == report.labels_per_class
    ]
    chosen = Counter(
        str(each.chosen["strategy"]["name"]) for each in searches if each.chosen.get("strategy")
    )
    if not chosen or {*chosen} == {arm.partition("@")[0]}:
        return []
    if len(chosen) == 1:
        return [f"became {next(iter(chosen))}"]
    (first, count), *others = chosen.most_common()
    rest = " and ".join(f"{name} for {number}" for name, number in others)
    return [f"became {first} for {count} of {chosen.total()} seeds and {rest}"]
