"""What takes a verdict away where the target's labels are hidden; predictions are made up."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from app.spec.report import Report
from app.spec.spec import Deploy, ResolvedSpec
from tests.evaluation.made_up import COUNTS, TASK, Y_VALIDATION, arm, logits
from worker.evaluation.evidence import TrialResult
from worker.evaluation.report import build_report

TRAINED_ON = np.arange(200) % 4


def spec(deploy: Deploy | None = None) -> ResolvedSpec:
    return ResolvedSpec.model_validate(
        {
            "sources": [{"dataset": "ds_source"}],
            "target": {"dataset": "ds_target", "use_labels": False},
            "model": {"backbone": "mlp"},
            "strategies": [{"name": "mcc"}],
            "evaluation": {"seeds": 5, "pretrain_seeds": 5},
            "deploy": deploy and deploy.model_dump(),
        }
    )


def trials(name: str, accuracies: Sequence[float], **more: Any) -> list[TrialResult]:
    roles = {"source_only": "baseline", "target_supervised": "bound"}
    sure = logits(Y_VALIDATION, 1, 0)
    hidden = {"y_validation": None, "logits_validation": sure, "logits_changed": sure}
    return arm(name, accuracies, role=roles.get(name, "transfer"), **(hidden | more))


def reported(source_only: float, mcc: float, bound: float, **more: Any) -> Report:
    """Four classes, 400 test items: above chance from 0.2857."""
    found = [
        *trials("source_only", [source_only] * 5),
        *trials("mcc", [mcc - 0.01, mcc, mcc, mcc, mcc + 0.01], **more),
        *trials("target_supervised", [bound] * 5),
    ]
    return build_report(spec(), found, TASK, COUNTS)


def test_a_winner_that_beats_a_baseline_below_chance_is_no_evidence() -> None:
    report = reported(source_only=0.10, mcc=0.27, bound=1.0)
    gain = report.arms["mcc"].gain
    assert gain is not None
    assert gain.overall is not None
    assert gain.overall.low > 0
    assert (report.verdict, report.is_proven) == ("no_evidence", False)
    assert report.reason.startswith(
        "mcc is not above chance by more than the noise of 400 test items (accuracy 0.2700; "
        "guessing has 0.2500, always answering a 0.2500). source_only is below chance (accuracy "
        "0.1000; "
    )
    assert "under these circumstances that is no evidence" in report.reason


def test_far_below_the_bound_over_a_baseline_at_chance_is_no_evidence() -> None:
    """Above chance, but not half of the way from 0.25 to 1."""
    report = reported(source_only=0.12, mcc=0.36, bound=1.0)
    assert report.verdict == "no_evidence"
    assert report.reason.startswith("source_only is below chance")
    assert (
        "mcc is far below target_supervised: accuracy 0.3600 against 1.0000, less than half of the "
        "way from chance (0.2500)"
    ) in report.reason


def test_half_of_the_way_over_a_baseline_at_chance_is_evidence() -> None:
    report = reported(source_only=0.12, mcc=0.64, bound=1.0)
    assert report.verdict == "positive_transfer"
    assert report.reason.startswith("mcc beats source_only by 0.5200 accuracy")
    assert "source_only is below chance" in report.reason
    assert "far below" not in report.reason


def test_far_below_the_bound_over_a_sound_baseline_is_said_beside_the_verdict() -> None:
    report = reported(source_only=0.40, mcc=0.55, bound=1.0)
    assert report.verdict == "positive_transfer"
    assert not report.is_proven  # it helped, and is nothing to serve unseen
    assert report.reason.startswith("mcc beats source_only by 0.1500 accuracy")
    assert "mcc is far below target_supervised" in report.reason
    assert "far below" not in reported(source_only=0.40, mcc=0.55, bound=0.8).reason


def test_two_that_are_no_better_than_chance_show_no_harm() -> None:
    report = reported(source_only=0.25, mcc=0.02, bound=1.0)
    assert report.verdict == "no_evidence"
    assert report.reason.startswith("mcc is below chance")


@pytest.mark.parametrize(("answers_alike", "said"), [(0.79, True), (0.81, False)])
def test_hidden_labels_compare_the_answers_of_both_modes(answers_alike: float, said: bool) -> None:
    modes = {
        "logits_train": logits(TRAINED_ON, 1, 0),
        "logits_train_mode": logits(TRAINED_ON, answers_alike, 0),
    }
    report = reported(0.5, 0.8, 0.9, **modes)
    sentence = "mcc gives 21 % of the target's training items another class by the batch's own"
    assert (sentence in report.reason) is said
    assert any(sentence in warning for warning in report.warnings) is said


@pytest.mark.parametrize(
    ("mcc", "when", "expected"),
    [
        (0.27, "beats_baseline", "nothing is deployed as digits: `beats_baseline` asks for"),
        (0.27, "always", "mcc is deployed as digits, since deploy.when is `always`, though it is"),
        (0.64, "beats_baseline", None),
        (0.64, "always", None),
    ],
)
def test_what_becomes_of_the_deployment_is_said(mcc: float, when: Any, expected: str) -> None:
    found = [*trials("source_only", [0.12] * 5), *trials("mcc", [mcc] * 5)]
    report = build_report(spec(Deploy(name="digits", when=when)), found, TASK, COUNTS)
    said = [warning for warning in report.warnings if "deployed" in warning]
    assert [warning[: len(expected or "")] for warning in said] == ([expected] if expected else [])
