"""The ranking of a job's sources for a person."""

from app.cli.output import out, print_table
from app.jobs.page.numbers import metric as head
from app.spec.report import Report
from app.spec.source_report import SourceRank, Transferability

DISTANCE = "proxy_a_distance"


def show(report: Report, found: Transferability) -> None:
    """A row per source, the most promising first, then which suits best and how clear that is."""
    scores = _scores(found)
    is_measured = any(each.measured for each in found.ranking)
    columns = ["source", *map(head, scores), head(DISTANCE)]
    if is_measured:
        columns += [f"{report.primary_metric} (mean)", "best arm"]
    print_table(
        columns,
        [
            [
                f"{each.source}: {each.name or each.reference}",
                *(_number(each.scores.get(name)) for name in scores),
                _number((each.domain_distance or {}).get(DISTANCE)),
                *(_measured(each) if is_measured else ()),
            ]
            for each in found.ranking
        ],
    )
    out.print(f"\n{headline(found)}.", markup=False, style="bold")
    if found.reason and report.arms:
        out.print(found.reason, markup=False)


def headline(found: Transferability) -> str:
    """Sentence at the head of a ranking, of an old report too, which has none."""
    first = found.ranking[0]
    by = head(found.ranked_by)
    return found.headline or f"{first.name or first.reference} suits best by {by}"


def _scores(found: Transferability) -> list[str]:
    """That which ranks first."""
    names = {name: None for each in found.ranking for name in each.scores}
    return sorted(names, key=lambda name: name != found.ranked_by)


def _measured(source: SourceRank) -> tuple[str | None, str | None]:
    return _number(source.measured.mean if source.measured else None), source.best_arm


def _number(value: float | None) -> str | None:
    return None if value is None else f"{value:.4f}"
