"""What a packaged model answers on the items that it was tested on, counted: what it is asked later
is held against that."""

from typing import Any, assert_never

import numpy as np
from scipy.special import expit, softmax

from app.tasks import Task
from app.tasks.classification import Classification
from app.tasks.multi_label import MultiLabel
from app.tasks.regression import Regression
from app.traffic.counts import TESTED, AnswersSeen
from worker.evaluation.arrays import Floats


def card_of_answers(
    task: Task, outputs: Floats | None, temperature: float | None = None
) -> dict[str, Any]:
    """Makes a member of the model's card; none where there are no test items.

    Args:
        outputs: of the test items, before any activation, (n, K); None where there are none.
        temperature: by which the packaged graph divides them.
    """
    if outputs is None or not len(outputs):
        return {}
    wide = outputs.astype(np.float64)
    match task:
        case Classification():
            answers = softmax(wide / (temperature or 1.0), axis=1)
        case MultiLabel():
            answers = expit(wide)
        case Regression():
            answers = task.values(wide)[:, None]
        case _:
            assert_never(task)
    counted = AnswersSeen.of(task, [answers.astype(np.float32)])
    return {TESTED: counted.model_dump(mode="json")}
