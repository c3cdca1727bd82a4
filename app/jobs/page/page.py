"""The page from the job and its report. Every word that a user gave is escaped by the template."""

import json
from collections.abc import Sequence
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from app.jobs.next_labels.schemas import Ranked
from app.jobs.page import candidates, numbers, plots, told
from app.jobs.page.confusion import Confusion, confusion
from app.jobs.page.figure import Figure
from app.jobs.page.residuals import residual_plot
from app.jobs.schemas import JobOut
from app.spec.intervals import Interval
from app.spec.plan import is_pretraining
from app.spec.report import Arm, ClassMetrics, Report
from app.spec.strategies import SOURCE_ONLY, SUPERVISED
from app.tasks import TASKS

MOST_LISTED = 20  # items to label next
ARMS_A_TABLE = 5  # as many columns as a printed page is wide
METRICS = (
    "mae",
    "rmse",
    "r2",
    "accuracy",
    "balanced_accuracy",
    "auc",
    "average_precision",
    "f1_micro",
    "f1_macro",
    "map",
    "precision_macro",
    "recall_macro",
    "loss",
    "ece",
)
SOURCE_SCORES = ("leep", "h_score", "logme", "knn", "probe")
DISTANCES = ("proxy_a_distance", "mmd")
BARS_AT_MOST = 60  # classes: beyond that the best and the worst


def render(job: JobOut, report: Report, ranking: Ranked | None = None) -> str:
    """One HTML document that asks for nothing else: no script, no style sheet, no image.

    Args:
        ranking: of the items to label next, where that was asked.
    """
    report = report.model_copy(update={"arms": report.ranked})
    styles = _styles(report)
    shown = [name for name in (report.winner, report.baseline) if name in report.arms]
    shown = shown or list(report.arms)[:1]
    judged = report.arms.get(report.winner) if report.winner else None
    is_ranking = report.transferability is not None and not report.arms
    return _template().render(
        n=numbers,
        candidates=candidates,
        is_pretraining=is_pretraining,
        SUPERVISED=SUPERVISED,
        ARMS_A_TABLE=ARMS_A_TABLE,
        MOST_LISTED=MOST_LISTED,
        job=job,
        report=report,
        ranking=ranking,
        level=numbers.percent(report.confidence),
        headline=_headline(job, report),
        made_of=f"{', '.join(job.source_names)} to {job.target_name}",
        behind=told.behind(report, job.source_names),
        judged=judged,
        gain=judged.gain if judged else None,
        seeds=_seeds(report, judged),
        style={name: plots.colour(number) for name, number in styles.items()},
        metrics=_metrics(report),
        is_ranking=is_ranking,
        is_label_free=report.label_free is not None or report.baseline == SOURCE_ONLY,
        is_searched=any(arm.cost.search for arm in report.arms.values()),
        knows_steps=any(arm.cost.steps is not None for arm in report.arms.values()),
        rule_scores=_rule_scores(report),
        **_sources(report),
        forest=_forest(report, styles),
        curve=_curve(report, styles),
        beside=[name for name, arm in report.arms.items() if arm.unlabelled],
        reached=[arm.labels_to_reach for arm in report.arms.values() if arm.labels_to_reach],
        classes=_classes(report, shown),
        confusions=_confusions(report, shown),
        residuals={
            name: residual_plot(found, name, styles[name], plots.colour(styles[name]), report.unit)
            for name in shown
            if (found := report.arms[name].residuals)
        },
        slice_arms=[
            name
            for name in report.arms
            if all(name in each.arms for of in report.slices for each in of.values)
        ],
        slice_references=[
            name
            for name in report.references
            if all(name in each.references for of in report.slices for each in of.values)
        ],
        has_classes=TASKS[report.task].has_classes,
        reliability=[
            plots.reliability(calibration, name, styles[name])
            for name in shown
            if (calibration := report.arms[name].calibration)
        ],
        spec=json.dumps(job.spec, indent=2, ensure_ascii=False),
    )


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html")


def _headline(job: JobOut, report: Report) -> str:
    """Answers what the job asks; an old ranking says no more than that it is one."""
    found = report.transferability
    if found and (job.spec.get("kind") == "rank" or not report.arms):
        return found.headline or "The sources were ranked"
    return told.headline(report)


def _styles(report: Report) -> dict[str, int]:
    """Arm -> its number, from which its colour and marker follow; the baseline's is 0."""
    of_curve = {name for point in report.learning_curve for name in point.arms}
    ruled = set(_rule_scores(report))  # where the test has no labels no arm is measured
    others = count(1)
    return {
        name: 0 if name == report.baseline else next(others)
        for name in [*report.arms, *sorted((of_curve | ruled).difference(report.arms))]
    }


def _seeds(report: Report, winner: Arm | None) -> int:
    if winner and winner.gain:
        return winner.gain.n
    return max((i.n for arm in report.arms.values() for i in arm.metrics.values()), default=0)


def _metrics(report: Report) -> list[str]:
    """The primary one first, what is new to this page last."""
    names = {name for arm in report.arms.values() for name in arm.metrics}
    return _ordered(names, [report.primary_metric, *METRICS])


def _ordered(names: set[str], order: Sequence[str]) -> list[str]:
    return [n for n in dict.fromkeys(order) if n in names] + sorted(names.difference(order))


def _rule_scores(report: Report) -> dict[str, Interval]:
    """Scores of the choice without labels, the highest first."""
    scores = report.label_free.scores if report.label_free else {}
    return dict(sorted(scores.items(), key=lambda named: (-named[1].mean, named[0])))


def _sources(report: Report) -> dict[str, Any]:
    """The columns of the ranking, that which ranks first."""
    found = report.transferability
    ranking = found.ranking if found else []
    scores = {name for each in ranking for name in each.scores}
    distances = {name for each in ranking for name in each.domain_distance or ()}
    return {
        "source_scores": _ordered(scores, [*([found.ranked_by] if found else []), *SOURCE_SCORES]),
        "distances": _ordered(distances, DISTANCES),
        "is_measured": any(each.measured for each in ranking),
    }


def _forest(report: Report, styles: dict[str, int]) -> Figure | None:
    gains = {name: arm.gain for name, arm in report.arms.items() if arm.gain}
    if not gains or report.baseline is None:
        return None
    metric = numbers.metric(report.primary_metric)
    return plots.forest(gains, styles, metric, report.confidence, report.baseline)


def _curve(report: Report, styles: dict[str, int]) -> Figure | None:
    points = [point for point in report.learning_curve if point.arms]
    if len(points) < 2:
        return None
    metric = numbers.metric(report.primary_metric)
    within, has_classes = report.metric.within, TASKS[report.task].has_classes
    return plots.learning_curve(points, styles, metric, report.winner, within, has_classes)


def _classes(report: Report, shown: list[str]) -> dict[str, Any] | None:
    """The winner's classes, those that gained most first; without gains by falling F1."""
    if not shown:
        return None
    rows = report.arms[shown[0]].per_class
    reference = {}
    if len(shown) > 1:
        reference = {each.label: each for each in report.arms[shown[1]].per_class}
    rows = sorted(rows, key=_place, reverse=True)
    gained = [each for each in rows if each.gain]
    bars = gained
    if len(gained) > BARS_AT_MOST:
        bars = gained[: BARS_AT_MOST // 2] + gained[-BARS_AT_MOST // 2 :]
    return {
        "arm": shown[0],
        "baseline": shown[1] if len(shown) > 1 else None,
        "rows": rows,
        "reference": reference,
        "left_out": len(gained) - len(bars),
        "plot": plots.class_gains(bars, shown[0], shown[1]) if bars and len(shown) > 1 else None,
    }


def _place(row: ClassMetrics) -> tuple[bool, float]:
    """Classes of which nothing is known stand last."""
    value = row.gain.mean if row.gain else row.f1
    return value is not None, value or 0.0


def _confusions(report: Report, shown: list[str]) -> dict[str, Confusion]:
    """Confusion matrices of arms that have a table: where there are very many classes none has."""
    return {
        name: confusion(report.arms[name].confusion, report.classes)
        for name in shown
        if report.arms[name].confusion
    }
