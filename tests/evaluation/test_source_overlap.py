"""A source that holds the target's items: what is said of the verdict."""

import numpy as np
import pytest

from app.jobs.schemas import EvidenceDataset
from app.spec.report import Report
from tests.evaluation.made_up import BETTER, COUNTS, SIMILAR, TASK, arm, spec
from worker.evaluation.report import build_report

NAMED = [
    EvidenceDataset(role="target", id="ds_target", name="shoes"),
    EvidenceDataset(role="source", id="ds_source", name="digits"),
]
BASELINE = [0.70, 0.71, 0.69, 0.70, 0.72]
TEST = "of 400 test items stand among the training items of the source digits"


def reported(
    test: int = 0,
    train: int = 0,
    equal: int = 0,
    better: list[float] = BETTER,
    labels_per_class: int | None = None,
) -> Report:
    """400 test items, 200 to train on, 1,000 of the source, of which `equal` have a twin there."""
    shared = np.array([[0, test, 400, train, 200, equal, 1000]])
    more = {"labels_per_class": labels_per_class}
    trials = [
        *arm("scratch", BASELINE, **more),
        *arm("fine_tune", better, shared_items=shared, **more),
    ]
    return build_report(spec(labels=labels_per_class), trials, TASK, COUNTS, datasets=NAMED)


def test_nothing_is_said_of_a_source_without_them() -> None:
    assert reported().verdict == "positive_transfer"
    assert "stand among" not in reported().reason


@pytest.mark.parametrize("better", [BETTER, SIMILAR])
def test_a_tenth_of_the_test_items_in_the_source_is_too_many(better: list[float]) -> None:
    report = reported(test=40, better=better)
    assert report.verdict == "no_evidence"
    assert report.reason.startswith(f"40 {TEST}: a verdict over such a test set is not evidence")


def test_fewer_are_told_of() -> None:
    report = reported(test=39)
    assert report.verdict == "positive_transfer"
    assert f"39 {TEST}: fine_tune has seen them, with their labels there" in report.reason


def test_rows_that_are_alike_by_chance_are_none() -> None:
    """A tenth of the source's own rows have a twin, so two tenths may by chance."""
    assert reported(test=80, equal=100).verdict == "positive_transfer"
    assert reported(test=81, equal=100).verdict == "no_evidence"


def test_training_items_with_more_labels_than_the_budget_take_a_gain_away() -> None:
    report = reported(train=100, labels_per_class=5)
    assert report.verdict == "no_evidence"
    assert "100 of the target's 200 training items stand among those of the source" in report.reason
    assert "a gain tells what more labels bring" in report.reason
    assert reported(train=100).verdict == "positive_transfer"  # scratch has these labels too
    assert reported(train=19, labels_per_class=5).verdict == "positive_transfer"
