"""A linear probe: the last layer anew, on features that stay as they are."""

from collections.abc import Callable
from typing import Any, assert_never

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression, Ridge

from app.tasks import Task
from app.tasks.classification import Classification
from app.tasks.multi_label import MultiLabel
from app.tasks.regression import Regression
from worker.labelling.embeddings import Floats

Outputs = Callable[[Floats], Floats]  # features (n, d) -> outputs before any activation, (n, K)

INVERSE_PENALTY = 0.1  # of features whose mean square is 1
RIDGE = 10.0
ITERATIONS = 200
NEVER = -20.0  # logit of a class that no label has shown yet, below the likeliest one's


def fit(task: Task, features: Floats, y: NDArray[Any]) -> Outputs:
    """Fits on n > 0 labelled items: logistic regression of classes, or of each label by itself;
    ridge regression of a quantity. Features (n, d) are standardised already."""
    match task:
        case Classification():
            return _classes(features, y, task.outputs)
        case MultiLabel():
            labels = [_binary(features, y[:, k]) for k in range(task.outputs)]
            return lambda x: np.stack([of(x) for of in labels], axis=1)
        case Regression():
            ridge = Ridge(RIDGE).fit(features, (y - task.mean) / task.std)
            return lambda x: ridge.predict(x)[:, None]
    assert_never(task)


def _classes(features: Floats, y: NDArray[Any], classes: int) -> Outputs:
    present = np.unique(y)
    if len(present) == 1:
        return lambda x: np.where(np.arange(classes) == present[0], 0.0, NEVER)[None].repeat(
            len(x), axis=0
        )
    model = _logistic().fit(features, y)

    def outputs(x: Floats) -> Floats:
        log_p = np.maximum(model.predict_log_proba(x), NEVER)
        found = np.full((len(x), classes), NEVER + log_p.max(axis=1, keepdims=True))
        found[:, present] = log_p
        return found

    return outputs


def _binary(features: Floats, y: NDArray[Any]) -> Callable[[Floats], Floats]:
    if len(np.unique(y)) == 1:
        sure = NEVER if y[0] == 0 else -NEVER
        return lambda x: np.full(len(x), sure)
    model = _logistic().fit(features, y)
    return lambda x: np.asarray(model.decision_function(x))


def _logistic() -> LogisticRegression:
    return LogisticRegression(C=INVERSE_PENALTY, max_iter=ITERATIONS)
