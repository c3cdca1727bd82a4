"""Numbers of a multi-label classification, by hand."""

from math import log

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, f1_score

from app.tasks.multi_label import MultiLabel, parts_of
from worker.evaluation.measures import measures_of
from worker.evaluation.measures.average_precision import average_precision
from worker.evaluation.measures.multi_label import LabelsMeasures, rarest_codes

MEASURES = LabelsMeasures(MultiLabel(labels=("a", "b", "c")))
Y = np.array([[1, 0, 0], [1, 1, 0], [0, 0, 0], [1, 0, 0]], np.int32)
Z = np.array([[2, -1, -3], [1, -2, -3], [0, -3, 1], [-1, 3, -3]], np.float32)
# given: a to items 0, 1, 2; b to item 3; c to item 2


SCIKIT_LEARN = {
    "f1_micro": lambda y, z, w: f1_score(y, z >= 0, average="micro", sample_weight=w),
    "f1_macro": lambda y, z, w: f1_score(y, z >= 0, average="macro", sample_weight=w),
    "map": lambda y, z, w: average_precision_score(y, z, sample_weight=w),
}


def noise(seed: int, items: int = 200) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = (rng.uniform(size=(items, 3)) < (0.6, 0.3, 0.1)).astype(np.int32)
    return y, (rng.normal(size=(items, 3)) + y).round(1).astype(np.float32)


def test_metrics_by_hand() -> None:
    found = MEASURES.measure(Y, Z)
    assert found["f1_micro"] == pytest.approx(2 * 2 / (4 + 5))
    assert found["f1_macro"] == pytest.approx((2 * 2 / (3 + 3) + 0) / 2)  # no item has c
    a, b = (1 + 1 + 3 / 4) / 3, 1 / 3  # ranks of the positives: 1, 2, 4; and 3 of 4
    assert found["map"] == pytest.approx((a + b) / 2)
    one = np.log1p(np.exp(-2)) + np.log1p(np.exp(-1)) + np.log1p(np.exp(-3))
    assert MEASURES.item_losses(Y, Z)[0] == pytest.approx(one / 3)
    assert found["loss"] == pytest.approx(MEASURES.item_losses(Y, Z).mean())


def test_half_is_the_threshold() -> None:
    nought = np.zeros((4, 3), np.float32)
    assert MEASURES.measure(Y, nought)["f1_micro"] == pytest.approx(2 * 4 / (4 + 12))
    assert MEASURES.measure(Y, nought)["loss"] == pytest.approx(log(2))


def test_equal_scores_are_one_threshold() -> None:
    assert average_precision(np.array([1, 0, 0, 1]), np.zeros(4)) == pytest.approx(0.5)


@pytest.mark.parametrize("seed", range(3))
def test_as_scikit_learn_has_it(seed: int) -> None:
    y, z = noise(seed)
    found = MEASURES.measure(y, z)
    for metric, of in SCIKIT_LEARN.items():
        assert found[metric] == pytest.approx(of(y, z, None))


@pytest.mark.parametrize("metric", MultiLabel.primary)
def test_items_values_are_the_metric_and_its_derivative(metric: str) -> None:
    """An item of the weight 1 + e moves the metric by e / n times its influence."""
    y, z = noise(0)
    values, before = MEASURES.item_values(y, z, metric), MEASURES.measure(y, z)[metric]
    assert values.mean() == pytest.approx(before)
    assert values.std() > 0
    for item in range(20):
        weights = np.ones(len(y))
        weights[item] += 1e-5
        moved = (SCIKIT_LEARN[metric](y, z, weights) - before) / 1e-5
        assert moved == pytest.approx((values[item] - before) / len(y), rel=1e-3, abs=1e-6)


def test_another_metric_has_no_values() -> None:
    with pytest.raises(ValueError, match="expected f1_micro, f1_macro or map, got loss"):
        MEASURES.item_values(Y, Z, "loss")


def test_the_spread_of_resamples_is_that_of_the_items() -> None:
    y, z = noise(1)
    _, other = noise(2)
    gains = MEASURES.resample(y, [z], [other], "f1_micro", 0)
    apart = MEASURES.item_values(y, z, "f1_micro") - MEASURES.item_values(y, other, "f1_micro")
    assert gains.mean() == pytest.approx(apart.mean(), abs=0.01)
    assert gains.std() == pytest.approx(apart.std() / len(y) ** 0.5, rel=0.05)


def test_parts_are_by_the_rarest_label_of_a_set() -> None:
    """40 items: a on 30, b on 10 of these, c on 10 others; items of b and of c come first."""
    y = np.zeros((40, 3), np.int32)
    y[:30, 0], y[:10, 1], y[25:35, 2] = 1, 1, 1
    codes = rarest_codes(y, 0)
    assert np.bincount(codes).tolist() == list(parts_of(40)) == [10] * 4
    assert set(codes[:10]) == {0}
    assert set(codes[25:35]) == {1}
    assert set(codes[10:25]) == {2, 3}
    assert set(codes[35:]) == {3}  # no label at all
    assert (rarest_codes(y, 1) != codes).any()


@pytest.mark.parametrize(("items", "sizes"), [(0, (0,)), (9, (9,)), (25, (13, 12))])
def test_sizes_follow_from_the_number_of_items(items: int, sizes: tuple[int, ...]) -> None:
    assert parts_of(items) == MultiLabel.strata((items,), None) == sizes
    assert MultiLabel.strata((1000,), items) == sizes
    assert np.bincount(rarest_codes(noise(0, items)[0], 0), minlength=1).tolist() == list(sizes)


def test_an_answer_that_looks_at_no_item() -> None:
    """a alone: 2 * 3 / (4 + 4); a and b: 2 * 4 / (4 + 8)."""
    constant = MEASURES.constant(Y, "f1_micro")
    assert constant.answer == "a"
    assert constant.scores["f1_micro"] == pytest.approx(6 / 8)
    assert MEASURES.level(Y, "f1_micro").score == pytest.approx(6 / 8)
    assert MEASURES.level(Y, "f1_macro").score == pytest.approx((6 / 7 + 2 / 5) / 2)
    assert MEASURES.constant(Y, "f1_macro").scores["f1_macro"] == pytest.approx((6 / 7 + 2 / 5) / 2)
    assert MEASURES.level(Y, "map").score == pytest.approx((3 / 4 + 1 / 4) / 2)


def test_epochs_are_summed_as_all_at_once() -> None:
    y, z = noise(3, 24)
    known = np.ones((6, 4), np.bool_)
    known[5, 2:] = False
    steps, given = y.reshape(6, 4, 3), (z >= 0).astype(np.int32).reshape(6, 4, 3)
    tally = MEASURES.nothing
    for part in (slice(0, 2), slice(2, 6)):
        tally = MEASURES.added(tally, steps[part], known[part], given[part])
    whole = MEASURES.measure(y[:22], z[:22])
    assert MEASURES.items(tally) == 22
    assert MEASURES.of_epoch(tally, 0.25) == pytest.approx(
        {"loss": 0.25, "f1_micro": whole["f1_micro"], "f1_macro": whole["f1_macro"]}
    )


def test_no_label_at_all_is_nought_and_no_items_are_an_error() -> None:
    none = np.zeros((4, 3), np.int32)
    found = MEASURES.measure(none, Z)
    assert (found["f1_micro"], found["f1_macro"], found["map"]) == (0, 0, 0)
    for metric in MultiLabel.primary:
        assert not MEASURES.item_values(none, Z, metric).any()
    with pytest.raises(ValueError, match="at least 1 item"):
        MEASURES.measure(none[:0], Z[:0])


def test_they_are_the_tasks() -> None:
    assert measures_of(MEASURES.task) == MEASURES
