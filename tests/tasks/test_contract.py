"""How numbers of a report are read."""

from math import inf

import pytest

from app.spec.epoch_metrics import names_of
from app.tasks import TASKS, metric_of
from app.tasks.classification import Classification
from app.tasks.contract import Metric
from app.tasks.multi_label import MultiLabel
from app.tasks.regression import Regression, bins_of

ACCURACY, MAE, R2 = (
    metric_of("classification", "accuracy"),
    metric_of("regression", "mae"),
    metric_of("regression", "r2"),
)


def test_what_is_better_follows_the_metric() -> None:
    values = {"a": 1.0, "b": 2.0, "c": 2.0}
    assert ACCURACY.best(values) == "b"  # the first of equals
    assert MAE.best(values) == "a"
    assert MAE.best(dict[str, float]()) is None


def test_bounds_of_a_value_and_of_a_change() -> None:
    assert (ACCURACY.within, ACCURACY.change) == ((0.0, 1.0), (-1.0, 1.0))
    assert (MAE.within, MAE.change) == ((0.0, inf), (-inf, inf))
    assert (R2.within, R2.is_rate) == ((-inf, 1.0), False)


@pytest.mark.parametrize(
    ("value", "shown"),
    [(48213.4, "48,213"), (12.3456, "12.35"), (0.00123456, "0.001235"), (0.0, "0.0000")],
)
def test_quantities_have_four_digits(value: float, shown: str) -> None:
    assert MAE.shown(value) == shown


def test_small_quantities_count_digits_from_the_first() -> None:
    assert MAE.shown(2.3184e-11) == "2.318e-11"
    assert MAE.shown(-2.3184e-11, signed=True) == "-2.318e-11"


@pytest.mark.parametrize("metric", [ACCURACY, R2])
def test_what_rounding_leaves_is_nothing(metric: Metric) -> None:
    assert [metric.shown(each, signed=True) for each in (6e-18, -6e-18, -0.0)] == ["0.0000"] * 3


def test_an_end_near_0_keeps_its_side() -> None:
    """[0.0000, +0.0100] beside `helped`, or [-0.0000, ...] beside `no evidence`, contradict."""
    assert ACCURACY.shown(2e-5, signed=True) == "+2e-05"
    assert ACCURACY.shown(-2e-5, signed=True) == "-2e-05"
    assert ACCURACY.shown(2e-5) == "0.0000"


def test_rates_have_four_decimals() -> None:
    assert ACCURACY.shown(0.00123456) == "0.0012"
    assert ACCURACY.shown(0.1, signed=True) == "+0.1000"


@pytest.mark.parametrize("task", TASKS.values())
def test_a_task_can_be_decided_by_its_primary_metrics(
    task: type[Classification] | type[MultiLabel] | type[Regression],
) -> None:
    assert task.default_metric == task.primary[0]
    assert {*task.primary, *task.per_epoch} <= task.metrics.keys()
    assert names_of(task.per_epoch) == (*task.per_epoch, "learning_rate", "seconds")
    assert not any(name in task.primary for name in ("loss", "ece"))


def test_strata_of_label_budgets() -> None:
    assert Classification.strata((3, 10), 5) == (3, 5)
    assert Regression.strata((57,), None) == bins_of(57)
    assert Regression.strata((57,), 12) == (6, 6)
    assert sum(Regression.strata((57,), 99)) == 57
    assert bins_of(0) == (0,)
