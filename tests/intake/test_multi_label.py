"""Matrices of 0 and 1: several labels of an item."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.errors import WorkFailure
from tests.intake.archives import pictures, take_npz
from tests.intake.tables import csv_text, take_csv, y_of
from worker.intake.ingestion import IngestedDataset

NAMES = np.array(["sky", "sea", "sun"])
ROWS = np.array([[1, 0, 0], [1, 1, 0], [0, 0, 0], [1, 0, 1]] * 10, np.int64)
ONE_HOT = np.eye(3, dtype=np.int64)[np.arange(40) % 3]
SAID = {"task": "multi_label"}


def of(folder: Path, y: Any, spec: dict[str, Any] | None = None, **held: Any) -> IngestedDataset:
    whole = {"x_train": pictures(len(ROWS)), "x_test": None, "y_test": None, **held}
    return take_npz(folder, y_train=y, spec=spec or {}, **whole)


def refusal(folder: Path, y: Any, spec: dict[str, Any] | None = None, **held: Any) -> WorkFailure:
    with pytest.raises(WorkFailure) as caught:
        of(folder, y, spec, **held)
    return caught.value


@pytest.mark.parametrize("kind", ["bool", "uint8", "int64", "float32"])
def test_a_matrix_is_read_aloud_and_stored(tmp_path: Path, kind: str) -> None:
    got = of(tmp_path, ROWS.astype(kind), class_names=NAMES)
    task = got.schema.task
    assert (task.kind, task.names) == ("multi_label", ("sky", "sea", "sun"))
    told = got.profile["task"]
    assert (told["kind"], told["said"]) == ("multi_label", False)
    assert "a matrix of 0 and 1 with 3 columns" in told["reason"]
    train, test = (np.load(got.arrays[f"y_{split}"]) for split in ("train", "test"))
    assert (train.shape, test.shape, train.dtype) == ((32, 3), (8, 3), np.int8)
    assert (train.sum(axis=0) + test.sum(axis=0)).tolist() == [30, 10, 10]
    assert got.schema.class_counts == {"train": (32,), "test": (8,)}
    assert all(test.any(axis=0))  # of each label
    assert json.dumps(got.profile)


def test_columns_are_numbered_where_nothing_names_them(tmp_path: Path) -> None:
    assert of(tmp_path, ROWS).schema.classes == ("0", "1", "2")


def test_rows_without_a_label_are_counted_and_said(tmp_path: Path) -> None:
    got = of(tmp_path, ROWS, class_names=NAMES)
    values = got.profile["label_values"]
    assert values["train"]["without_any"] + values["test"]["without_any"] == 10
    assert values["train"]["items"].keys() == {"sky", "sea", "sun"}
    assert any("of train have no label at all" in said for said in got.profile["warnings"])


def test_columns_that_are_all_alike_are_named(tmp_path: Path) -> None:
    y = ROWS.copy()
    y[:, 0], y[:, 1] = 1, 0
    warnings = of(tmp_path, y, class_names=NAMES).profile["warnings"]
    assert "Labels that no item of train has: sea. Nothing can be learnt of them." in warnings
    assert "Labels that every item of train has: sky. Nothing can be learnt of them." in warnings


def test_one_hot_rows_are_refused_until_the_task_is_said(tmp_path: Path) -> None:
    failure = refusal(tmp_path, ONE_HOT)
    assert failure.reason == "shape_mismatch"
    assert "y_train.argmax(axis=1) makes classes" in failure.detail
    assert '`task`: "multi_label" in the spec' in failure.detail
    assert of(tmp_path, ONE_HOT, SAID).schema.task.kind == "multi_label"
    failure = refusal(tmp_path, ONE_HOT, {"task": "classification"})
    assert "argmax" in failure.detail


def test_several_ones_get_no_argmax_whatever_was_said(tmp_path: Path) -> None:
    for kind in ("classification", "regression"):
        failure = refusal(tmp_path, ROWS, {"task": kind})
        assert "argmax" not in failure.detail
        assert '`task`: "multi_label" in the spec' in failure.detail


def test_a_test_split_that_is_one_hot_by_chance_is_no_other_task(tmp_path: Path) -> None:
    held = {"x_test": pictures(6, seed=1), "y_test": ONE_HOT[:6]}
    assert of(tmp_path, ROWS, **held).schema.task.kind == "multi_label"


def test_a_test_split_without_labels(tmp_path: Path) -> None:
    got = of(tmp_path, ROWS, x_test=pictures(6, seed=1))
    assert got.schema.class_counts == {"train": (40,), "test": (0,)}
    assert (np.load(got.arrays["y_test"]) == -1).all()
    assert "The test split has no labels: nothing can be measured on it." in got.profile["warnings"]


@pytest.mark.parametrize(
    ("y", "reason", "said"),
    [
        (np.where(np.arange(40)[:, None] == 3, np.nan, ROWS), "wrong_type", "row 3, column 0: nan"),
        (ROWS - (np.arange(3) == 2), "wrong_type", "the first in row 0, column 2: -1"),
        (ROWS * 0.5, "wrong_type", "0 and 1 alone in y_train"),
        (ROWS[:, :1], "one_class", "2 labels or more in y_train, got 1"),
        (ROWS[:, 0], "shape_mismatch", "expected a matrix (items, labels)"),
        (ROWS[:, :, None], "shape_mismatch", "expected a matrix (items, labels)"),
        (ROWS.astype(str), "shape_mismatch", "MultiLabelBinarizer"),
        (np.tile(ROWS[1], (40, 1)), "constant_labels", "nothing to learn"),
        (np.zeros((40, 10_001), np.uint8), "too_many_classes", "got 10001 columns"),
        (ROWS[:5], "shape_mismatch", "as many labels as images"),
        (None, "missing_array", "how many there are is not known"),
    ],
)
def test_labels_of_no_use(tmp_path: Path, y: Any, reason: str, said: str) -> None:
    failure = refusal(tmp_path, y, SAID, x_train=pictures(40))
    assert failure.reason == reason
    assert said in failure.detail
    assert "argmax" not in failure.detail
    assert failure.pointer == "#/file/y_train"


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        (NAMES[:2], "shape_mismatch"),
        (NAMES[[0, 0, 1]], "wrong_type"),
        (np.arange(3), "wrong_type"),
    ],
)
def test_names_that_do_not_fit(tmp_path: Path, names: np.ndarray, reason: str) -> None:
    failure = refusal(tmp_path, ROWS, class_names=names)
    assert (failure.reason, failure.pointer) == (reason, "#/file/class_names")


def test_splits_of_other_widths(tmp_path: Path) -> None:
    held = {"x_test": pictures(40, seed=1), "y_test": ROWS[:, :2]}
    failure = refusal(tmp_path, ROWS, **held)
    assert (failure.reason, failure.pointer) == ("shape_mismatch", "#/file/y_test")
    assert "expected 3 columns in y_test" in failure.detail


def test_twins_with_other_sets_contradict(tmp_path: Path) -> None:
    x = pictures(40)
    x[1], x[5] = x[0], x[4]
    y = ROWS.copy()
    y[5] = y[4]
    held = {"x_test": pictures(6, seed=1), "y_test": ROWS[:6]}
    got = of(tmp_path, y, x_train=x, **held)
    assert got.profile["duplicates"]["contradicting"]["within"]["train"] == 1


def test_columns_of_yes_and_no_are_labels(tmp_path: Path) -> None:
    """As pandas writes booleans, and people write answers."""
    rows = np.random.default_rng(0).integers(0, 2, (30, 3))
    words = (("False", "True"), ("no", "Yes"), ("0", "1"))
    labels = {f"l{k}": [words[k][value] for value in rows[:, k]] for k in range(3)}
    labels["l0"][4] = ""
    taken = take_csv(tmp_path, csv_text(30, label=None, **labels), target={"columns": [*labels]})
    assert taken.schema.task.kind == "multi_label"
    held = np.concatenate([y_of(taken, split) for split in ("train", "test")])
    known = held[(held >= 0).all(axis=1)]
    assert len(known) == 29
    assert known.sum(axis=0).tolist() == np.delete(rows, 4, axis=0).sum(axis=0).tolist()
