"""How many labels scratch needs, on curves worked out by hand."""

from collections.abc import Sequence

import pytest

from app.spec.figures import LabelsToReach
from app.spec.intervals import Interval
from app.spec.report import CurvePoint
from app.tasks.classification import Classification
from worker.evaluation.learning_curve import labels_to_reach

ACCURACY = Classification.metrics["accuracy"]


def curve(scratch: Sequence[float], labels: Sequence[int] = (10, 100, 1000)) -> list[CurvePoint]:
    return [
        CurvePoint(
            labels_per_class=count,
            labels=count,
            arms={"scratch": Interval(mean=mean, low=None, high=None, n=1)},
            gains={},
        )
        for count, mean in zip(labels, scratch, strict=True)
    ]


def reached(metric: float, scratch: Sequence[float]) -> LabelsToReach:
    found = labels_to_reach("lp_ft", metric, 10, curve(scratch), ACCURACY)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("metric", "scratch", "labels"),
    [
        (0.7, (0.5, 0.7, 0.8), 100),  # on a point
        (0.5, (0.5, 0.7, 0.8), 10),  # on the first
        (0.8, (0.5, 0.7, 0.8), 1000),  # on the last
        (0.6, (0.5, 0.7, 0.8), 10 * 10**0.5),  # halfway from 0.5 to 0.7
        (0.775, (0.5, 0.7, 0.8), 100 * 10**0.75),  # three quarters from 0.7 to 0.8
        (0.7, (0.5, 0.7, 0.7), 100),  # the first of two that are equal
        (0.7, (0.7, 0.5, 0.8), 10),  # it has been there before it fell
        (0.75, (0.7, 0.5, 0.8), 100 * 10**0.5),  # from the running maximum 0.7 to 0.8
    ],
)
def test_inside_the_curve(metric: float, scratch: tuple[float, ...], labels: float) -> None:
    found = reached(metric, scratch)
    assert found.scratch_labels == pytest.approx(labels)
    assert found.ratio == pytest.approx(labels / 10)
    assert (found.labels, found.metric, found.bound) == (10, metric, None)


def test_the_sentences() -> None:
    assert reached(0.6, (0.5, 0.7, 0.8)).sentence == "scratch needs 3.2 times the labels of lp_ft"
    above = reached(0.9, (0.5, 0.7, 0.8))
    assert (above.bound, above.ratio, above.scratch_labels) == ("at_least", 100, None)
    assert above.sentence == (
        "scratch needs more than 100.0 times the labels of lp_ft: 1000 are too few"
    )
    found = labels_to_reach("lp_ft", 0.4, 40, curve((0.5, 0.7, 0.8)), ACCURACY)
    assert found is not None
    assert (found.bound, found.ratio, found.scratch_labels) == ("at_most", 0.25, None)
    assert found.sentence == (
        "scratch needs less than 0.25 times the labels of lp_ft: 10 are more than enough"
    )


def test_a_gain_that_is_not_shown_buys_no_labels() -> None:
    found = labels_to_reach("lp_ft", 0.6, 10, curve((0.5, 0.7, 0.8)), ACCURACY, is_shown=False)
    assert found is not None
    assert found.sentence == (
        "scratch needs 3.2 times the labels of lp_ft, by the means alone: with as many labels the "
        "two are not shown to differ"
    )


def test_two_budgets_that_come_to_the_same_labels() -> None:
    found = labels_to_reach("lp_ft", 0.6, 50, curve((0.5, 0.7), (50, 50)), ACCURACY)
    assert found is not None
    assert (found.scratch_labels, found.ratio) == (pytest.approx(50), pytest.approx(1))


def test_one_budget_is_no_curve() -> None:
    assert labels_to_reach("lp_ft", 0.6, 10, curve((0.5,), (10,)), ACCURACY) is None
    assert labels_to_reach("lp_ft", 0.6, 10, [], ACCURACY) is None


def test_a_rare_class_gives_all_it_has() -> None:
    assert sum(Classification.strata((3, 10), 5)) == 8
    assert sum(Classification.strata((3, 10), None)) == 13
