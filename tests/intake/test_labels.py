"""Classes by name, in the order of numbers; forms of labels and what makes labels of them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.errors import WorkFailure
from tests.intake.archives import pictures, take_npz
from worker.intake.ingestion import IngestedDataset
from worker.intake.labels import find_classes

TWELVE = list(range(12))
BITS = np.random.default_rng(0).integers(0, 2, (12, 4))


def of(folder: Path, y: Any, **held: Any) -> IngestedDataset:
    y = np.asarray(y)
    return take_npz(folder, x_train=pictures(len(y)), y_train=y, x_test=None, y_test=None, **held)


def refusal(folder: Path, y: Any, **held: Any) -> WorkFailure:
    with pytest.raises(WorkFailure) as failure:
        of(folder, y, **held)
    return failure.value


@pytest.mark.parametrize("kind", ["int64", "uint8", "float32", "float64", "U", "S"])
def test_numbers_stand_in_their_order_whatever_their_type(tmp_path: Path, kind: str) -> None:
    labels = np.repeat(TWELVE[::-1], 2).astype(kind)
    got = of(tmp_path, labels)
    assert got.schema.classes == tuple(map(str, TWELVE))
    assert np.load(got.arrays["y_train"]).tolist() == TWELVE[::-1]


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        (["10", "9", "-1", "-2", "2.5"], ("-2", "-1", "2.5", "9", "10")),
        (["007", "10", "7"], ("007", "7", "10")),
        (["10", "9", "x"], ("10", "9", "x")),
        (["1.0", "1", "01", "+1"], ("+1", "01", "1", "1.0")),
        (["b", "a", "B"], ("B", "a", "b")),
    ],
)
def test_the_order_of_text(tmp_path: Path, labels: list[str], classes: tuple[str, ...]) -> None:
    assert of(tmp_path, np.repeat(labels, 2)).schema.classes == classes


@pytest.mark.parametrize("kind", ["U", "S", "float64", "uint8"])
def test_splits_whose_labels_differ_in_type_are_matched_by_name(tmp_path: Path, kind: str) -> None:
    got = take_npz(tmp_path, y_test=(np.arange(6) % 3).astype(kind))
    assert np.load(got.arrays["y_test"]).tolist() == [0, 1, 2, 0, 1, 2]


def test_class_names_go_by_whole_floats_too(tmp_path: Path) -> None:
    got = take_npz(
        tmp_path,
        y_train=np.arange(12) % 3.0,
        y_test=np.arange(6) % 3.0,
        class_names=np.array(["ant", "bee", "cat"]),
    )
    assert got.schema.classes == ("ant", "bee", "cat")


def test_fractions_and_what_makes_classes_of_them(tmp_path: Path) -> None:
    y = np.repeat([0.5, 1.5, 2.0], 4)
    failure = refusal(tmp_path, y, spec={"task": "classification"})
    assert failure.reason == "wrong_type"
    assert "got 8 of 12 that are neither, as 0.5; y_train.astype(str)" in str(failure)
    assert of(tmp_path, y.astype(str)).schema.classes == ("0.5", "1.5", "2.0")
    assert "neither" in str(refusal(tmp_path, np.repeat([0, 1, np.inf], 4)))


@pytest.mark.parametrize("kind", ["uint8", "int64", "float32", "bool"])
def test_argmax_is_advised_for_one_hot_rows_and_leads_out(tmp_path: Path, kind: str) -> None:
    y = np.eye(3)[np.arange(12) % 3].astype(kind)
    failure = refusal(tmp_path, y)
    assert failure.reason == "shape_mismatch"
    assert "y_train.argmax(axis=1) makes classes of them" in str(failure)
    assert '`task`: "multi_label" in the spec' in str(failure)
    assert of(tmp_path, y.argmax(axis=1)).schema.classes == ("0", "1", "2")


def test_other_rows_get_no_argmax(tmp_path: Path) -> None:
    BITS[0], BITS[1] = 0, 1
    failure = refusal(tmp_path, BITS, spec={"task": "classification"})
    assert "argmax" not in str(failure)
    assert "it is multi-label, rows with 0 to 4 ones" in str(failure)
    assert '`task`: "multi_label"' in str(failure)
    assert of(tmp_path, BITS[:, 0]).schema.classes == ("0", "1")
    soft = np.full((12, 2), 0.5)
    for rows in (soft, np.full((12, 2), "a")):
        message = str(refusal(tmp_path, rows))
        assert "argmax" not in message
        assert "keep the column that is to be learnt: y_train[:, 0]" in message


def test_pickled_strings_and_what_makes_strings_of_them(tmp_path: Path) -> None:
    y = np.array(["ant", "bee"] * 6, object)
    failure = refusal(tmp_path, y)
    assert failure.reason == "pickled_objects"
    assert "y_train.astype(str) makes strings of them" in str(failure)
    assert of(tmp_path, y.astype(str)).schema.classes == ("ant", "bee")


@pytest.mark.parametrize("shape", [(12, 3, 8, 8), (12, 1, 8, 8), (12, 4, 8, 9)])
def test_channels_first_and_the_axis_that_they_belong_to(
    tmp_path: Path, shape: tuple[int, ...]
) -> None:
    x = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    held = {"y_train": np.arange(12) % 3, "x_test": None, "y_test": None}
    with pytest.raises(WorkFailure) as failure:
        take_npz(tmp_path, x_train=x, **held)
    assert "move the channels to the last axis: x_train.transpose(0, 2, 3, 1)" in str(failure.value)
    got = take_npz(tmp_path, x_train=x.transpose(0, 2, 3, 1), **held)
    assert got.schema.inputs.shape == (*shape[2:], shape[1])


@pytest.mark.parametrize(("values", "shape"), [(64, (8, 8, 1)), (192, (8, 8, 3))])
def test_flat_pictures_and_their_sides(tmp_path: Path, values: int, shape: tuple[int, ...]) -> None:
    x = np.random.default_rng(0).integers(0, 256, (12, values), np.uint8)
    sides = shape[:2] if shape[2] == 1 else shape
    held = {"y_train": np.arange(12) % 3, "x_test": None, "y_test": None}
    with pytest.raises(WorkFailure) as failure:
        take_npz(tmp_path, x_train=x, **held)
    assert f"x_train.reshape{(-1, *sides)}" in str(failure.value)
    assert take_npz(tmp_path, x_train=x.reshape(-1, *sides), **held).schema.inputs.shape == shape


def test_swapped_arrays_are_suspected(tmp_path: Path) -> None:
    with pytest.raises(WorkFailure, match="are x_train and y_train swapped"):
        take_npz(tmp_path, x_train=np.arange(12) % 3, y_train=pictures(12))


def test_names_that_are_near_one_another_stay_and_are_told(tmp_path: Path) -> None:
    labels = ["cat", "cat ", "Cat", "caf\u00e9", "cafe\u0301", "1", "1.0", "dog"]
    got = of(tmp_path, np.repeat(labels, 2))
    assert set(got.schema.classes) == set(labels)
    told = [warning for warning in got.profile["warnings"] if warning.startswith("Names")]
    assert len(told) == 3
    assert "`Cat`, `cat`, `cat `. They stay 3 classes." in " ".join(told)
    assert r"(caf\xe9)" in " ".join(told)
    assert r"(cafe\u0301)" in " ".join(told)


def test_arrays_with_a_misspelt_name(tmp_path: Path) -> None:
    got = take_npz(tmp_path, y_train=None, y_test=None, y_trian=np.arange(12), notes=np.zeros(2))
    assert "`y_trian` is near `y_train`: was that meant?" in " ".join(got.profile["warnings"])
    assert "`notes`" not in " ".join(got.profile["warnings"])
    with pytest.raises(WorkFailure, match="was `x_trian` meant to be `x_train`"):
        take_npz(tmp_path, x_train=None, x_trian=pictures(12))


def test_names_of_other_archives(tmp_path: Path) -> None:
    nothing = dict.fromkeys(("x_train", "y_train", "x_test", "y_test"))
    got = take_npz(
        tmp_path,
        **nothing,
        train_images=pictures(12),
        train_labels=np.arange(12)[:, None] % 3,
        test_images=pictures(6),
        test_labels=np.arange(6)[:, None] % 3,
    )
    assert got.schema.splits == {"train": 12, "test": 6}
    with pytest.raises(WorkFailure, match=r"np\.savez\(file, x=…, y=…\)"):
        take_npz(tmp_path, **nothing, arr_0=pictures(12), arr_1=np.arange(12) % 3)


@pytest.mark.parametrize("late", [["c"] * 2, [f"w{place:04}" for place in range(40)] * 2])
def test_words_that_come_late_are_classes_too(late: list[str]) -> None:
    labels = np.array(["b", "a"] * 600 + late)
    found = find_classes({"train": labels}, None)
    assert found.names == tuple(sorted({"a", "b", *late}))
    of_places = np.array(found.names)[found.encode(labels, len(labels), "train")]
    assert (of_places == labels).all()
