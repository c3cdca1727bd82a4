import io
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest

from app.errors import FailureCode, WorkFailure
from tests.intake.archives import LIMITS, arrays, npz_bytes, pictures, take
from worker.intake.raw import IntakeLimits


def test_stores_the_arrays_with_their_schema(tmp_path: Path) -> None:
    held = arrays(class_names=np.array(["ant", "bee", "cat"]))
    taken = take(tmp_path, {"insects.npz": npz_bytes(**held)})
    assert taken.schema.inputs.shape == (4, 4, 1)
    assert taken.schema.inputs.dtype == "uint8"
    assert taken.schema.inputs.value_range == (0, 255)
    assert taken.schema.classes == ("ant", "bee", "cat")
    assert taken.schema.splits == {"train": 12, "test": 6}
    assert taken.schema.class_counts == {"train": (4, 4, 4), "test": (2, 2, 2)}
    stored = {name: np.load(path) for name, path in taken.arrays.items()}
    assert stored["x_train"].dtype == np.uint8
    assert np.array_equal(stored["x_train"], held["x_train"][..., None])
    assert np.array_equal(stored["x_test"], held["x_test"][..., None])
    assert stored["y_train"].dtype == np.int32
    assert np.array_equal(stored["y_train"], held["y_train"])
    assert np.array_equal(stored["y_test"], held["y_test"])
    assert taken.profile["test_split"] == {"origin": "given"}
    assert taken.profile["warnings"] == []


def test_labels_are_counted_in_the_order_of_the_training_splits_labels(tmp_path: Path) -> None:
    held = arrays(y_train=np.tile([7, -2, 30], 4)[:, None], y_test=np.tile([30, 7, 7], 2))
    taken = take(tmp_path, {"a.npz": npz_bytes(**held)})
    assert taken.schema.classes == ("-2", "7", "30")
    assert np.load(taken.arrays["y_train"])[:3].tolist() == [1, 0, 2]
    assert np.load(taken.arrays["y_test"])[:3].tolist() == [2, 1, 1]
    assert taken.profile["class_balance"]["test"]["absent"] == ["-2"]


@pytest.mark.parametrize("kind", [str, "S"])
def test_labels_may_be_text(tmp_path: Path, kind: object) -> None:
    names = np.array(["no", "yes"]).astype(kind)
    held = arrays(y_train=names[np.arange(12) % 2], y_test=names[np.arange(6) % 2])
    taken = take(tmp_path, {"a.npz": npz_bytes(**held)})
    assert taken.schema.classes == ("no", "yes")
    assert np.load(taken.arrays["y_train"])[:2].tolist() == [0, 1]


@pytest.mark.parametrize(("x", "y"), [("x", "y"), ("images", "labels")])
def test_without_a_test_split_one_is_cut(tmp_path: Path, x: str, y: str) -> None:
    labels = np.array([0] * 10 + [1] * 5 + [2] * 2)
    content = npz_bytes(**{x: pictures(17), y: labels})
    taken = take(tmp_path, {"a.npz": content}, test_fraction=0.4)
    assert taken.schema.class_counts == {"train": (6, 3, 1), "test": (4, 2, 1)}
    assert taken.profile["test_split"] == {"origin": "cut", "fraction": 0.4}
    assert "7 items were cut" in taken.profile["warnings"][0]
    both = np.concatenate([np.load(taken.arrays[f"x_{split}"]) for split in ("train", "test")])
    assert sorted(map(bytes, both)) == sorted(map(bytes, pictures(17)))
    (tmp_path / "again").mkdir()
    again = take(tmp_path / "again", {"b.npz": content}, test_fraction=0.4)
    assert again.content_hash == taken.content_hash


@pytest.mark.parametrize(
    ("images", "stored", "value_range"),
    [
        (pictures(12) / 255, "float32", (0, 1)),
        (pictures(12) / 100 - 7, "float32", (-7, -4.45)),
        (np.full((12, 2, 2), -5, np.int8), "float32", (-5, 0)),
        (pictures(12).astype(">f8"), "float32", (0, 255)),
    ],
)
def test_other_numbers_become_float32(
    tmp_path: Path, images: np.ndarray, stored: str, value_range: tuple[float, float]
) -> None:
    if images.size == 192:
        images[0, 0, :2] = value_range
    held = arrays(x_train=images, x_test=images[:6])
    taken = take(tmp_path, {"a.npz": npz_bytes(**held)})
    assert taken.schema.inputs.dtype == stored
    assert taken.schema.inputs.value_range == pytest.approx(value_range)
    assert np.array_equal(np.load(taken.arrays["x_train"])[..., 0], images.astype(np.float32))


def test_the_range_is_the_training_splits(tmp_path: Path) -> None:
    held = arrays(x_train=np.linspace(-1, 3, 48).reshape(12, 2, 2), x_test=np.full((6, 2, 2), 9.0))
    assert take(tmp_path, {"a.npz": npz_bytes(**held)}).schema.inputs.value_range == (-1, 3)


def test_colour_and_fortran_order(tmp_path: Path) -> None:
    colour = np.asfortranarray(np.random.default_rng(0).integers(0, 256, (12, 3, 5, 3), np.uint8))
    held = arrays(x_train=colour, x_test=np.ascontiguousarray(colour[:6]))
    taken = take(tmp_path, {"a.npz": npz_bytes(**held)})
    assert taken.schema.inputs.shape == (3, 5, 3)
    assert np.array_equal(np.load(taken.arrays["x_train"]), colour)


def test_the_profile_counts_what_is_wrong(tmp_path: Path) -> None:
    images, tests = pictures(42), pictures(6, seed=1)
    images[1] = images[2] = images[0]
    images[3] = 9
    tests[0] = images[0]
    tests[1] = tests[2]
    labels = np.array([0] * 40 + [1] * 2)
    held = arrays(x_train=images, y_train=labels, x_test=tests, y_test=np.arange(6) % 2)
    profile = take(tmp_path, {"a.npz": npz_bytes(**held, extra=np.zeros(3))}).profile
    assert profile["duplicates"] == {
        "train": 2,
        "test": 1,
        "across_splits": 1,
        "contradicting": {"within": {"train": 0, "test": 1}, "across_splits": 0},
    }
    assert profile["values"] == {"train": {"low": 0, "high": 255}, "test": {"low": 4, "high": 251}}
    assert profile["constant_images"] == {"train": 1, "test": 0}
    assert profile["class_balance"]["train"] == {
        "smallest": {"class": "1", "items": 2},
        "largest": {"class": "0", "items": 40},
        "imbalance": 20.0,
        "absent": [],
    }
    assert profile["ignored_arrays"] == ["extra"]
    assert len(profile["warnings"]) == 7


def nan(count: int) -> np.ndarray:
    images = np.ones((12, 2, 2))
    images.flat[:count] = np.nan
    return images


OBJECTS = np.array([{}] * 12, object)
REFUSED = {
    "pickled_objects": (arrays(y_train=OBJECTS), "y_train"),
    "pickled_objects (images)": (arrays(x_train=OBJECTS), "x_train"),
    "not_a_number": (arrays(x_train=nan(3), x_test=np.ones((6, 2, 2))), "x_train"),
    "not_a_number (inf)": (arrays(x_train=nan(0), x_test=np.full((6, 2, 2), np.inf)), "x_test"),
    "not_a_number (range)": (
        arrays(x_train=np.full((12, 2, 2), 1e99), x_test=nan(0)[:6]),
        "x_train",
    ),
    "shape_mismatch": (arrays(y_train=np.arange(11)), "y_train"),
    "shape_mismatch (splits)": (arrays(x_test=pictures(6, side=5)), "x_test"),
    "shape_mismatch (flat)": (arrays(x_train=np.zeros((12, 16))), "x_train"),
    "shape_mismatch (channels first)": (arrays(x_train=np.zeros((12, 3, 8, 8))), "x_train"),
    "shape_mismatch (one-hot)": (arrays(y_train=np.eye(12)), "y_train"),
    "shape_mismatch (no pixels)": (arrays(x_train=np.zeros((12, 0, 4))), "x_train"),
    "shape_mismatch (names)": (arrays(class_names=np.array(["a", "b"])), "class_names"),
    "one_class": (arrays(y_train=np.zeros(12, int)), "y_train"),
    "empty_split": (arrays(x_train=pictures(0), y_train=np.arange(0)), "x_train"),
    "empty_split (test)": (arrays(x_test=pictures(0), y_test=np.arange(0)), "x_test"),
    "empty_split (cut)": (
        arrays(y_train=np.array([0] * 11 + [1]), x_test=None, y_test=None),
        "y_train",
    ),
    "unknown_class": (arrays(y_test=np.arange(6)), "y_test"),
    "unknown_class (no label)": (arrays(y_test=np.array([0, 1, -1] * 2)), "y_test"),
    "partly_labelled": (arrays(y_train=np.array([0, 1, 2, -1] * 3)), "y_train"),
    "partly_labelled (text)": (arrays(y_train=np.array(["a", "b", ""] * 4)), "y_train"),
    "partly_labelled (bytes)": (arrays(y_train=np.array([b"a", b""] * 6)), "y_train"),
    "partly_labelled (test alone)": (
        arrays(y_train=None, y_test=np.array([0, 3, -1] * 2)),
        "y_test",
    ),
    "one_class (test alone)": (arrays(y_train=None, y_test=np.zeros(6, int)), "y_test"),
    "shape_mismatch (test alone)": (arrays(y_train=None, y_test=np.arange(5)), "y_test"),
    "empty_split (no labels)": ({"x": pictures(1)}, "x_train"),
    "missing_array": (arrays(x_train=None), "x_train"),
    "missing_array (test)": (arrays(x_test=None), "x_test"),
    "missing_array (all)": ({"pixels": pictures(3)}, "x_train"),
    "wrong_type": (
        arrays(y_train=np.arange(12) % 3 + 0.5, class_names=np.array(["a", "b", "c"])),
        "y_train",
    ),
    "wrong_type (text)": (arrays(x_train=np.full((12, 2, 2), "a")), "x_train"),
    "wrong_type (complex)": (arrays(x_train=np.ones((12, 2, 2), complex)), "x_train"),
    "wrong_type (splits)": (arrays(x_test=pictures(6) / 255), "x_test"),
    "wrong_type (records)": (arrays(y_train=np.zeros(12, "i4,i4")), "y_train"),
    "unknown_class (text)": (arrays(y_test=np.array(["a"] * 6)), "y_test"),
    "wrong_type (long)": (arrays(y_train=np.array(["a" * 201, "b"] * 6)), "y_train"),
    "wrong_type (no UTF-8)": (arrays(y_train=np.array([b"\xff", b"a"] * 6)), "y_train"),
    "wrong_type (NUL)": (arrays(y_train=np.array(["a\0b", "a"] * 6)), "y_train"),
    "wrong_type (same names)": (arrays(class_names=np.array(["a", "b", "a"])), "class_names"),
    "wrong_type (numbers as names)": (arrays(class_names=np.arange(3)), "class_names"),
    "too_many_items": (arrays(x_train=np.zeros((1001, 1, 1)), y_train=np.arange(1001)), "x_train"),
    "too_large": (arrays(x_train=np.zeros((12, 400, 400), np.uint8)), "bad.npz"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refuses_with_a_reason_and_a_place(tmp_path: Path, case: str) -> None:
    held, place = REFUSED[case]
    with pytest.raises(WorkFailure) as failure:
        take(tmp_path, {"bad.npz": npz_bytes(**held)})
    assert failure.value.code == FailureCode.DATASET_INVALID
    assert failure.value.reason == case.partition(" ")[0]
    assert failure.value.pointer == f"#/file/{place}"
    assert failure.value.stage == "intake"


def test_names_of_another_case_are_told(tmp_path: Path) -> None:
    with pytest.raises(WorkFailure, match="was `X_train` meant to be `x_train`"):
        take(tmp_path, {"a.npz": npz_bytes(X_train=pictures(12), y_train=np.arange(12) % 3)})


def test_says_how_many_numbers_are_none(tmp_path: Path) -> None:
    held = arrays(x_train=nan(3), x_test=np.ones((6, 2, 2)))
    with pytest.raises(WorkFailure, match="in x_train, got 3 that"):
        take(tmp_path, {"bad.npz": npz_bytes(**held)})


def test_a_bomb_is_refused_before_it_inflates(tmp_path: Path) -> None:
    content = npz_bytes(x=np.zeros((100, 100, 100), np.uint8), y=np.arange(100) % 2)
    assert len(content) < 5000
    with pytest.raises(WorkFailure) as failure:
        take(tmp_path, {"bomb.npz": content}, IntakeLimits(items=100, bytes=999_999))
    assert failure.value.reason == "too_large"
    assert [path.name for path in tmp_path.iterdir()] == ["upload-0"]


def test_cut_off_and_unknown_files(tmp_path: Path) -> None:
    content = npz_bytes(**arrays())
    for name, cut, reason in (
        ("cut.npz", content[: len(content) // 2], "truncated_file"),
        ("empty.npz", b"", "truncated_file"),
        ("empty", b"", "unknown_format"),
        ("notes.txt", b"one, two", "unknown_format"),
    ):
        with pytest.raises(WorkFailure) as failure:
            take(tmp_path, {name: cut}, LIMITS)
        assert failure.value.reason == reason
    with pytest.raises(WorkFailure, match=r"one \.npz file, got 2"):
        take(tmp_path, {"a.npz": content, "b.npz": content})


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("{'descr': '<f8', 'fortran_order': False, 'shape': (12, -2, 2)}", "truncated_file"),
        ("{'descr': '<f8', 'fortran_order': False, 'shape': (12, 10**9)}", "truncated_file"),
        ("{'descr': '<f8', 'fortran_order': False, 'shape': (12, 0, 0)}", "shape_mismatch"),
        (f"{{'descr': '<f8', 'fortran_order': False, 'shape': (12, {10**30})}}", "too_large"),
        (f"{{'descr': '<f8', 'fortran_order': False, 'shape': (0, {10**30})}}", "truncated_file"),
        ("{'descr': '<f8', 'fortran_order': False, 'shape': ()}", "truncated_file"),
        ("{'descr': '|O', 'fortran_order': False, 'shape': (12,)}", "pickled_objects"),
        ("{'descr': '<q9', 'fortran_order': False, 'shape': (12,)}", "truncated_file"),
        ("{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (12,)}", "wrong_type"),
        ("{'descr': ('<f8', (2, 2)), 'fortran_order': False, 'shape': (12,)}", "wrong_type"),
        ("{'descr': '<U0', 'fortran_order': False, 'shape': (12,)}", "wrong_type"),
        ("[" * 3000, "truncated_file"),
        ("{" + " " * 20_000 + "}", "truncated_file"),
        ("", "truncated_file"),
    ],
)
def test_a_forged_header_is_refused(tmp_path: Path, header: str, reason: str) -> None:
    forged = b"\x93NUMPY\x02\0" + len(header).to_bytes(4, "little") + header.encode()
    stream = io.BytesIO()
    with ZipFile(stream, "w") as archive:
        archive.writestr("x.npy", forged)
        archive.writestr("y.npy", forged)
    with pytest.raises(WorkFailure) as failure:
        take(tmp_path, {"a.npz": stream.getvalue()})
    assert failure.value.reason == reason
