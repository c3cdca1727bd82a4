"""A search by a metric of which less is better."""

import numpy as np
import pytest

from tests.search.arms import candidates, costs
from worker.search.evaluations import Result
from worker.search.ledger import Task
from worker.search.search import search


def test_scores_are_compared_and_the_metric_is_told() -> None:
    """Scores of an error are negative, in standard deviations; told is the error in its unit."""
    errors = {"lp_ft": 0.5, "fine_tune": 0.2}

    def evaluate(task: Task) -> Result:
        rng = np.random.default_rng(task.fold)
        values = -errors[task.candidate.name] - 0.01 * rng.random(50)
        return Result(
            values=tuple(values.tolist()),
            losses=tuple((values**2).tolist()),
            cost=costs().of_fold(task.candidate, 1.0),
            seconds=1.0,
        )

    found = search(
        candidates("lp_ft", "fine_tune"),
        evaluate,
        costs(),
        folds=3,
        seeds=5,
        metric="mae",
        scale=-1000.0,
    )
    assert found.chosen.name == "fine_tune"
    assert found.reason.startswith("fine_tune: mae 20")
    scores = {tried.strategy: tried.score for tried in found.tried}
    assert scores["fine_tune"] == pytest.approx(205, abs=5)
    assert scores["lp_ft"] == pytest.approx(505, abs=5)
    dropped = next(tried.dropped for tried in found.tried if tried.strategy == "lp_ft")
    assert dropped
    assert dropped.startswith("300")  # of the unit, as the errors, and not of deviations
    assert dropped.split(" behind ")[0] in found.reason
