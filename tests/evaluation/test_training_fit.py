"""Items trained on: nothing learnt, learnt by heart, and a network that is torn between training
mode and inference."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from app.spec.report import Report
from tests.evaluation.made_up import BETTER, COUNTS, SCRATCH, TASK, arm, logits, spec, trial
from worker.evaluation.evidence import TrialResult
from worker.evaluation.report import build_report

TRAINED_ON = np.arange(200) % 4  # chance 0.25: 1.645 standard errors are 0.0504


def trained(accuracy: float, in_training_mode: float | None = None) -> dict[str, Any]:
    mode = accuracy if in_training_mode is None else in_training_mode
    return {
        "y_train": TRAINED_ON,
        "logits_train": logits(TRAINED_ON, accuracy, 0),
        "logits_train_mode": logits(TRAINED_ON, mode, 0),
    }


def pretrained(seed: int, **fields: Any) -> TrialResult:
    return TrialResult("pretrain", "pretrain", seed, None, 1.0, id=f"p{seed}", **fields)


def reported(trials: Sequence[TrialResult], **evaluation: Any) -> Report:
    return build_report(spec(**evaluation), trials, TASK, COUNTS)


def test_trials_that_have_learnt_nothing_are_told_with_causes_and_what_to_try() -> None:
    fine_tune = [
        *arm("fine_tune", BETTER[:3], steps=600, **trained(0.9)),
        *(trial("fine_tune", seed, 0.25, steps=600, **trained(0.3)) for seed in (3, 4)),
    ]
    (warning,) = reported([*SCRATCH, *fine_tune]).warnings
    assert warning.startswith(
        "fine_tune: 2 of 5 trials at chance on the items trained on (accuracy 0.3000, where an "
        "answer that looks at no item has 0.2500): nothing was learnt. Likely causes: "
    )
    for said in ("training.learning_rate 0.0001, then 0.01", "training.min_steps 1200", "labels"):
        assert said in warning


def test_the_advice_is_a_rate_that_a_job_accepts() -> None:
    job = spec()
    training = job.training.model_copy(update={"learning_rate": 5.0})
    trials = [*SCRATCH, *arm("fine_tune", BETTER, **trained(0.25))]
    report = build_report(job.model_copy(update={"training": training}), trials, TASK, COUNTS)
    assert "training.learning_rate 0.5, then 10)" in report.warnings[0]


@pytest.mark.parametrize("accuracy", [0.305, 1.0])
def test_above_chance_there_is_nothing_to_say(accuracy: float) -> None:
    trials = [*SCRATCH, *arm("fine_tune", BETTER, **trained(accuracy))]
    assert reported(trials).warnings == []


def test_few_items_tell_nothing() -> None:
    few = {name: array[:19] for name, array in trained(0.25).items()}
    one_each = {name: array[:3] for name, array in trained(0.25, 1.0).items()}
    assert reported([*SCRATCH, *arm("fine_tune", BETTER, **few)]).warnings == []
    assert reported([*SCRATCH, *arm("fine_tune", BETTER, **one_each)]).warnings == []


def test_always_answering_the_commonest_training_class_is_no_learning_either() -> None:
    y = np.repeat([0, 1], [190, 10])
    constant = {"y_train": y, "logits_train": np.eye(4)[np.zeros(200, np.int64)]}
    (warning,) = reported([*SCRATCH, *arm("fine_tune", BETTER, **constant)]).warnings
    assert "accuracy 0.9500, where an answer that looks at no item has 0.9500" in warning


def test_a_pretraining_that_has_learnt_nothing_names_the_arms_that_start_from_it() -> None:
    search = TrialResult("lp_ft", "search", 0, None, 1.0, id="s", depends_on="p0")
    trials = [
        *SCRATCH,
        pretrained(0, **trained(0.25)),
        search,
        *arm("fine_tune", BETTER, validation=0.6, depends_on="p0"),
        *arm("lp_ft", BETTER, depends_on="s"),
    ]
    report = build_report(spec(("fine_tune", "lp_ft")), trials, TASK, COUNTS)
    (warning,) = report.warnings
    assert warning.startswith("pretrain: 1 of 1 trial at chance on the items trained on")
    assert "nothing was learnt; fine_tune, lp_ft start from it. Likely" in warning
    assert "too little training (try training.pretrain_epochs 20)" in warning


def test_stale_statistics_are_said_in_the_reason_and_warned_of() -> None:
    trials = [*SCRATCH, *arm("fine_tune", BETTER, **trained(0.80, 0.86))]
    report = reported(trials)
    said = (
        "fine_tune has 0.8600 of its own training items right in training mode and 0.8000 in "
        "inference: its BatchNorm statistics do not fit its weights"
    )
    assert report.warnings == [said]
    assert said in report.reason
    assert report.verdict == "positive_transfer"
    for accuracy, in_training_mode in ((0.80, 0.85), (0.80, 0.60)):  # the other way: frozen ones
        fine_tune = arm("fine_tune", BETTER, **trained(accuracy, in_training_mode))
        assert reported([*SCRATCH, *fine_tune]).warnings == []


def test_what_stale_statistics_take_from_the_baseline_is_no_gain() -> None:
    def verdict_at(lag: float) -> Report:
        scratch = [trial("scratch", seed, 0.7, **trained(0.9 - lag, 0.9)) for seed in range(5)]
        return reported([*scratch, *arm("fine_tune", [0.8, 0.81, 0.8, 0.79, 0.8])])

    stale = verdict_at(0.3)  # a gain of 0.1
    assert stale.verdict == "no_evidence"
    assert stale.reason.startswith("scratch loses 0.3000 accuracy between training mode and infer")
    assert "under these circumstances that is no evidence" in stale.reason
    assert verdict_at(0.08).verdict == "positive_transfer"
    assert verdict_at(0.0).verdict == "positive_transfer"


def test_items_known_by_heart_are_said_in_the_reason() -> None:
    trials = [*SCRATCH, *arm("fine_tune", BETTER, validation=0.7, **trained(0.99))]
    assert reported(trials).reason.endswith(
        "fine_tune has 0.9900 of its own training items right and 0.7000 of the validation items: "
        "it knows items by heart more than it generalises"
    )
    near = [*SCRATCH, *arm("fine_tune", BETTER, validation=0.8, **trained(0.99))]
    assert "by heart" not in reported(near).reason
