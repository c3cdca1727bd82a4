"""All that a report says of an arm, by hand, on predictions that are made up."""

import itertools

import numpy as np
import pytest

from tests.evaluation.made_up import BETTER, COUNTS, ITEMS, SCRATCH, TASK, arm, failed, spec, trial
from worker.evaluation.report import build_report


def test_numbers_by_hand() -> None:
    trials = [*arm("scratch", [0.5, 0.7]), *arm("fine_tune", [0.75, 0.85])]
    report = build_report(spec(seeds=2), trials, TASK, COUNTS)
    fine_tune, scratch = report.arms["fine_tune"], report.arms["scratch"]
    accuracy = fine_tune.metrics["accuracy"]
    # s = 0.0707, t(1, 0.975) = 12.7062; of one more item in 2 x 400 a half: the variance of the
    # mean is 0.0707² / 2 + 0.5 / 800², the margin 12.7062 * 0.050008 = 0.63541.
    assert (accuracy.mean, accuracy.n) == (pytest.approx(0.8), 2)
    assert accuracy.low == pytest.approx(0.8 - 0.63541, abs=1e-5)
    assert accuracy.high == 1  # and not 1.43541
    assert fine_tune.gain is not None
    assert fine_tune.gain.mean == pytest.approx(0.2)  # gains 0.25 and 0.15
    assert fine_tune.gain.low == pytest.approx(0.2 - 0.63531, abs=1e-5)
    assert fine_tune.gain.bootstrap.low > 0.1
    assert fine_tune.gain.overall is not None
    assert fine_tune.gain.overall.low < 0  # the items are sure, the seeds are not
    assert fine_tune.gain.p_value == fine_tune.gain.p_holm
    assert fine_tune.transfer_ratio == pytest.approx(0.8 / 0.6)
    assert (scratch.gain, scratch.transfer_ratio) == (None, None)
    assert np.array(fine_tune.confusion).sum() == 2 * ITEMS
    assert np.trace(fine_tune.confusion) == 0.8 * 2 * ITEMS
    assert [c.support for c in fine_tune.per_class] == [100] * 4
    assert np.mean([c.recall for c in fine_tune.per_class]) == pytest.approx(0.8)
    assert fine_tune.validation is not None
    assert fine_tune.validation.mean == 0.5
    assert fine_tune.calibration is not None
    assert fine_tune.calibration.temperature > 1  # 0.5 right and sure of 0.71
    assert (report.seconds, report.test_items, report.labels) == (6.0, 400, 933)
    assert report.verdict == "no_evidence"
    (few,) = report.warnings
    assert few == "2 seeds: with fewer than 5 the spread over seeds is poorly known"


def test_the_jumpstart_is_the_gain_after_the_first_epoch() -> None:
    trials = [
        trial(name, seed, 0.5, first_epoch={"accuracy": first + seed / 10})
        for (name, first), seed in itertools.product([("scratch", 0.2), ("fine_tune", 0.6)], (0, 1))
    ]
    report = build_report(spec(seeds=2), trials, TASK, COUNTS)
    assert report.arms["fine_tune"].jumpstart == pytest.approx(0.4)
    report = build_report(spec(), [*SCRATCH, *arm("fine_tune", BETTER)], TASK, COUNTS)
    assert report.arms["fine_tune"].jumpstart is None


def test_gains_per_class_are_paired_by_seed() -> None:
    y = np.array([0, 0, 1, 1])
    right, wrong = np.array([0, 0, 1, 1]), np.array([1, 1, 1, 1])  # F1 of class 0: 1 and 0
    predictions = {("scratch", 0): wrong, ("scratch", 1): right}
    predictions |= {("fine_tune", 0): right, ("fine_tune", 1): right}
    trials = [
        trial(name, seed, 0, y_test=y, logits_test=np.eye(4)[predicted])
        for (name, seed), predicted in predictions.items()
    ]
    report = build_report(spec(seeds=2), trials, TASK, COUNTS)
    gain = report.arms["fine_tune"].per_class[0].gain
    assert gain is not None
    assert (gain.mean, gain.n) == (0.5, 2)  # 1 and 0: s = 0.7071, 0.5 ± 12.7062 / 2, but no F1
    assert (gain.low, gain.high) == (-1, 1)  # gains more than 1
    assert report.arms["scratch"].per_class[0].gain is None


def test_calibration_bins_hold_all_seeds_items() -> None:
    trials = [*SCRATCH, *arm("fine_tune", BETTER)]
    calibration = build_report(spec(), trials, TASK, COUNTS).arms["fine_tune"].calibration
    assert calibration is not None
    # Every item's confidence is e² / (e² + 3) = 0.711: the bin from 10/15 to 11/15.
    assert [(k, found.items) for k, found in enumerate(calibration.bins_before) if found.items] == [
        (10, 5 * ITEMS)
    ]
    found = calibration.bins_before[10]
    assert (found.low, found.high) == (10 / 15, 11 / 15)
    assert found.confidence == pytest.approx(np.exp(2) / (np.exp(2) + 3))
    assert found.accuracy == pytest.approx(np.mean(BETTER))
    assert sum(each.items for each in calibration.bins_after) == 5 * ITEMS


def test_the_transfer_ratio_is_of_the_seeds_that_both_have() -> None:
    scratch = arm("scratch", [0.5, 0.5, 0.9])
    transfer = [*arm("fine_tune", [0.6, 0.6]), failed("fine_tune", 2)]
    report = build_report(spec(), [*scratch, *transfer], TASK, COUNTS)
    assert report.arms["fine_tune"].transfer_ratio == pytest.approx(1.2)


def test_of_a_class_without_test_items_nothing_is_known() -> None:
    """Of c nobody asks, and d has no training item: its recall is 0, which was measured."""
    y = np.repeat([0, 1, 3], [40, 40, 20])
    right = np.where(y == 3, 0, y)
    trials = [
        trial(name, seed, 0, y_test=y, logits_test=np.eye(4)[right])
        for name in ("scratch", "fine_tune")
        for seed in range(2)
    ]
    report = build_report(spec(seeds=2), trials, TASK, (9, 9, 9, 0))
    rows = report.arms["fine_tune"].per_class
    assert [row.support for row in rows] == [40, 40, 0, 20]
    assert [row.training_items for row in rows] == [9, 9, 9, 0]
    a, _, c, d = rows
    assert (c.precision, c.recall, c.f1, c.gain) == (None, None, None, None)
    assert (d.precision, d.recall, d.f1) == (0, 0, 0)
    assert d.gain is not None
    assert (a.precision, a.recall) == (pytest.approx(40 / 60), 1)
    assert report.arms["fine_tune"].metrics["balanced_accuracy"].mean == pytest.approx(2 / 3)
