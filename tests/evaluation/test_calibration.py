"""Calibration against values worked out by hand and against temperatures that are known."""

import numpy as np
import pytest
from scipy.special import softmax

from worker.evaluation.calibration import calibrate, confidence_bins, fit_temperature


def test_ece_by_hand() -> None:
    correct = np.array([True, False, True, True])
    confidence = np.array([0.61, 0.62, 0.95, 1.0])
    # Bin (9/15, 10/15]: |1 - 1.23| = 0.23. Bin (14/15, 1]: |2 - 1.95| = 0.05.
    bins = confidence_bins(correct, confidence)
    assert bins.error == pytest.approx(0.28 / 4)
    assert bins.items.tolist() == [0] * 9 + [2] + [0] * 4 + [2]
    assert bins.right.tolist() == [0] * 9 + [1] + [0] * 4 + [2]
    assert bins.confidence[[9, 14]] == pytest.approx([1.23, 1.95])


def test_a_bin_holds_its_upper_edge() -> None:
    correct, confidence = np.array([True, False]), np.array([3 / 15, 3.001 / 15])
    apart = (12 / 15 + 3.001 / 15) / 2
    assert confidence_bins(correct, confidence).error == pytest.approx(apart)


def test_certain_and_right_is_calibrated() -> None:
    assert confidence_bins(np.ones(5, bool), np.ones(5)).error == 0


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_the_temperature_that_made_the_labels_is_found(temperature: float) -> None:
    random = np.random.default_rng(0)
    logits = 3 * random.normal(size=(20_000, 5))
    y = (logits / temperature + random.gumbel(size=logits.shape)).argmax(axis=1)
    assert fit_temperature(y, logits) == pytest.approx(temperature, rel=0.05)


def test_scaling_mends_an_overconfident_network() -> None:
    random = np.random.default_rng(1)
    honest = random.normal(size=(4_000, 4))
    y = (honest + random.gumbel(size=honest.shape)).argmax(axis=1)
    overconfident = (4 * honest).astype(np.float32)
    got = calibrate(y[:2000], overconfident[:2000], y[2000:], overconfident[2000:])
    assert got.temperature == pytest.approx(4, rel=0.15)
    assert got.before.error > 0.3
    assert got.after.error < 0.05


def test_separable_validation_items_are_no_proof_of_certainty() -> None:
    """3 of 3 right are believed 4/5: e^(5/T) / (e^(5/T) + 2) = 4/5 where e^(5/T) = 8."""
    found = fit_temperature(np.array([0, 1, 2]), 5 * np.eye(3))
    assert found == pytest.approx(5 / np.log(8))


def test_many_separable_items_are_believed_more_but_never_wholly() -> None:
    """300 of 300 right are believed 301/302: e^(5/T) = 602."""
    found = fit_temperature(np.tile([0, 1, 2], 100), 5 * np.tile(np.eye(3), (100, 1)))
    assert found == pytest.approx(5 / np.log(602))


def test_a_network_that_is_always_wrong_is_believed_as_little_as_can_be() -> None:
    """0 of 40 right are believed 1/42, less than the 1/3 that no temperature goes below."""
    wrong = 5 * np.roll(np.tile(np.eye(3), (14, 1))[:40], 1, axis=1)
    assert fit_temperature(np.arange(40) % 3, wrong) == pytest.approx(np.exp(5))


@pytest.mark.parametrize("classes", [2, 10])
@pytest.mark.parametrize("size", [0.5, 3.0, 30.0])
def test_few_items_do_not_make_a_network_surer_than_it_is_right(classes: int, size: float) -> None:
    """Of networks whose logits are right but for their size, over 20 draws of 20 items."""
    random = np.random.default_rng(3)

    def draw(items: int) -> tuple[np.ndarray, np.ndarray]:
        honest = 2 * random.normal(size=(items, classes))
        y = (honest + random.gumbel(size=honest.shape)).argmax(axis=1)
        return y, size * honest

    y, logits = draw(4_000)
    accuracy = np.mean(logits.argmax(axis=1) == y)
    confidence = [
        np.mean(softmax(logits / fit_temperature(*draw(20)), axis=1).max(axis=1)) for _ in range(20)
    ]
    assert np.mean(confidence) == pytest.approx(accuracy, abs=0.06)
    assert max(confidence) < 22 / 23
