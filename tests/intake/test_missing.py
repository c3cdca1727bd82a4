"""Labels that mean "no label": suspected, left out, or classes, as the spec says."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.errors import WorkFailure
from tests.intake.archives import pictures, take_npz
from worker.intake.ingestion import IngestedDataset


def of(folder: Path, labels: Any, **spec: Any) -> IngestedDataset:
    """Each label five times, the test split cut from them."""
    y = np.repeat(np.asarray(labels), 5)
    return take_npz(
        folder, spec=spec, x_train=pictures(len(y)), y_train=y, x_test=None, y_test=None
    )


def refusal(folder: Path, labels: Any, **spec: Any) -> WorkFailure:
    with pytest.raises(WorkFailure) as failure:
        of(folder, labels, **spec)
    return failure.value


@pytest.mark.parametrize(
    "labels",
    [
        [-1, 0, 1],
        [-1, 1],
        [-2, -1, 0, 1, 2],
        [-2, -1, 0, 1],
        [-2, 7, 30],
        [0, 2, 7, 16, 24],
        [0, 255],
        [254, 255, 0],
        [-1.0, 0.0, 1.0],
        ["-1", "0", "1"],
        [False, True],
        ["none", "some", "all"],
    ],
)
def test_classes(tmp_path: Path, labels: list[Any]) -> None:
    got = of(tmp_path, labels)
    numbers = all(isinstance(label, float) for label in labels)
    wanted = {str(int(label)) if numbers else str(label) for label in labels}
    assert set(got.schema.classes) == wanted
    assert got.profile["left_out"] == {"train": 0}


NONE = {
    "-1": ([-1, 0, 1, 2], "-1"),
    "-1 as text": (["-1", "0", "1", "2"], "-1"),
    "-1 beside words": (["-1", "ant", "bee"], "-1"),
    "-999": ([-999, 3, 4], "-999"),
    "NaN as int64": (np.array([0, 1, -(2**63)], np.int64), "-9223372036854775808"),
    "NaN as int32": (np.array([0, 1, -(2**31)], np.int32), "-2147483648"),
    "NaN as uint32": (np.array([0, 1, 2**31], np.uint32), "2147483648"),
    "NaN as uint64": (np.array([0, 1, 2**63], np.uint64), "9223372036854775808"),
    "-1 as uint16": (np.array([0, 1, 65535], np.uint16), "65535"),
    "NaN as text": (np.array([0.0, 1, np.nan]).astype(str), "nan"),
    "None as text": (["0", "1", "None"], "None"),
    "nothing": (["ant", "bee", ""], ""),
    "blank": (["ant", "bee", " "], " "),
}


@pytest.mark.parametrize("case", NONE)
def test_what_can_hardly_be_a_class_is_refused_and_both_ways_out_work(
    tmp_path: Path, case: str
) -> None:
    labels, text = NONE[case]
    failure = refusal(tmp_path, labels)
    assert failure.reason == "partly_labelled"
    assert failure.pointer == "#/file/y_train"
    assert f"on 5 of {5 * len(labels)} items" in str(failure)
    assert f'`missing_label`: "{text}"' in str(failure)
    some = of(tmp_path, labels, missing_label=text)
    assert some.schema.labelled("train") == some.schema.splits["train"] - 5
    left_out = of(tmp_path, labels, missing_label=text, unlabelled="leave_out")
    assert set(left_out.schema.classes) == set(np.asarray(labels).astype(str)) - {text}
    assert left_out.profile["left_out"] == {"train": 5}
    assert "5 items of train have no label and were left out." in left_out.profile["warnings"]
    kept = of(tmp_path, labels, missing_label=None)
    assert set(kept.schema.classes) == set(np.asarray(labels).astype(str))
    assert len(kept.profile["warnings"]) == 1  # of the cut


def test_what_is_left_out_leaves_each_picture_its_label(tmp_path: Path) -> None:
    images, labels = pictures(18), np.tile([0, 1, -1, 7, 8, 9], 3)
    got = take_npz(
        tmp_path,
        spec={"missing_label": -1, "unlabelled": "leave_out"},
        x_train=images,
        y_train=labels,
        x_test=images[:6],
        y_test=labels[:6],
    )
    assert got.schema.classes == ("0", "1", "7", "8", "9")
    assert got.schema.splits == {"train": 15, "test": 5}
    assert np.array_equal(np.load(got.arrays["x_train"])[..., 0], images[labels >= 0])
    assert np.load(got.arrays["y_train"])[:5].tolist() == [0, 1, 2, 3, 4]
    assert got.profile["left_out"] == {"train": 3, "test": 1}
    cut = take_npz(
        tmp_path,
        spec={"missing_label": "-1", "unlabelled": "leave_out"},
        x_train=images,
        y_train=labels,
        x_test=None,
        y_test=None,
    )
    of_picture = {bytes(picture): str(label) for picture, label in zip(images, labels, strict=True)}
    for split in ("train", "test"):
        x, y = (np.load(cut.arrays[f"{axis}_{split}"]) for axis in "xy")
        named = [cut.schema.classes[place] for place in y]
        assert [of_picture[bytes(picture)] for picture in x[..., 0]] == named
    assert sum(cut.schema.splits.values()) == 15


def test_a_split_of_which_no_item_has_a_label_is_one_without(tmp_path: Path) -> None:
    got = take_npz(tmp_path, spec={"missing_label": -1}, y_train=np.full(12, -1))
    assert got.schema.splits == {"train": 12, "test": 6}
    assert not got.schema.has_labels("train")
    assert got.schema.has_labels("test")


def test_nans_are_counted_and_the_advice_leads_out(tmp_path: Path) -> None:
    labels = [0.0, 1.0, 2.0, np.nan]
    failure = refusal(tmp_path, labels)
    assert "5 of 20 labels that are NaN" in str(failure)
    assert '`missing_label`: "nan"' in str(failure)
    got = of(tmp_path, labels, missing_label="nan")
    assert got.schema.classes == ("0", "1", "2")
    assert "5 of 20" in str(refusal(tmp_path, labels, missing_label=None))


def test_labels_of_the_test_split_that_may_mean_none(tmp_path: Path) -> None:
    tests = np.array([0, 1, 2, -1, 0, 1])
    with pytest.raises(WorkFailure, match='`missing_label`: "-1" leaves'):
        take_npz(tmp_path, y_test=tests)
    got = take_npz(tmp_path, spec={"missing_label": -1}, y_test=tests)
    assert got.schema.splits == {"train": 12, "test": 5}


@pytest.mark.parametrize(
    ("labels", "doubted"),
    [(["cat", "dog", "nan"], "nan"), (["cat", "dog", "N/A"], "N/A"), ([0, 1, 2, 255], "255")],
)
def test_what_may_well_be_a_class_is_one_with_a_warning(
    tmp_path: Path, labels: list[Any], doubted: str
) -> None:
    got = of(tmp_path, labels)
    assert doubted in got.schema.classes
    said = f"The label `{doubted}`, of 4 items of train and 1 items of test, may mean that there"
    assert any(warning.startswith(said) for warning in got.profile["warnings"])
    assert len(of(tmp_path, labels, missing_label=None).profile["warnings"]) == 1
    assert doubted not in of(tmp_path, labels, missing_label=doubted).schema.classes


def test_a_missing_label_that_no_item_has_is_told_and_doubts_stay(tmp_path: Path) -> None:
    got = of(tmp_path, ["cat", "dog"], missing_label="NaN")
    assert "No item has the label `NaN` of `missing_label`." in got.profile["warnings"]
    assert refusal(tmp_path, [-1, 0, 1, 2], missing_label="nan").reason == "partly_labelled"
