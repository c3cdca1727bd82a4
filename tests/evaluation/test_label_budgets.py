"""The report of trials at several label budgets, what they cost, and those that are missing."""

import numpy as np
import pytest

from tests.evaluation.made_up import BETTER, COUNTS, SIMILAR, TASK, WORSE, arm, failed, spec, trial
from worker.evaluation.report import TrialResult, build_report


def test_what_an_arm_costs() -> None:
    pretrainings = [
        TrialResult("pretrain", "pretrain", seed, None, 10.0 + seed, id=f"trial_{seed}", epochs=9)
        for seed in range(3)
    ]
    fine_tune = [
        trial("fine_tune", 0, 0.8, depends_on="trial_0", epochs=4),
        trial("fine_tune", 1, 0.8, depends_on="trial_1", epochs=5),
        failed("fine_tune", 2),
    ]
    scratch = arm("scratch", [0.7, 0.7, 0.7])
    report = build_report(spec(seeds=3), [*pretrainings, *scratch, *fine_tune], TASK, COUNTS)
    cost = report.arms["fine_tune"].cost
    assert (cost.trials, cost.pretraining, cost.epochs) == (3.5, 21.0, 4.5)
    cost = report.arms["scratch"].cost
    assert (cost.trials, cost.pretraining, cost.epochs) == (4.5, 0.0, None)
    assert report.seconds == 41.0  # every pretraining once


def test_a_learning_curve() -> None:
    """Only the job's own budget decides; p-values are corrected within a budget."""
    curved = spec(("fine_tune", "lp_ft"), labels=5, learning_curve=[None, 5, 50])
    trials = [
        *arm("scratch", [0.70, 0.72, 0.71, 0.70, 0.72], labels_per_class=5),
        *arm("fine_tune", BETTER, 0.9, labels_per_class=5),
        *arm("lp_ft", SIMILAR, labels_per_class=5),
        *arm("scratch", [0.76] * 5, labels_per_class=50),
        *arm("fine_tune", [0.84] * 5, labels_per_class=50),
        *arm("scratch", [0.86] * 5, labels_per_class=None),
        *arm("fine_tune", WORSE, labels_per_class=None),
        *(failed("lp_ft", seed, "budget", labels=50) for seed in range(5)),
    ]
    report = build_report(curved, trials, TASK, COUNTS)
    assert (report.verdict, report.winner) == ("positive_transfer", "fine_tune")
    assert (report.labels_per_class, report.labels) == (5, 20)
    curve = report.learning_curve
    assert [(point.labels_per_class, point.labels) for point in curve] == [
        (5, 20),
        (50, 183),
        (None, 933),
    ]
    assert [list(point.arms) for point in curve] == [
        ["scratch", "fine_tune", "lp_ft"],
        ["scratch", "fine_tune"],
        ["scratch", "fine_tune"],
    ]
    assert curve[0].gains["fine_tune"] == report.arms["fine_tune"].gain
    assert curve[2].gains["fine_tune"].mean == pytest.approx(0.61 - 0.86)
    for point in curve:
        gain = point.gains["fine_tune"]
        assert gain.p_value is not None
        assert gain.p_holm == pytest.approx(len(point.gains) * gain.p_value)
    reached = report.arms["fine_tune"].labels_to_reach
    assert reached is not None
    assert reached.scratch_labels is not None
    # 0.81 lies halfway from 0.76 to 0.86, so halfway from 183 to 933 in log labels.
    assert reached.scratch_labels == pytest.approx(np.sqrt(183 * 933))
    assert report.arms["scratch"].labels_to_reach is None
    assert "2 arms were compared with scratch" in report.multiplicity
    assert "each other label budget" in report.multiplicity
    assert report.stop_reason == "budget"
    assert report.trials_failed == 0


def test_a_curve_that_falls_is_said() -> None:
    curved = spec(labels=5, learning_curve=[50])
    trials = [
        *arm("scratch", [0.7] * 5, labels_per_class=5),
        *arm("fine_tune", BETTER, labels_per_class=5),
        *arm("scratch", [0.6] * 5, labels_per_class=50),
    ]
    report = build_report(curved, trials, TASK, COUNTS)
    assert any("scratch does worse with more labels" in text for text in report.warnings)


def test_what_is_missing_is_listed() -> None:
    curved = spec(("fine_tune", "lp_ft"), labels=5, learning_curve=[None])
    trials = [
        failed("lp_ft", 1, "budget"),
        failed("scratch", 0, "budget"),
        failed("lp_ft", 2, "diverged", labels=5),
        failed("lp_ft", 1, "diverged", labels=5),
        failed("fine_tune", 0, "dependency_failed", labels=5),
        failed("pretrain", 0, "diverged"),
    ]
    report = build_report(curved, trials, TASK, COUNTS)
    assert [(m.arm, m.labels_per_class, m.seeds, m.code) for m in report.missing] == [
        ("pretrain", None, [0], "diverged"),
        ("fine_tune", 5, [0], "dependency_failed"),
        ("lp_ft", 5, [1, 2], "diverged"),
        ("scratch", None, [0], "budget"),
        ("lp_ft", None, [1], "budget"),
    ]
    assert (report.stop_reason, report.trials_failed) == ("budget", 4)
    assert report.learning_curve == []
    assert report.multiplicity == "no arm was compared with scratch"
