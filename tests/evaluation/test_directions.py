"""A report of a metric of which less is better: nothing may go by the larger number."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from app.spec.report import Report
from app.spec.spec import ResolvedSpec
from app.tasks.regression import Regression
from worker.evaluation.evidence import TrialResult
from worker.evaluation.learning_curve import labels_to_reach
from worker.evaluation.report import build_report

TASK = Regression(unit="m", mean=50.0, std=10.0)
Y = np.linspace(30, 70, 200).astype(np.float32)
HELD_OUT = np.linspace(35, 65, 40).astype(np.float32)
TOO_HIGH = {"scratch": 5.0, "fine_tune": 2.0, "lp_ft": 8.0}  # metres, on every item


def job(metric: str | None = None, **target: Any) -> ResolvedSpec:
    return ResolvedSpec.model_validate(
        {
            "task": "regression",
            "sources": [{"dataset": "ds_source"}],
            "target": {"dataset": "ds_target", **target},
            "model": {"backbone": "mlp"},
            "strategies": [{"name": name} for name in ("lp_ft", "fine_tune")],
            "evaluation": {"seeds": 5, "pretrain_seeds": 5, "primary_metric": metric or "mae"},
        }
    )


def outputs(y: np.ndarray, too_high: float, seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, 0.5, len(y))
    return ((y + too_high + noise - 50) / 10)[:, None].astype(np.float32)


def trial(arm: str, seed: int, labels: int | None = None, more: float = 0.0) -> TrialResult:
    wrong = TOO_HIGH[arm] + 0.1 * seed + more
    return TrialResult(
        arm,
        "baseline" if arm == "scratch" else "transfer",
        seed,
        labels,
        1.0,
        y_test=Y,
        logits_test=outputs(Y, wrong, seed),
        y_validation=HELD_OUT,
        logits_validation=outputs(HELD_OUT, wrong, 100 + seed),
    )


def report(metric: str | None = None) -> Report:
    trials = [trial(arm, seed) for arm in TOO_HIGH for seed in range(5)]
    return build_report(job(metric), trials, TASK, (250,))


@pytest.mark.parametrize("metric", ["mae", "rmse", "r2"])
def test_the_arm_with_the_least_error_wins_and_has_gained(metric: str) -> None:
    found = report(metric)
    assert (found.winner, found.winner_seed) == ("fine_tune", 0)
    assert found.verdict == "positive_transfer"
    assert found.is_proven
    gains = {name: arm.gain for name, arm in found.arms.items() if arm.gain}
    assert gains["fine_tune"].mean > 0 > gains["lp_ft"].mean
    for gain, is_better in ((gains["fine_tune"], True), (gains["lp_ft"], False)):
        assert gain.overall is not None
        assert (gain.overall.low > 0) is is_better
        assert (gain.bootstrap.low > 0) is is_better
    assert list(found.ranked) == ["scratch", "fine_tune", "lp_ft"]


@pytest.mark.parametrize("metric", ["mae", "rmse"])
def test_the_unit_changes_nothing(metric: str) -> None:
    """Of mol/L a billionth is much: an absolute tolerance called a gain none, and arms a tie."""
    small = 1e-12
    task = Regression(unit="mol/L", mean=50 * small, std=10 * small)
    trials = [
        replace(
            each, y_test=each.y_test * np.float32(small), y_validation=each.y_validation * small
        )
        for arm in TOO_HIGH
        for each in (trial(arm, seed) for seed in range(5))
        if each.y_test is not None and each.y_validation is not None
    ]
    found, usual = build_report(job(metric), trials, task, (250,)), report(metric)
    assert (found.winner, found.verdict) == (usual.winner, usual.verdict)
    assert not any("tie on validation" in each for each in found.warnings)
    gain = usual.arms["fine_tune"].gain
    assert gain is not None
    assert found.reason.startswith(f"fine_tune beats scratch by {small * gain.mean:.3e} {metric}")


def test_two_arms_that_differ_in_the_last_bits_are_equal() -> None:
    """Errors of one size on either side of the truth."""
    trials = [
        replace(
            trial(arm, seed),
            logits_test=((Y.astype(np.float64) + off * (1 + seed) - 50) / 10)[:, None],
        )
        for arm, off in (("scratch", 0.1), ("fine_tune", -0.1))
        for seed in range(5)
    ]
    found = build_report(job("mae"), trials, TASK, (250,))
    assert found.verdict == "no_evidence"
    assert found.reason.startswith("fine_tune equals scratch in mae")


def test_no_ratio_of_what_may_lie_below_0() -> None:
    assert report("r2").arms["fine_tune"].transfer_ratio is None
    assert report("mae").arms["fine_tune"].transfer_ratio is not None


def test_one_test_item_has_no_interval() -> None:
    trials = [
        replace(each, y_test=Y[:1], logits_test=each.logits_test[:1])
        for arm in TOO_HIGH
        for each in (trial(arm, seed) for seed in range(5))
        if each.logits_test is not None
    ]
    found = build_report(job("mae"), trials, TASK, (250,))
    assert "interval [" not in found.reason
    assert "over 1 test item alone; the spread over test items is unknown" in found.reason
    assert found.warnings[0].startswith("1 test item: with fewer than 100")


def test_a_gain_is_the_baselines_error_minus_the_arms() -> None:
    gain = report().arms["fine_tune"].gain
    assert gain is not None
    assert gain.mean == pytest.approx(3.0, abs=0.01)
    assert report().reason.startswith(
        f"fine_tune beats scratch by {gain.mean:.3f} mae (lower is better), 95 % interval [+"
    )


def test_an_arm_that_errs_more_did_harm() -> None:
    trials = [trial(arm, seed) for arm in ("scratch", "lp_ft") for seed in range(5)]
    found = build_report(job(), trials, TASK, (250,))
    assert (found.winner, found.verdict) == ("lp_ft", "negative_transfer")
    assert "lp_ft is worse than scratch by 3.0" in found.reason


def test_an_error_has_no_upper_end() -> None:
    """Its interval is cut at 0 alone, and an improvement of 3 m is more than 1."""
    found = report()
    interval = found.arms["scratch"].metrics["mae"]
    assert interval.high is not None
    assert interval.high > 1
    gain = found.arms["fine_tune"].gain
    assert gain is not None
    assert gain.high is not None
    assert gain.high > 1


def test_the_best_answer_that_looks_at_no_item_is_the_reference() -> None:
    found = report().reference
    assert found is not None
    assert found.majority_class == "50.00 m"
    assert found.chance == pytest.approx(np.abs(Y - 50).mean(), rel=1e-6)
    assert found.majority["r2"] == pytest.approx(0)
    assert found.not_above == []


def test_a_winner_no_better_than_a_constant_is_no_evidence() -> None:
    trials = [
        trial(arm, seed, more=30.0 if arm == "scratch" else 10.0)
        for arm in ("scratch", "fine_tune")
        for seed in range(5)
    ]
    found = build_report(job(), trials, TASK, (250,))
    assert found.verdict == "no_evidence"
    assert "worse than always answering 50.00 m (mae" in found.reason


def test_labels_to_reach_an_error() -> None:
    """Scratch errs by 6 m with 50 labels and by 4 with 200: 5 m is half-way on a log axis."""
    points = build_report(
        job(labels=50).model_copy(
            update={"evaluation": job().evaluation.model_copy(update={"learning_curve": (200,)})}
        ),
        [
            trial("scratch", seed, labels, more=more - 0.1 * seed)
            for seed in range(5)
            for labels, more in ((50, 1.0), (200, -1.0))
        ],
        TASK,
        (250,),
    ).learning_curve
    assert [point.labels for point in points] == [50, 200]
    means = [point.arms["scratch"].mean for point in points]
    needed = labels_to_reach("lp_ft", sum(means) / 2, 50, points, TASK.metrics["mae"])
    assert needed is not None
    assert needed.scratch_labels == pytest.approx(100)
    too_good = labels_to_reach("lp_ft", 1.0, 50, points, TASK.metrics["mae"])
    assert too_good is not None
    assert too_good.bound == "at_least"


def test_the_detail_is_of_residuals() -> None:
    found = report().arms["fine_tune"]
    assert found.residuals is not None
    assert found.residuals.bias == pytest.approx(2.2, abs=0.05)  # 2 m and the seeds' 0 to 0.4
    assert found.residuals.points[0][0] == pytest.approx(30)
    assert len(found.residuals.points) == 200
    assert (found.per_class, found.confusion, found.calibration) == ([], [], None)
