"""What labels buy where next to nothing of the source's network moves, against values worked out
by hand."""

import numpy as np
import pytest

from app.spec.spec import ResolvedSpec
from app.tasks.classification import Classification
from worker.evaluation.evidence import Floats, TrialResult, gather
from worker.evaluation.measures import measures_of
from worker.evaluation.recalibrated import recalibrated

TASK = Classification(classes=("a", "b"))
Y = np.array([0, 1] * 10, np.int32)


def right_on(count: int) -> Floats:
    """Outputs that have the first `count` items right."""
    sure = np.where(np.eye(2)[Y] > 0, 5.0, 0.0).astype(np.float32)
    sure[count:] = sure[count:, ::-1]
    return sure


def trial(seed: int, budget: int, right: int, unmoved: int | None = 12) -> TrialResult:
    return TrialResult(
        "recalibrate",
        "transfer",
        seed,
        budget,
        1.0,
        y_test=Y,
        logits_test=right_on(right),
        logits_unmoved=None if unmoved is None else right_on(unmoved),
    )


def spec() -> ResolvedSpec:
    return ResolvedSpec.model_validate(
        {
            "sources": [{"dataset": "ds_a"}],
            "target": {"dataset": "ds_b", "labels_per_class": 2},
            "model": {"backbone": "mlp"},
            "strategies": [{"name": "recalibrate"}],
            "evaluation": {"learning_curve": [2, 5]},
        }
    )


def test_each_budget_is_held_against_the_network_as_it_came() -> None:
    trials = [
        trial(0, 2, right=16),
        trial(1, 2, right=14),
        trial(0, 5, right=20),
        trial(1, 5, right=19),
    ]
    measures = measures_of(TASK)
    found = {budget: gather(trials, ("recalibrate",), budget, measures) for budget in (2, 5)}
    two, five = recalibrated(found, spec(), TASK, [10, 10])
    assert (two.arm, two.labels_per_class, two.labels) == ("recalibrate", 2, 4)
    assert (two.before, two.after) == pytest.approx((0.6, 0.75))
    assert two.gain.mean == pytest.approx(0.15)
    assert "4 labels" in two.sentence
    assert "from 0.6000 to 0.7500, +0.1500 [" in two.sentence
    assert (five.labels, five.after) == (10, pytest.approx(0.975))


def test_a_trial_that_does_not_know_takes_the_arm_out() -> None:
    """`auto` may have chosen another strategy for some of its seeds."""
    trials = [trial(0, 2, right=16), trial(1, 2, right=16, unmoved=None)]
    found = {2: gather(trials, ("recalibrate",), 2, measures_of(TASK))}
    assert recalibrated(found, spec(), TASK, [10, 10]) == []
