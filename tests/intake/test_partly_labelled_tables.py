"""Rows without a label among labelled ones: kept for training beside them, never for testing."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.intake.tables import csv_text, rows_of, take_csv, x_of, y_of
from worker.intake.ingested import IngestedDataset

LABELS = ["a", "b", "", "a"] * 5
HEIGHTS = [round(1.5 + place / 100, 2) for place in range(20)]


def check_rows(taken: IngestedDataset, labels: dict[float, Any]) -> None:
    """Each stored row has the label that the upload has beside its height."""
    rows = rows_of(taken)
    x = np.concatenate([x_of(taken), x_of(taken, "test")])[:, 0]
    y = np.concatenate([y_of(taken), y_of(taken, "test")])
    assert np.allclose(x, rows["height"].to_numpy())
    names = taken.schema.classes
    stored = [names[code] if code >= 0 else None for code in y.tolist()]
    assert stored == rows["label"].to_pylist()
    assert stored == [labels[round(height, 2)] or None for height in x.tolist()]


def test_rows_stay_in_their_order(tmp_path: Path) -> None:
    taken = take_csv(tmp_path, csv_text(label=LABELS))
    assert taken.schema.splits == {"train": 17, "test": 3}
    assert taken.schema.class_counts == {"train": (8, 4), "test": (2, 1)}
    assert taken.profile["labelled"] == {"train": 12, "test": 3}
    assert taken.profile["left_out"] == {"all rows": 0}
    assert np.all(np.diff(x_of(taken)[:, 0]) > 0)
    check_rows(taken, dict(zip(HEIGHTS, LABELS, strict=True)))
    assert "5 of 17 items of train have no label" in "\n".join(taken.profile["warnings"])


def test_left_out_where_the_spec_says_so(tmp_path: Path) -> None:
    without = take_csv(tmp_path, csv_text(label=LABELS), unlabelled="leave_out")
    assert without.schema.splits == {"train": 12, "test": 3}
    assert without.profile["left_out"] == {"all rows": 5}
    check_rows(without, dict(zip(HEIGHTS, LABELS, strict=True)))
    beside = take_csv(tmp_path, csv_text(label=LABELS))
    assert np.array_equal(x_of(beside, "test"), x_of(without, "test"))
    assert np.array_equal(x_of(beside)[y_of(beside) >= 0], x_of(without))


def test_a_word_that_means_no_label_stands_in_no_stored_row(tmp_path: Path) -> None:
    labels = [label or "unknown" for label in LABELS]
    taken = take_csv(tmp_path, csv_text(label=labels), missing_label="unknown")
    assert taken.schema.classes == ("a", "b")
    assert taken.profile["labelled"] == {"train": 12, "test": 3}
    check_rows(taken, dict(zip(HEIGHTS, LABELS, strict=True)))


def test_quantities(tmp_path: Path) -> None:
    prices = [f"{place * 1.5}" if place % 4 else "" for place in range(20)]
    taken = take_csv(tmp_path, csv_text(price=prices, label=None), target={"column": "price"})
    y = y_of(taken)
    assert np.isnan(y).sum() == 5
    assert not np.isnan(y_of(taken, "test")).any()
    assert taken.schema.task.mean == pytest.approx(np.nanmean(y))
    assert np.array_equal(
        np.concatenate([y, y_of(taken, "test")]),
        rows_of(taken)["price"].to_numpy(),
        equal_nan=True,
    )


def test_several_labels(tmp_path: Path) -> None:
    text = csv_text(label=None, red=[0, 1, "", 1] * 5, green=[0, 0, 1, 1] * 5)
    taken = take_csv(tmp_path, text, target={"columns": ["red", "green"]})
    assert (y_of(taken) == -1).all(axis=1).sum() == 5
    assert not (y_of(taken, "test") == -1).any()
    assert rows_of(taken)["red"].null_count == 5


@pytest.mark.parametrize("seed", range(4))
def test_groups_of_test_rows_are_not_for_training(tmp_path: Path, seed: int) -> None:
    patients = [f"p{place // 4}" for place in range(40)]
    text = csv_text(40, label=["a", "b", "", ""] * 10, patient=patients)
    split = {"group": "patient", "seed": seed, "test_fraction": 0.3}
    taken = take_csv(tmp_path, text, split=split)
    groups = rows_of(taken)["patient"].to_pylist()
    first = taken.schema.splits["train"]
    assert not {*groups[:first]} & {*groups[first:]}
    assert taken.schema.splits == {"train": 28, "test": 6}
    assert taken.profile["left_out"] == {"all rows": 6}
    said = "\n".join(taken.profile["warnings"])
    assert "6 rows without a label are of groups of the column `patient`" in said


def test_a_given_test_split_has_labelled_rows_alone(tmp_path: Path) -> None:
    text = csv_text(label=LABELS, part=["train"] * 12 + ["test"] * 8)
    taken = take_csv(tmp_path, text, split={"column": "part"})
    assert taken.schema.splits == {"train": 12, "test": 6}
    assert taken.profile["labelled"] == {"train": 9, "test": 6}
    assert taken.profile["left_out"] == {"train": 0, "test": 2}
    check_rows(taken, dict(zip(HEIGHTS, LABELS, strict=True)))


def test_a_column_that_tells_the_labels_is_told_of(tmp_path: Path) -> None:
    labels = ["a", "b", "", "a", "b"] * 30
    text = csv_text(150, label=labels, told=[{"a": "x"}.get(each, "y") for each in labels])
    taken = take_csv(tmp_path, text)
    assert "The column `told` alone tells 100.0%" in "\n".join(taken.profile["warnings"])
