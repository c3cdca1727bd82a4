import gzip
from pathlib import Path

import numpy as np
import pytest

from app.errors import WorkFailure
from tests.intake.archives import arrays, idx_bytes, idx_files, npz_bytes, take


@pytest.mark.parametrize("packed", [True, False])
def test_four_files_are_what_the_same_npz_is(tmp_path: Path, packed: bool) -> None:
    (tmp_path / "npz").mkdir()
    wanted = take(tmp_path / "npz", {"a.npz": npz_bytes(**arrays())})
    assert take(tmp_path, idx_files(packed)).content_hash == wanted.content_hash


def test_images_and_labels_alone(tmp_path: Path) -> None:
    images = np.linspace(-1, 1, 40 * 9, dtype=np.float32).reshape(40, 3, 3)
    labels = (np.arange(40) % 4).astype(np.int32) * 10
    files = {"labels.idx": idx_bytes(labels), "images.idx.gz": gzip.compress(idx_bytes(images))}
    taken = take(tmp_path, files)
    assert taken.schema.classes == ("0", "10", "20", "30")
    assert taken.schema.splits == {"train": 32, "test": 8}
    assert taken.schema.inputs.value_range == (-1, 1)


IMAGES, LABELS = "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"
WHOLE = idx_files()
PLAIN = gzip.decompress(WHOLE[IMAGES])


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({LABELS: WHOLE[LABELS]}, "missing_array"),
        ({**WHOLE, "t10k-labels-idx1-ubyte.gz": WHOLE[IMAGES]}, "unknown_format"),
        ({name: WHOLE[name] for name in WHOLE if "t10k-images" not in name}, "missing_array"),
        ({**WHOLE, IMAGES: WHOLE[IMAGES][:-20]}, "truncated_file"),
        ({**WHOLE, IMAGES: gzip.compress(PLAIN[:-1])}, "truncated_file"),
        ({**WHOLE, IMAGES: gzip.compress(PLAIN + b"\0")}, "truncated_file"),
        ({**WHOLE, IMAGES: gzip.compress(PLAIN[:9])}, "truncated_file"),
        ({**WHOLE, IMAGES: b""}, "truncated_file"),
        ({**WHOLE, IMAGES: gzip.compress(b"PK")}, "truncated_file"),
        ({**WHOLE, IMAGES: gzip.compress(b"text and so on")}, "unknown_format"),
        ({**WHOLE, LABELS: gzip.compress(idx_bytes(np.ones(3, np.uint8)))}, "shape_mismatch"),
        (
            {IMAGES: gzip.compress(b"\0\0\x08\x03\0\0\1\0\xff\xff\xff\xff\xff\xff\xff\xff")},
            "too_large",
        ),
        (
            {IMAGES: gzip.compress(b"\0\0\x08\x03\xff\xff\xff\xff\0\0\0\1\0\0\0\1")},
            "too_many_items",
        ),
    ],
)
def test_refuses_with_a_reason(tmp_path: Path, files: dict[str, bytes], reason: str) -> None:
    with pytest.raises(WorkFailure) as failure:
        take(tmp_path, files)
    assert failure.value.reason == reason


@pytest.mark.parametrize(
    "files",
    [
        {LABELS: WHOLE[LABELS]},
        {IMAGES: WHOLE[LABELS]},
        {IMAGES: WHOLE[LABELS], LABELS: WHOLE[LABELS]},
        {LABELS: WHOLE[LABELS], "t10k-labels-idx1-ubyte.gz": WHOLE["t10k-labels-idx1-ubyte.gz"]},
    ],
)
def test_labels_alone_are_told_to_be_no_pictures(tmp_path: Path, files: dict[str, bytes]) -> None:
    with pytest.raises(WorkFailure, match=r"^no pictures came: ") as failure:
        take(tmp_path, files)
    assert all(f"`{name}`" in str(failure.value) for name in files)


def test_swapped_names_are_told_apart_by_what_the_files_hold(tmp_path: Path) -> None:
    swapped = {**WHOLE, IMAGES: WHOLE[LABELS], LABELS: WHOLE[IMAGES]}
    (tmp_path / "right").mkdir()
    right = take(tmp_path / "right", WHOLE)
    assert take(tmp_path, swapped).content_hash == right.content_hash
