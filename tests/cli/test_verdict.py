from typing import Any

import pytest

from app.cli import verdict
from app.spec.report import Report
from tests.jobs.page.examples import unequal
from tests.jobs.page.label_free import label_free, unmeasured
from tests.jobs.page.ranked import ranking
from tests.jobs.page.searched import searched
from tests.jobs.page.sliced import SENTENCE, sliced


def _arm(mean: float, gain: float | None, **changes: Any) -> dict[str, Any]:
    value = {"mean": mean, "low": mean - 0.01, "high": mean + 0.01, "n": 5}
    bounds = {"low": 0.08, "high": 0.12}
    arm = {
        "metrics": {"accuracy": value},
        "validation": value,
        "gain": gain
        and {
            **value,
            "mean": gain,
            "bootstrap": {"low": 0.01, "high": 0.02},
            "overall": bounds,
            "p_value": 0.01,
            "p_holm": 0.02,
        },
        "transfer_ratio": None,
        "jumpstart": None,
        "labels_to_reach": None,
        "per_class": [],
        "confusion": [],
        "calibration": None,
        "cost": {"trials": 1.0, "pretraining": 2.0, "epochs": None},
    }
    return arm | changes


def _report(**changes: Any) -> Report:
    fields = {
        "verdict": "positive_transfer",
        "reason": "lp_ft [beats] scratch",
        "primary_metric": "accuracy",
        "confidence": 0.95,
        "labels_per_class": 5,
        "labels": 10,
        "test_items": 359,
        "classes": ["0", "1"],
        "baseline": "scratch",
        "winner": "lp_ft",
        "winner_seed": 0,
        "arms": {"scratch": _arm(0.8, None), "lp_ft": _arm(0.9, 0.1)},
        "learning_curve": [],
        "multiplicity": "1 arm was compared with scratch",
        "selection": [],
        "stop_reason": None,
        "missing": [],
        "warnings": ["fewer than 5 seeds"],
        "trials_failed": 0,
        "seconds": 2.0,
    }
    return Report.model_validate(fields | changes)


def _shown(report: Report, capsys: pytest.CaptureFixture[str]) -> list[str]:
    verdict.show(report)
    return capsys.readouterr().out.splitlines()


@pytest.mark.parametrize(
    ("gain", "shown"), [(0.00003, "+3e-05"), (-0.00003, "-3e-05"), (1e-12, "0.0000")]
)
def test_the_smallest_gain_keeps_its_side(
    gain: float, shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    report = _report(arms={"scratch": _arm(0.8, None), "lp_ft": _arm(0.8, gain)})
    assert _shown(report, capsys)[2].split()[6] == shown


def test_a_row_an_arm_and_the_verdict(capsys: pytest.CaptureFixture[str]) -> None:
    lines = _shown(_report(), capsys)
    assert lines[1].split() == ["scratch", "0.8000", "0.7900", "…", "0.8100"]
    assert lines[2].split()[:6] == ["lp_ft", "*", "0.9000", "0.8900", "…", "0.9100"]
    assert lines[2].split()[6:] == ["+0.1000", "0.0800", "…", "0.1200", "0.01", "0.02"]
    assert "5 labels per class (10 labels), 5 seeds, 359 test items" in lines
    assert "The transfer helped." in lines
    assert "lp_ft [beats] scratch" in lines
    assert "warning: fewer than 5 seeds" in lines


def test_a_cancelled_jobs_report_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    missing = [{"arm": "lp_ft", "labels_per_class": 5, "seeds": [3], "code": "cancelled"}]
    lines = _shown(_report(stop_reason="cancelled", missing=missing), capsys)
    assert "stopped: the job was cancelled; this compares what had finished by then" in lines
    assert "missing: lp_ft with 5 labels per class, seed 3 (cancelled)" in lines


def test_one_seed_shows_no_interval(capsys: pytest.CaptureFixture[str]) -> None:
    arm = _arm(0.9, 0.1)
    arm["gain"] |= {"overall": None, "p_value": None, "p_holm": None}
    lines = _shown(_report(arms={"lp_ft": arm}), capsys)
    assert lines[1].split()[-1] == "+0.1000"


def test_labels_to_reach_and_what_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    reached = {
        "labels": 10,
        "metric": 0.9,
        "scratch_labels": 42.0,
        "ratio": 4.2,
        "bound": None,
        "sentence": "scratch needs 4.2 times the labels of lp_ft",
    }
    missing = [
        {"arm": "pretrain", "labels_per_class": None, "seeds": [3], "code": "budget"},
        {"arm": "lp_ft", "labels_per_class": None, "seeds": [3, 4], "code": "budget"},
        {"arm": "scratch", "labels_per_class": 5, "seeds": [2], "code": "diverged"},
    ]
    arms = {"lp_ft": _arm(0.9, 0.1, labels_to_reach=reached)}
    lines = _shown(_report(arms=arms, missing=missing, stop_reason="budget"), capsys)
    assert "scratch needs 4.2 times the labels of lp_ft" in lines
    assert "stopped: the job's budget of seconds was spent" in lines
    assert "missing: pretrain, seed 3 (budget)" in lines
    assert "missing: lp_ft with all labels, seeds 3, 4 (budget)" in lines
    assert "missing: scratch with 5 labels per class, seed 2 (diverged)" in lines


def test_a_choice_without_labels_and_its_bound(capsys: pytest.CaptureFixture[str]) -> None:
    lines = _shown(label_free(), capsys)
    assert "gain over source_only" in lines[0]
    assert [line.split()[:2] for line in lines[1:5]] == [
        ["source_only", "0.5480"],
        ["cdan", "0.6620"],
        ["dann", "*"],
        ["target_supervised", "(bound)"],
    ]
    assert "no labels of the target, 5 seeds, 2600 test items" in lines
    assert (
        "chosen without labels, by invariant information: dann "
        "(by the test set's labels, which chose nothing: cdan, +0.0610)"
    ) in lines
    assert "chosen without labels, by invariant information: dann" in _shown(unmeasured(), capsys)


def test_parts_of_the_test_items(capsys: pytest.CaptureFixture[str]) -> None:
    lines = _shown(sliced(), capsys)
    place = lines.index(SENTENCE)
    assert lines[place + 1].split()[:3] == ["<hospital>", "test", "items"]
    assert lines[place + 3].split()[:9] == [
        *("a", "<b>", "c", "40", "0.6620", "0.6460", "…", "0.6780", "+0.1140")
    ]
    assert lines[place + 4].split()[:3] == ["(other)", "60", "0.6620"]
    assert "By sex nothing." in lines


def test_a_ranking_answers_what_was_asked(capsys: pytest.CaptureFixture[str]) -> None:
    lines = _shown(ranking(), capsys)
    assert lines[0].split() == [
        *("source", "LogME", "LEEP", "H-score", "kNN", "probe", "proxy", "A-distance")
    ]
    assert lines[1].split() == ["2:", "letters", "0.5200", "-0.4100", "0.9100", "0.9000"]
    assert lines[2].split()[:3] == ["1:", "digits", "0.3300"]
    assert lines[3:] == [
        "",
        "letters suits best.",
        "letters suits best: logme 0.5200, the next 0.3300 (digits); 3 of 4 scores put it first",
    ]


def test_a_measured_ranking_stands_before_the_verdict(capsys: pytest.CaptureFixture[str]) -> None:
    lines = _shown(ranking(measured=True), capsys)
    row = next(line for line in lines if line.startswith("2: letters"))
    assert row.split()[-2:] == ["0.6620", "lp_ft@2"]
    assert lines.index("letters suits best.") < lines.index("The transfer helped.")


def test_searches_and_forgetting(capsys: pytest.CaptureFixture[str]) -> None:
    lines = _shown(searched(), capsys)
    assert (
        "search for auto, seed 0: lp_ft, learning rate 0.003, epochs 30 "
        "(lp_ft: accuracy 0.700 on 40 held-out items)"
    ) in lines
    assert "lp_ft: accuracy on the source 0.9910 before, 0.8450 after (-0.1460)" in lines


def test_chance_balanced_accuracy_and_steps_stand_with_the_table(
    capsys: pytest.CaptureFixture[str],
) -> None:
    lines = _shown(unequal(), capsys)
    assert "balanced accuracy" in lines[0]
    assert lines[1].split() == ["scratch", "0.5480", "0.5320", "…", "0.5640", "0.5480"]
    assert lines[2].split()[-2:] == ["0.031", "0.23"]
    assert (
        "chance: 0.0385; always answering a: accuracy 0.5000, balanced accuracy 0.0400"
    ) in lines
    assert (
        "optimizer steps per trial: scratch 1000, lp_ft 2000 (and 300 of a head alone), "
        "fine_tune 1000"
    ) in lines
    assert any("p (Holm), 0.23, is corrected for all the arms" in line for line in lines)


def test_where_the_test_labels_would_choose_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    choice = label_free().label_free
    assert choice is not None
    same = label_free(label_free=choice.model_copy(update={"oracle": "dann", "regret": 0.0}))
    assert (
        "chosen without labels, by invariant information: dann "
        "(the test set's labels, which chose nothing, would have chosen it too)"
    ) in _shown(same, capsys)
