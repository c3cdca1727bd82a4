"""What the intake found reaches the report, and takes the verdict away where it must."""

from app.jobs.schemas import EvidenceDataset
from app.spec.report import Report
from tests.evaluation.made_up import BETTER, COUNTS, SCRATCH, TASK, arm, spec
from worker.evaluation.report import build_report

IMBALANCE = "The classes are out of balance: `a` has 380 training items, `b` has 20."


def reported(known: int = 0, contradicting: int = 0, better: list[float] = BETTER) -> Report:
    """400 test items."""
    datasets = [
        EvidenceDataset(
            role="target",
            id="ds_t",
            name="shoes",
            test_in_training=known,
            test_contradicting=contradicting,
        ),
        EvidenceDataset(role="source", id="ds_s", name="digits", warnings=[IMBALANCE]),
    ]
    trials = [*SCRATCH, *arm("fine_tune", better)]
    return build_report(spec(), trials, TASK, COUNTS, datasets=datasets)


def test_each_warning_stands_with_its_dataset() -> None:
    report = reported()
    assert report.warnings == [f"source digits: {IMBALANCE.rstrip('.')}"]
    assert report.verdict == "positive_transfer"
    assert "test items stand" not in report.reason


def test_test_items_that_stand_in_training_are_no_evidence() -> None:
    for verdict_before in (BETTER, [0.6, 0.62, 0.6, 0.61, 0.62]):
        report = reported(known=400, better=verdict_before)
        assert report.verdict == "no_evidence"
        assert report.reason.startswith(
            "400 of 400 test items stand in the training split too: a verdict over such a test set "
            "is not evidence. fine_tune "
        )


def test_a_tenth_of_the_test_items_is_too_many() -> None:
    assert reported(known=40).verdict == "no_evidence"
    few = reported(known=39, contradicting=1)
    assert few.verdict == "positive_transfer"
    assert few.reason.startswith("fine_tune beats scratch by 0.1060 accuracy")
    assert few.reason.endswith(
        "39 of 400 test items stand in the training split too, 1 of them with another label: the "
        "test is a little easier than it looks"
    )
