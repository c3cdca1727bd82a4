"""Findings against a job that does not go with the target's task."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from app.datasets.schemas import Schema
from app.errors import Coded, Finding
from app.spec.flaws import flaw_findings
from app.spec.sources import SourceFacts
from app.tasks.classification import MOST_RANKED, RANKED
from app.tasks.contract import Budget

if TYPE_CHECKING:
    from app.spec.spec import JobSpec

_OTHERS: dict[Budget, Budget] = {"labels_per_class": "labels", "labels": "labels_per_class"}


def task_findings(
    spec: "JobSpec", sources: Sequence[SourceFacts], target: Schema
) -> Iterator[Coded]:
    task = target.task
    if spec.task not in (None, task.kind):
        detail = f"expected the target's task, {task.kind}, or none, got {spec.task}"
        yield "task_mismatch", Finding(detail, "#/task")
    if task.has_classes:  # else the target's own is told
        yield from _source_findings(spec, sources)
    metric = spec.evaluation.primary_metric
    if metric is not None and metric not in task.primary:
        detail = f"expected a metric of a {task.kind}: {', '.join(task.primary)}; got `{metric}`"
        yield "unknown_metric", Finding(detail, "#/evaluation/primary_metric")
    elif metric in RANKED and task.outputs > MOST_RANKED:
        detail = (
            f"expected at most {MOST_RANKED} classes with the metric {metric}, got "
            f"{task.outputs}: of more neither {' nor '.join(RANKED)} is measured"
        )
        yield "unknown_metric", Finding(detail, "#/evaluation/primary_metric")
    yield from _budget_findings(spec, target)
    yield from flaw_findings(spec, target)
    if not task.has_classes:
        yield from _class_findings(spec, target)


def _source_findings(spec: "JobSpec", sources: Sequence[SourceFacts]) -> Iterator[Coded]:
    """Sources may be of another task than the target: a backbone carries over, a head does not, and
    strategies that need it are refused by name (app/spec/applicability.py)."""
    if not spec.evaluation.forgetting:
        return
    for facts in sources:
        if facts.has_data and not facts.schema.task.has_classes:
            kind = facts.schema.task.kind
            detail = f"expected no `forgetting` of a source that is a {kind}: it is measured in "
            yield "needs_classification", Finding(f"{detail}accuracy", "#/evaluation/forgetting")


def _budget_findings(spec: "JobSpec", target: Schema) -> Iterator[Coded]:
    """Label budgets that are counted in another way, or that the target cannot fill."""
    own = target.task.budget
    other = _OTHERS[own]
    if getattr(spec.target, other) is not None:
        what = "of all labels" if own == "labels" else "per class"
        detail = f"expected the label budget of a {target.task.kind} {what}, `target.{own}`"
        yield "wrong_budget", Finding(f"{detail}, got `target.{other}`", f"#/target/{other}")
    counts = target.class_counts["train"]
    if not any(counts) or not spec.target.use_labels:
        return
    most, rarest = min(counts), target.classes[counts.index(min(counts))]
    wanted = {f"#/target/{own}": getattr(spec.target, own)}
    for place, budget in enumerate(spec.evaluation.learning_curve or ()):
        wanted[f"#/evaluation/learning_curve/{place}"] = budget
    for pointer, budget in wanted.items():
        if budget is None or budget <= most:
            continue
        if own == "labels":
            detail = (
                f"expected at most {most} labels, as many as the target has in its training split, "
                f"got {budget}"
            )
        else:
            detail = (
                f"expected at most {most} labels per class, as many as the target's rarest class "
                f"`{rarest}` has in its training split, got {budget}"
            )
        yield "too_few_labels", Finding(detail, pointer)


def _class_findings(spec: "JobSpec", target: Schema) -> Iterator[Coded]:
    """What only makes sense where there are classes."""
    kind = target.task.kind
    if spec.kind == "rank":
        detail = f"expected a classification to rank sources for, got a {kind}: the scores are of "
        yield "needs_classification", Finding(f"{detail}classes", "#/kind")
    if spec.evaluation.forgetting:
        detail = f"expected no `forgetting` in a {kind}: it is measured in accuracy"
        yield "needs_classification", Finding(detail, "#/evaluation/forgetting")
    if spec.training.label_smoothing:
        detail = f"expected label_smoothing 0 in a {kind}: it mixes classes"
        yield "needs_classification", Finding(detail, "#/training/label_smoothing")
