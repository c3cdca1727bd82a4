"""Tasks: what is asked of an item. A new one is a file here, a line in each of the two tables
below, and its twins in the worker."""

from typing import Annotated, Literal

from pydantic import Field

from app.tasks.classification import Classification
from app.tasks.contract import Metric
from app.tasks.multi_label import MultiLabel
from app.tasks.regression import Regression

Task = Annotated[Classification | MultiLabel | Regression, Field(discriminator="kind")]
TaskKind = Literal["classification", "multi_label", "regression"]
TASKS: dict[TaskKind, type[Classification] | type[MultiLabel] | type[Regression]] = {
    "classification": Classification,
    "multi_label": MultiLabel,
    "regression": Regression,
}


def size_of(task: Task, metric: str) -> float:
    """Size of a metric's differences: the labels' standard deviation where it is in their unit,
    else 1."""
    return task.std if task.metrics[metric].is_in_unit else 1.0


def metric_of(kind: TaskKind, name: str) -> Metric:
    """Returns how a metric of a kind of task is read. Raises KeyError for one that it has not."""
    return TASKS[kind].metrics[name]
