"""The verdict, the choice of the winner and the warnings, on predictions that are made up."""

import numpy as np
import pytest

from app.spec.report import Report
from app.spec.spec import Choice
from tests.evaluation.made_up import (
    BETTER,
    COUNTS,
    ITEMS,
    SCRATCH,
    SIMILAR,
    TASK,
    WORSE,
    Y_VALIDATION,
    Y,
    arm,
    failed,
    logits,
    spec,
    trial,
)
from worker.evaluation.report import build_report


@pytest.mark.parametrize(
    ("accuracies", "verdict", "sentence"),
    [
        (BETTER, "positive_transfer", "fine_tune beats scratch by 0.1060 accuracy"),
        (WORSE, "negative_transfer", "fine_tune is worse than scratch by 0.0940 accuracy"),
        (SIMILAR, "no_evidence", "fine_tune lies above scratch by 0.0020 accuracy"),
    ],
)
def test_the_verdict(accuracies: list[float], verdict: str, sentence: str) -> None:
    report = build_report(spec(), [*SCRATCH, *arm("fine_tune", accuracies)], TASK, COUNTS)
    assert report.verdict == verdict
    assert report.reason.startswith(sentence)
    assert "over 5 seeds and 400 test items" in report.reason
    assert report.warnings == []


@pytest.mark.parametrize("metric", ["f1_macro", "balanced_accuracy"])
def test_other_primary_metrics(metric: str) -> None:
    report = build_report(
        spec(primary_metric=metric), [*SCRATCH, *arm("fine_tune", BETTER)], TASK, COUNTS
    )
    assert (report.primary_metric, report.verdict) == (metric, "positive_transfer")
    assert metric in report.reason


def test_validation_chooses_the_winner_and_the_test_does_not() -> None:
    trials = [
        *SCRATCH,
        *arm("fine_tune", BETTER, validation=0.6),
        *arm("lp_ft", WORSE, validation=0.7),
    ]
    report = build_report(spec(("fine_tune", "lp_ft")), trials, TASK, COUNTS)
    assert (report.winner, report.verdict) == ("lp_ft", "negative_transfer")
    assert list(report.arms) == ["scratch", "fine_tune", "lp_ft"]


def test_the_packaged_trial_is_best_on_validation() -> None:
    fine_tune = [trial("fine_tune", 0, 0.9, 0.5), trial("fine_tune", 1, 0.8, 0.6)]
    report = build_report(spec(seeds=2), [*SCRATCH[:2], *fine_tune], TASK, COUNTS)
    assert report.winner_seed == 1


def test_arms_that_tie_and_validation_that_is_too_small() -> None:
    both = spec(("fine_tune", "lp_ft"))
    tied = [*SCRATCH, *arm("lp_ft", BETTER), *arm("fine_tune", BETTER)]
    report = build_report(both, tied, TASK, COUNTS)
    assert report.winner == "fine_tune"
    assert "fine_tune and lp_ft tie on validation" in report.warnings[0]


@pytest.mark.parametrize(("items", "winner"), [(0, "fine_tune"), (3, "fine_tune"), (4, "lp_ft")])
def test_five_seeds_need_four_validation_items_each(items: int, winner: str) -> None:
    y = Y_VALIDATION[:items]
    held_out = {"y_validation": y, "logits_validation": logits(y, 1, 0)}
    lp_ft = [trial("lp_ft", seed, 0.9, **held_out) for seed in range(5)]
    trials = [*SCRATCH, *arm("fine_tune", BETTER), *lp_ft]
    report = build_report(spec(("fine_tune", "lp_ft")), trials, TASK, COUNTS)
    assert report.winner == winner
    assert ["fewer than 20 validation items" in text for text in report.warnings] == (
        [] if winner == "lp_ft" else [True]
    )
    assert (report.arms["lp_ft"].validation is None) == (items == 0)
    assert report.arms["lp_ft"].calibration is None


def test_holm_over_the_arms() -> None:
    trials = [*SCRATCH, *arm("fine_tune", BETTER), *arm("lp_ft", SIMILAR)]
    report = build_report(spec(("fine_tune", "lp_ft")), trials, TASK, COUNTS)
    fine_tune, lp_ft = report.arms["fine_tune"].gain, report.arms["lp_ft"].gain
    assert fine_tune is not None
    assert lp_ft is not None
    assert fine_tune.p_holm == pytest.approx(2 * fine_tune.p_value)
    assert lp_ft.p_holm == pytest.approx(lp_ft.p_value)


def test_one_seed_gives_no_interval_and_no_verdict() -> None:
    report = build_report(
        spec(seeds=1), [trial("scratch", 0, 0.5), trial("fine_tune", 0, 0.9)], TASK, COUNTS
    )
    gain = report.arms["fine_tune"].gain
    assert gain is not None
    assert (gain.low, gain.high, gain.n) == (None, None, 1)
    assert (gain.overall, gain.p_value, gain.p_holm) == (None, None, None)
    assert gain.bootstrap.low > 0.3
    assert report.verdict == "no_evidence"
    assert report.reason.startswith("fine_tune lies above scratch by 0.4000 accuracy, 95 % interv")
    unknown = (
        "1 seed: the spread over seeds is unknown, so no interval for other seeds can be given"
    )
    assert report.reason.endswith(f"over 400 test items alone; {unknown}")
    assert report.warnings == [unknown]


def test_without_a_baseline_nothing_is_claimed() -> None:
    report = build_report(spec(baseline=False), arm("fine_tune", BETTER), TASK, COUNTS)
    assert (report.verdict, report.baseline, report.winner) == ("no_evidence", None, "fine_tune")
    assert "no baseline" in report.reason
    assert report.arms["fine_tune"].gain is None


def test_seeds_are_paired_and_failures_told() -> None:
    scratch = [failed("scratch", 0), *SCRATCH[1:]]
    fine_tune = [*arm("fine_tune", BETTER)[:3], failed("fine_tune", 3), failed("fine_tune", 4)]
    report = build_report(spec(), [*scratch, *fine_tune], TASK, COUNTS)
    gain = report.arms["fine_tune"].gain
    assert gain is not None
    assert gain.n == 2  # seeds 1 and 2
    assert gain.mean == pytest.approx(0.11)
    assert report.trials_failed == 3
    assert report.warnings == [
        "2 seeds: with fewer than 5 the spread over seeds is poorly known",
        "fine_tune: 2 trials failed (diverged)",
        "scratch: 1 trial failed (diverged)",
    ]


def test_nothing_but_failures_is_a_report_too() -> None:
    report = build_report(
        spec(seeds=1), [failed("scratch", 0), failed("fine_tune", 0)], TASK, COUNTS
    )
    assert (report.verdict, report.winner, report.arms) == ("no_evidence", None, {})
    assert report.reason == "no transfer trial with all labels succeeded"

    no_pair = [failed("scratch", 0), trial("fine_tune", 0, 0.9)]
    report = build_report(spec(seeds=1), no_pair, TASK, COUNTS)
    assert report.reason == "no seed has both a trial of fine_tune and one of scratch"


def test_small_tests_and_absent_classes_are_warned_of() -> None:
    y = np.arange(60) % 3  # and d has no training item either
    trials = [
        trial(name, seed, 0, y_test=y, logits_test=logits(y, 0.5, number))
        for number, name in enumerate(("scratch", "fine_tune"))
        for seed in range(5)
    ]
    report = build_report(spec(), trials, TASK, (9, 9, 9, 0))
    assert report.warnings[0].startswith("60 test items")
    assert report.warnings[1].startswith("classes without a training item: d;")
    assert report.warnings[2].startswith("classes without a test item: d;")
    assert report.arms["fine_tune"].per_class[3].support == 0


def test_the_same_trials_give_the_same_bytes_and_survive_json() -> None:
    choice = Choice(field="strategies", chosen="fine_tune", reason="because")
    trials = [*SCRATCH, *arm("fine_tune", BETTER), failed("fine_tune", 9)]
    one = build_report(spec(), trials, TASK, COUNTS, [choice])
    other = build_report(spec(), trials[::-1], TASK, COUNTS, [choice])
    assert one.model_dump_json() == other.model_dump_json()
    assert Report.model_validate_json(one.model_dump_json()) == one


def test_trials_with_other_test_items_are_refused() -> None:
    odd = trial("fine_tune", 0, 0.9, y_test=Y[::-1])
    with pytest.raises(ValueError, match="the same test items"):
        build_report(spec(), [*SCRATCH, odd], TASK, COUNTS)


@pytest.mark.parametrize(
    ("pretrainings", "warnings"),
    [(1, ["all seeds share one pretraining"]), (2, ["5 seeds share 2 pretrainings"]), (5, [])],
)
def test_shared_pretrainings_are_warned_of(pretrainings: int, warnings: list[str]) -> None:
    report = build_report(
        spec(pretrain_seeds=pretrainings), [*SCRATCH, *arm("fine_tune", BETTER)], TASK, COUNTS
    )
    assert [warning.split(":")[0] for warning in report.warnings] == warnings


def test_arms_that_hardly_differ_are_warned_of() -> None:
    nine_more = [trial("fine_tune", seed, (280 + 9 * (seed == 3)) / ITEMS) for seed in range(5)]
    trials = [*arm("scratch", [280 / ITEMS] * 5), *nine_more]
    report = build_report(spec(), trials, TASK, COUNTS)
    assert [warning.split(":")[0] for warning in report.warnings] == [
        "the winner and scratch differ on 9 test items"
    ]


@pytest.mark.slow
def test_transfer_that_does_nothing_seldom_comes_out_positive() -> None:
    """Both arms draw their accuracy from the same distribution: at most 2.5 % may be positive."""
    random = np.random.default_rng(0)
    verdicts = []
    for _ in range(100):
        scratch, fine_tune = random.normal(0.7, 0.02, (2, 5)).tolist()
        trials = arm("scratch", scratch)
        for seed, accuracy in enumerate(fine_tune):
            wrong_elsewhere = logits(Y, accuracy, seed + 50)
            trials.append(trial("fine_tune", seed, 0, logits_test=wrong_elsewhere))
        verdicts.append(build_report(spec(), trials, TASK, COUNTS).verdict)
    assert verdicts.count("positive_transfer") <= 7  # 2.5 and 3 standard errors


def test_an_arm_that_lost_seeds_is_not_ranked_beside_whole_ones() -> None:
    lucky = [
        trial("fine_tune", 0, 0.95, 0.95),
        *(failed("fine_tune", seed) for seed in range(1, 5)),
    ]
    whole = arm("lp_ft", [0.80, 0.81, 0.82, 0.80, 0.81], 0.9)
    report = build_report(spec(("fine_tune", "lp_ft")), [*SCRATCH, *lucky, *whole], TASK, COUNTS)
    assert report.winner == "lp_ft"
    assert report.verdict == "positive_transfer"
    said = "fine_tune has results of 1 of 5 seeds and may not be the winner"
    assert [each for each in report.warnings if each.startswith(said)]


def test_forgetting_that_could_not_be_measured_is_said() -> None:
    for asked in (True, False):
        job = spec()
        evaluation = job.evaluation.model_copy(update={"forgetting": asked})
        job = job.model_copy(update={"evaluation": evaluation})
        report = build_report(job, [*SCRATCH, *arm("fine_tune", BETTER)], TASK, COUNTS)
        assert any("what fine_tune forgot" in each for each in report.warnings) is asked
