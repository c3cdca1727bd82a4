"""Findings of the intake in a job's datasets, where it bears on the verdict."""

from collections.abc import Sequence

from app.jobs.schemas import EvidenceDataset

TOO_MANY_KNOWN = 0.1  # share of test items that stand in training: from here it proves nothing


def dataset_warnings(datasets: Sequence[EvidenceDataset]) -> list[str]:
    """The profiles' warnings, each with its dataset."""
    return [
        f"{dataset.role} {dataset.name}: {warning.rstrip('.')}"
        for dataset in datasets
        for warning in dataset.warnings
    ]


def known_items(datasets: Sequence[EvidenceDataset], test_items: int) -> tuple[str, bool] | None:
    """A sentence of how many of the target's test items stand in its training split too, and
    whether they are so many (10 %) that the test set proves nothing; None where there are none."""
    target = next((each for each in datasets if each.role == "target"), None)
    if target is None or not target.test_in_training or not test_items:
        return None
    count, contradicting = target.test_in_training, target.test_contradicting
    stand = "stands" if count == 1 else "stand"
    said = f"{count} of {test_items} test items {stand} in the training split too"
    if contradicting:
        said += f", {contradicting} of them with another label"
    if count < TOO_MANY_KNOWN * test_items:
        return f"{said}: the test is a little easier than it looks", False
    return f"{said}: a verdict over such a test set is not evidence", True
