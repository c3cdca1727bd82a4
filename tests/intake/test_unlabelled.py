"""Splits without labels, from both formats."""

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.intake.archives import arrays, idx_bytes, npz_bytes, pictures, take
from worker.intake.ingestion import IngestedDataset

IDX_NAMES = {
    "x_train": "train-images-idx3-ubyte.gz",
    "y_train": "train-labels-idx1-ubyte.gz",
    "x_test": "t10k-images-idx3-ubyte.gz",
    "y_test": "t10k-labels-idx1-ubyte.gz",
}


def as_npz(held: dict[str, Any]) -> dict[str, bytes]:
    return {"a.npz": npz_bytes(**held)}


def as_idx(held: dict[str, Any]) -> dict[str, bytes]:
    return {
        IDX_NAMES[name]: gzip.compress(idx_bytes(array.astype(np.uint8)))
        for name, array in held.items()
    }


@pytest.fixture(params=[as_npz, as_idx])
def packed(request: pytest.FixtureRequest) -> Any:
    return request.param


def stored(taken: IngestedDataset, name: str) -> np.ndarray:
    array: np.ndarray = np.load(taken.arrays[name])
    return array


def test_labels_in_the_test_split_only(tmp_path: Path, packed: Any) -> None:
    held = arrays(y_train=None, y_test=np.tile([3, 5, 9], 2))
    taken = take(tmp_path, packed(held))
    schema = taken.schema
    assert schema.classes == ("3", "5", "9")
    assert schema.splits == {"train": 12, "test": 6}
    assert schema.class_counts == {"train": (0, 0, 0), "test": (2, 2, 2)}
    assert (schema.has_labels("train"), schema.has_labels("test")) == (False, True)
    assert stored(taken, "y_train").dtype == np.int32
    assert stored(taken, "y_train").tolist() == [-1] * 12
    assert stored(taken, "y_test").tolist() == [0, 1, 2] * 2
    assert np.array_equal(stored(taken, "x_train")[..., 0], held["x_train"])
    assert taken.profile["class_balance"]["train"] is None
    assert taken.profile["class_balance"]["test"]["imbalance"] == 1
    assert taken.profile["warnings"] == [
        "The training split has no labels: it can be a target with `use_labels` false."
    ]


def test_labels_in_the_training_split_only(tmp_path: Path, packed: Any) -> None:
    taken = take(tmp_path, packed(arrays(y_test=None)))
    schema = taken.schema
    assert schema.classes == ("0", "1", "2")
    assert schema.splits == {"train": 12, "test": 6}
    assert schema.class_counts == {"train": (4, 4, 4), "test": (0, 0, 0)}
    assert (schema.has_labels("train"), schema.has_labels("test")) == (True, False)
    assert stored(taken, "y_test").tolist() == [-1] * 6
    assert taken.profile["class_balance"]["test"] is None
    assert taken.profile["warnings"] == [
        "The test split has no labels: nothing can be measured on it."
    ]


def test_no_labels_at_all(tmp_path: Path, packed: Any) -> None:
    taken = take(tmp_path, packed(arrays(y_train=None, y_test=None)))
    schema = taken.schema
    assert schema.classes == ()
    assert schema.splits == {"train": 12, "test": 6}
    assert schema.class_counts == {"train": (), "test": ()}
    assert (schema.has_labels("train"), schema.has_labels("test")) == (False, False)
    assert stored(taken, "y_train").tolist() == [-1] * 12
    assert stored(taken, "y_test").tolist() == [-1] * 6
    assert taken.profile["test_split"] == {"origin": "given"}
    assert len(taken.profile["warnings"]) == 2


def test_neither_labels_nor_a_test_split(tmp_path: Path, packed: Any) -> None:
    held = {"x_train": pictures(15)}
    taken = take(tmp_path, packed(held), test_fraction=0.4)
    assert taken.schema.splits == {"train": 9, "test": 6}
    assert taken.schema.classes == ()
    assert stored(taken, "y_train").tolist() == [-1] * 9
    assert stored(taken, "y_test").tolist() == [-1] * 6
    both = np.concatenate([stored(taken, "x_train"), stored(taken, "x_test")])
    assert sorted(map(bytes, both)) == sorted(map(bytes, pictures(15)))
    assert not np.array_equal(stored(taken, "x_test")[..., 0], pictures(15)[:6])
    assert taken.profile["test_split"] == {"origin": "cut", "fraction": 0.4}
    assert "6 items were cut from them, 40% at random" in taken.profile["warnings"][0]
    (tmp_path / "again").mkdir()
    again = take(tmp_path / "again", packed(held), test_fraction=0.4)
    assert again.content_hash == taken.content_hash


@pytest.mark.parametrize("fraction", [0.001, 0.999])
def test_either_split_keeps_an_item(tmp_path: Path, fraction: float) -> None:
    taken = take(tmp_path, {"a.npz": npz_bytes(images=pictures(2))}, test_fraction=fraction)
    assert taken.schema.splits == {"train": 1, "test": 1}


def test_class_names_belong_to_the_labels_there_are(tmp_path: Path) -> None:
    names = np.array(["ant", "bee", "cat"])
    taken = take(tmp_path, as_npz(arrays(y_train=None, class_names=names)))
    assert taken.schema.classes == ("ant", "bee", "cat")
    assert taken.profile["ignored_arrays"] == []
    (tmp_path / "none").mkdir()
    held = arrays(y_train=None, y_test=None, class_names=names, y_trian=np.arange(12))
    taken = take(tmp_path / "none", as_npz(held))
    assert taken.schema.classes == ()
    assert taken.profile["ignored_arrays"] == ["class_names", "y_trian"]


def test_minus_one_may_be_one_of_two_classes(tmp_path: Path) -> None:
    held = arrays(y_train=np.tile([-1, 1], 6), y_test=np.tile([1, -1], 3))
    assert take(tmp_path, as_npz(held)).schema.classes == ("-1", "1")


def test_labels_that_are_all_minus_one_are_told_to_be_left_out(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="only `-1` in y_train; leave y_train out"):
        take(tmp_path, as_npz(arrays(y_train=np.full(12, -1))))
