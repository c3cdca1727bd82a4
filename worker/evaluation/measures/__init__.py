"""Numbers of each task: the twins of app.tasks."""

from typing import assert_never

from app.tasks import Task
from app.tasks.classification import Classification
from app.tasks.multi_label import MultiLabel
from app.tasks.regression import Regression
from worker.evaluation.measures.classification import ClassMeasures
from worker.evaluation.measures.contract import Measures
from worker.evaluation.measures.multi_label import LabelsMeasures
from worker.evaluation.measures.regression import QuantityMeasures


def measures_of(task: Task) -> Measures:
    match task:
        case Classification():
            return ClassMeasures(task)
        case MultiLabel():
            return LabelsMeasures(task)
        case Regression():
            return QuantityMeasures(task)
    assert_never(task)
