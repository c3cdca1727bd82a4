"""How many more labels a goal would take, on curves that follow a known law."""

from collections.abc import Sequence

import numpy as np
import pytest

from app.spec.figures import LabelsForGoal
from app.tasks.classification import Classification
from app.tasks.regression import Regression
from worker.evaluation.extrapolation import fit_power_law, labels_for_goal

ACCURACY, MAE = Classification.metrics["accuracy"], Regression.metrics["mae"]
LABELS = (10, 40, 160, 640)
RATES = (0.6, 0.85, 0.94, 0.8975)


def falling(a: float, b: float, c: float, spread: float = 0.0) -> dict[int, list[float]]:
    """Accuracies of three seeds, around 1 - (a + b n^-c)."""
    return {n: [1 - (a + b * n**-c) * (1 + spread * seed) for seed in (-1, 0, 1)] for n in LABELS}


def goal_of(
    values: dict[int, list[float]], goal: float | None = None, metric: object = ACCURACY
) -> LabelsForGoal | None:
    return labels_for_goal("lp_ft", values, goal, metric, "accuracy", 0.95, 0)  # type: ignore[arg-type]


@pytest.mark.parametrize("law", [(0.0, 1.0, 0.5), (0.02, 2.0, 0.7)])
def test_a_law_is_found_again(law: tuple[float, float, float]) -> None:
    a, b, c = law
    labels = np.array(LABELS, float)
    found = fit_power_law(labels, a + b * labels**-c)
    assert (found.a, found.c) == (pytest.approx(a, abs=5e-3), pytest.approx(c, rel=0.1))
    assert found.labels(a + b * 2000**-c) == pytest.approx(2000, rel=0.1)


def test_the_goal_is_reached_where_the_law_says() -> None:
    found = goal_of(falling(0, 1, 0.5), 0.98)  # n^-.5 = .02 at 2,500
    assert found is not None
    assert found.labels == pytest.approx(2500, rel=0.05)
    assert (found.low, found.high) == (pytest.approx(found.labels), pytest.approx(found.labels))
    assert found.sentence.startswith("lp_ft needs about 2,")
    assert "0.9800 accuracy" in found.sentence
    wide = goal_of(falling(0, 1, 0.5, spread=0.2), 0.98)
    assert wide is not None
    assert wide.low is not None
    assert wide.high is not None
    assert wide.low < 2500 < wide.high


def test_the_next_round_figure_where_none_is_asked_for() -> None:
    found = goal_of(falling(0, 1, 0.5))  # .9605 at 640
    assert found is not None
    assert found.goal == 0.98


def test_what_no_number_of_labels_reaches() -> None:
    found = goal_of(falling(0.1, 1, 0.5), 0.95)
    assert found is not None
    assert (found.labels, found.low, found.high) == (None, None, None)
    assert "not expected to reach 0.9500 accuracy with 100 times the 640 labels" in found.sentence


def test_a_goal_that_was_reached_with_fewer_labels_is_none_to_reach() -> None:
    bump = {n: [rate - 0.001, rate, rate + 0.001] for n, rate in zip(LABELS, RATES, strict=True)}
    assert goal_of(bump, 0.9) is None
    found = goal_of(bump)
    assert found is not None
    assert found.goal == 0.95  # and not .9, which 160 labels have reached


def test_nobody_needs_fewer_labels_than_were_not_enough() -> None:
    """The law lies above the last budget's mean, and would have the goal at 600 of 640 labels."""
    low = {10: [0.6], 40: [0.8], 160: [0.9], 640: [0.9]}
    assert goal_of({n: rates * 2 for n, rates in low.items()}, 0.905) is None
    uneven = {**falling(0, 1, 0.5), 640: [0.93, 0.96, 0.97]}
    found = goal_of(uneven, 0.96)
    assert found is not None
    assert found.low is not None
    assert found.labels is not None
    assert 640 <= found.low <= found.labels


def test_an_error_falls_to_half() -> None:
    errors = {n: [100 * n**-0.25 * (1 + seed / 50) for seed in range(3)] for n in LABELS}
    found = goal_of(errors, None, MAE)
    assert found is not None
    assert found.labels == pytest.approx(640 * 16, rel=0.05)  # 2^(1/.25) times as many


@pytest.mark.parametrize(
    "values",
    [
        {10: [0.5, 0.6], 40: [0.7, 0.8]},  # two budgets
        {10: [0.5], 40: [0.6], 160: [0.7]},  # no spread
        {10: [0.7, 0.7], 40: [0.6, 0.6], 160: [0.5, 0.5]},  # it falls
        {10: [0.5, 0.5], 40: [0.6, 0.6], 160: [0.99, 0.98]},  # reached
    ],
)
def test_where_there_is_nothing_to_say(values: dict[int, Sequence[float]]) -> None:
    assert goal_of({n: list(each) for n, each in values.items()}, 0.95) is None
