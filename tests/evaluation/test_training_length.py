"""Optimizer steps of each arm, and a warning where they are not alike."""

from typing import Any

import pytest

from app.spec.figures import Cost
from app.spec.training import EarlyStopping
from tests.evaluation.made_up import BETTER, COUNTS, SCRATCH, TASK, arm, spec, trial
from worker.evaluation.report import build_report
from worker.evaluation.training_length import length_warnings


def trained(scratch: int | None, *others: tuple[str, int]) -> list[Any]:
    trials = [trial("scratch", seed, 0.7, steps=scratch, head_steps=0) for seed in range(2)]
    for name, steps in others:
        trials += arm(name, BETTER[:2], steps=steps, head_steps=300)
    return trials


def test_the_mean_per_trial_stands_beside_the_cost() -> None:
    fine_tune = [
        trial("fine_tune", seed, 0.8, steps=steps, head_steps=head)
        for seed, (steps, head) in enumerate([(500, 30), (400, 40)])
    ]
    report = build_report(spec(), [*SCRATCH, *fine_tune], TASK, COUNTS)
    cost = report.arms["fine_tune"].cost
    assert (cost.steps, cost.head_steps) == (450, 35)
    assert report.arms["scratch"].cost.steps is None  # an archive of an older release


@pytest.mark.parametrize(("steps", "warned"), [(600, False), (601, True), (266, True), (0, False)])
def test_arms_that_differ_are_warned_of(steps: int, warned: bool) -> None:
    """By more than 1.5 times, steps of a head alone left out; an arm without whole-network steps is
    not compared."""
    report = build_report(spec(seeds=2), trained(400, ("fine_tune", steps)), TASK, COUNTS)
    found = [warning for warning in report.warnings if "optimizer steps" in warning]
    assert bool(found) is warned
    if warned:
        assert "400" in found[0]
        assert str(steps) in found[0]
        assert "early stopping" not in found[0]


def test_early_stopping_is_named_as_the_cause() -> None:
    job = spec(seeds=2)
    training = job.training.model_copy(update={"early_stopping": EarlyStopping()})
    job = job.model_copy(update={"training": training})
    report = build_report(job, trained(1500, ("fine_tune", 350)), TASK, COUNTS)
    (warning,) = [warning for warning in report.warnings if "optimizer steps" in warning]
    assert warning.startswith(
        "scratch was trained for 1500 optimizer steps of the whole network per trial, fine_tune "
        "for 350 (chosen by early stopping)"
    )


def test_the_bound_may_be_trained_longer() -> None:
    costs = {
        name: Cost(trials=1.0, pretraining=0.0, epochs=1.0, steps=steps)
        for name, steps in (("mcc", 50.0), ("dann", 60.0), ("target_supervised", 500.0))
    }
    assert length_warnings(spec(), costs) == []
