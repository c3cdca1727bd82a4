"""Training items without a label among labelled ones: kept beside them, and counted."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.errors import WorkFailure
from tests.intake.archives import pictures, take_npz


def stored(taken: Any, name: str) -> np.ndarray:
    found: np.ndarray = np.load(taken.arrays[name])
    return found


def test_training_items_stay_in_their_order_and_test_items_are_left_out(tmp_path: Path) -> None:
    images, labels = pictures(18), np.tile([0, 1, -1, 7, 8, 9], 3)
    got = take_npz(
        tmp_path,
        spec={"missing_label": -1},
        x_train=images,
        y_train=labels,
        x_test=images[:6],
        y_test=labels[:6],
    )
    assert got.schema.splits == {"train": 18, "test": 5}
    assert got.schema.class_counts["train"] == (3, 3, 3, 3, 3)
    assert (got.schema.labelled("train"), got.schema.labelled("test")) == (15, 5)
    assert np.array_equal(stored(got, "x_train")[..., 0], images)
    assert stored(got, "y_train")[:6].tolist() == [0, 1, -1, 2, 3, 4]
    assert stored(got, "y_train").dtype == np.int32
    assert got.profile["labelled"] == {"train": 15, "test": 5}
    assert got.profile["left_out"] == {"train": 0, "test": 1}
    warnings = got.profile["warnings"]
    assert "1 items of test have no label and were left out." in warnings
    assert any(each.startswith("3 of 18 items of train have no label") for each in warnings)


def test_a_test_split_is_cut_from_labelled_items(tmp_path: Path) -> None:
    images, labels = pictures(30), np.tile([0, 1, -1], 10)
    got = take_npz(
        tmp_path,
        spec={"missing_label": -1, "test_fraction": 0.3},
        x_train=images,
        y_train=labels,
        x_test=None,
        y_test=None,
    )
    assert got.schema.splits == {"train": 24, "test": 6}
    assert got.schema.class_counts == {"train": (7, 7), "test": (3, 3)}
    of_picture = {bytes(picture): int(label) for picture, label in zip(images, labels, strict=True)}
    for split in ("train", "test"):
        x, y = stored(got, f"x_{split}"), stored(got, f"y_{split}")
        assert [of_picture[bytes(picture)] for picture in x[..., 0]] == y.tolist()
    assert sorted(
        map(bytes, np.concatenate([stored(got, f"x_{s}") for s in ("train", "test")]))
    ) == (sorted(map(bytes, images)))


def test_labelled_items_are_the_same_with_the_others_and_without(tmp_path: Path) -> None:
    """And with them the training of whoever learns from labels alone."""
    images, labels = pictures(30), np.tile([0, 1, -1], 10)
    parts = []
    for unlabelled in ("keep", "leave_out"):
        folder = tmp_path / unlabelled
        folder.mkdir()
        of = {"missing_label": -1, "unlabelled": unlabelled}
        data = {"x_train": images, "y_train": labels, "x_test": None, "y_test": None}
        got = take_npz(folder, spec=of, **data)
        y = stored(got, "y_train")
        parts.append((stored(got, "x_train")[y >= 0], y[y >= 0], stored(got, "x_test")))
    for kept, left in zip(*parts, strict=True):
        assert np.array_equal(kept, left)


def test_quantities(tmp_path: Path) -> None:
    """Of the known ones alone come mean and standard deviation."""
    labels = np.tile([1.5, np.nan, 2.5], 4)
    got = take_npz(tmp_path, spec={"missing_label": "nan"}, y_train=labels, y_test=None)
    assert got.schema.class_counts["train"] == (8,)
    assert got.schema.task.mean == 2.0
    assert got.schema.task.std == 0.5
    y = stored(got, "y_train")
    assert np.isnan(y).tolist() == np.isnan(labels).tolist()
    assert got.profile["label_values"]["train"]["mean"] == 2.0


def test_several_labels_per_item(tmp_path: Path) -> None:
    rows = np.tile([[1, 0, 1], [-1, -1, -1], [0, 1, 1]], (4, 1))
    got = take_npz(
        tmp_path, spec={"task": "multi_label", "missing_label": -1}, y_train=rows, y_test=rows[:6]
    )
    assert got.schema.splits == {"train": 12, "test": 4}
    assert got.schema.class_counts == {"train": (8,), "test": (4,)}
    assert stored(got, "y_train").tolist() == rows.tolist()
    assert got.profile["label_values"]["train"]["labels_per_item"] == 2.0
    assert not any("no label at all" in each for each in got.profile["warnings"])


def test_a_row_that_is_known_in_part_is_refused(tmp_path: Path) -> None:
    rows = np.tile([[1, 0, 1], [-1, 0, -1], [0, 1, 1]], (4, 1))
    with pytest.raises(WorkFailure, match="has one value, as -1, in all its columns"):
        take_npz(tmp_path, spec={"task": "multi_label", "missing_label": -1}, y_train=rows)
