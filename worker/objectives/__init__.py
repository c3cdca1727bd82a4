"""Objectives that networks are trained for: the TensorFlow twins of app.tasks."""

from typing import assert_never

from app.tasks import Task
from app.tasks.classification import Classification
from app.tasks.multi_label import MultiLabel
from app.tasks.regression import Regression
from worker.objectives.classification import ClassObjective
from worker.objectives.contract import Objective
from worker.objectives.multi_label import LabelsObjective
from worker.objectives.regression import QuantityObjective


def objective_of(task: Task) -> Objective:
    match task:
        case Classification():
            return ClassObjective()
        case MultiLabel():
            return LabelsObjective(task.outputs)
        case Regression():
            return QuantityObjective(task.mean, task.std)
    assert_never(task)
