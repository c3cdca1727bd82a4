"""What the report says of unequal classes and of suspects."""

from typing import Any

import numpy as np

from app.spec.outcomes import Candidate, SearchOutcome, Tried
from app.spec.report import Report
from app.spec.training import Augmentation, Space
from tests.evaluation.made_up import COUNTS, TASK, spec, trial
from worker.evaluation.evidence import TrialResult
from worker.evaluation.flaws import flaw_warnings
from worker.evaluation.report import build_report

IMBALANCED = np.repeat([0, 1, 2], [88, 8, 4])  # 88 % of one class, and 22 times the rarest


def report(metric: str = "accuracy", counts: tuple[int, ...] = COUNTS, **changes: object) -> Report:
    """Of networks that always answer the commonest class, but order the items of it rightly."""
    logits = np.stack([np.full(100, 5.0), IMBALANCED == 1, IMBALANCED == 2, np.zeros(100)], axis=1)
    suspects = changes.pop("suspects", None)
    trials = [
        trial(name, seed, 0, y_test=IMBALANCED, logits_test=logits, suspects=suspects)
        for name in ("fine_tune", "scratch")
        for seed in range(2)
    ]
    job = spec(seeds=2, primary_metric=metric).model_copy(update=changes)
    return build_report(job, trials, TASK, counts)


def said(report: Report, word: str) -> list[str]:
    return [warning for warning in report.warnings if word in warning]


def test_accuracy_is_said_to_mislead_with_what_the_commonest_class_scores() -> None:
    found = report()
    assert found.reference is not None
    assert found.reference.is_imbalanced
    (warning,) = said(found, "misleads")
    assert "always answering a has 0.8800 of the test items right" in warning
    assert "balanced accuracy 0.3333" in warning
    assert not said(report("balanced_accuracy"), "misleads")


def test_an_order_is_held_against_chance_by_the_auc() -> None:
    """Every answer is the commonest class, so by balanced accuracy nothing is better than it."""
    by_answers, by_order = report("balanced_accuracy"), report("auc")
    assert by_answers.reference is not None
    assert by_answers.reference.not_above == ["scratch", "fine_tune"]
    assert by_order.reference is not None
    assert by_order.reference.not_above == []
    assert (by_order.reference.chance, by_order.reference.majority["auc"]) == (0.5, 0.5)
    assert by_order.arms["fine_tune"].metrics["auc"].mean > 0.95


def test_unequal_training_items_are_told_unless_something_is_done() -> None:
    unequal = (500, 40, 30, 5)
    (warning,) = said(report(counts=unequal), "training items are 500 of a and 5 of d")
    assert "logit_adjustment" in warning
    done = report(counts=unequal, imbalance="logit_adjustment")
    assert not said(done, "training items are")
    assert said(done, "as if all classes were equally frequent")


def test_a_budget_that_takes_as_many_of_each_class_leaves_none_unequal() -> None:
    unequal = (500, 40, 30, 5)
    assert flaw_warnings(spec(), None, "abcd", unequal, []) != []
    assert flaw_warnings(spec(labels=5), None, "abcd", unequal, []) == []


def test_what_each_choice_came_to_is_told() -> None:
    """By what was tried with the chosen strategy for the most epochs."""
    rest: dict[str, Any] = dict.fromkeys(("learning_rate", "weight_decay", "epochs", "dropped"))
    rest |= {"params": {}, "rung": 0, "folds": 1, "loss": 1.0, "seconds": 1.0}
    tried = [
        Tried(strategy=strategy, imbalance=imbalance, share=share, score=score, **rest)
        for strategy, imbalance, share, score in (
            ("scratch", "none", 1.0, 0.5),
            ("scratch", "focal", 0.25, 0.25),
            ("scratch", "focal", 1.0, 0.75),
            ("scratch", "class_weights", 0.25, None),
            ("fine_tune", "none", 1.0, 0.9),
        )
    ]
    outcome = SearchOutcome(
        chosen=Candidate(imbalance="logit_adjustment"),
        reason="",
        tried=tuple(tried),
        trainings=1,
        seconds=1,
    )
    searched = TrialResult("scratch", "search", 0, None, 1.0, outcome=outcome)
    job = spec(seeds=2).model_copy(update={"space": Space(imbalance=("none", "focal"))})
    found = flaw_warnings(job, None, "abcd", (500, 40, 30, 5), [searched])
    assert found == [
        "scratch is trained with the imbalance logit_adjustment, chosen by accuracy on items held "
        "out of the training data: none 0.5000, focal 0.7500",
        "logit_adjustment: the scores that are served and measured are as if all classes were "
        "equally frequent; the commonest class is answered less often than without it",
    ]


def test_the_scores_of_the_choices_are_those_with_the_settings_that_were_chosen() -> None:
    """Views were tried with the first choice, and rates with the one that was chosen, after what is
    compared; without those settings it is the best that counts."""
    weak, strong = Augmentation(strength="weak"), Augmentation(strength="strong")
    rest: dict[str, Any] = {"params": {}, "folds": 1, "loss": 1.0, "seconds": 1.0, "dropped": None}
    rest |= {"strategy": "scratch", "weight_decay": None, "epochs": None, "share": 1.0, "rung": 1}
    tried = [
        Tried(imbalance=imbalance, augmentation=how, learning_rate=rate, score=score, **rest)
        for imbalance, how, rate, score in (
            ("none", None, None, 0.6),
            ("none", weak, None, 0.7),
            ("none", strong, None, 0.3),
            ("focal", weak, None, 0.8),
            ("focal", weak, 0.1, 0.2),
            ("class_weights", weak, 0.2, 0.5),
            ("class_weights", weak, 0.3, 0.4),
        )
    ]
    outcome = SearchOutcome(
        chosen=Candidate(imbalance="focal", augmentation=weak),
        reason="",
        tried=tuple(tried),
        trainings=1,
        seconds=1,
    )
    searched = TrialResult("scratch", "search", 0, None, 1.0, outcome=outcome)
    space = Space(imbalance=("none", "focal", "class_weights"))
    found = flaw_warnings(
        spec(seeds=2).model_copy(update={"space": space}),
        None,
        "abcd",
        (500, 40, 30, 5),
        [searched],
    )
    assert "none 0.7000, focal 0.8000, class_weights 0.5000" in found[0]


def test_the_suspects_that_were_left_out_are_counted() -> None:
    found = report(suspects=np.array([25, 75]))
    (warning,) = said(found, "drop_suspects")
    assert "left out 25 of 100 training items of the target" in warning
    assert "25.0 %" in warning
    assert not said(report(), "drop_suspects")
