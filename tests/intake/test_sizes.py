"""Limits hold for a dataset as a whole: before it inflates, and as it would be stored."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from app.errors import WorkFailure
from app.settings import Settings
from tests.intake.archives import arrays, idx_bytes, npz_bytes, pictures, take
from worker.intake import sizes
from worker.intake.raw import IntakeLimits

LABELS = np.arange(12, dtype=np.uint8) % 3


def idx_upload(images: np.ndarray) -> dict[str, bytes]:
    return {
        f"{split}-{kind}.gz": gzip.compress(idx_bytes(array))
        for split in ("train", "t10k")
        for kind, array in (("images-idx3", images), ("labels-idx1", LABELS))
    }


def refused(folder: Path, files: dict[str, bytes], limit: int) -> WorkFailure:
    with pytest.raises(WorkFailure) as caught:
        take(folder, files, IntakeLimits(items=100, bytes=limit))
    assert caught.value.reason == "too_large"
    return caught.value


def test_files_that_are_small_one_by_one_count_together(tmp_path: Path) -> None:
    files = idx_upload(pictures(12, side=10))
    whole = 2 * (12 * 100 + 12)
    failure = refused(tmp_path, files, whole - 1)
    assert f"{whole}" in failure.detail
    assert "KTL_DATASET_LIMIT_BYTES" in failure.detail
    assert not list(tmp_path.glob("raw_*"))  # nothing was inflated


@pytest.mark.parametrize("packed", ["idx", "npz"])
def test_values_that_are_stored_wider_than_they_came_count_as_stored(
    tmp_path: Path, packed: str
) -> None:
    images = pictures(12, side=10).astype(np.int16) - 1  # float32 in the store
    stored = 2 * 12 * (100 * 4 + 4)
    files = {
        "npz": {"a.npz": npz_bytes(x=images, y=LABELS, x_test=images, y_test=LABELS)},
        "idx": idx_upload(images.astype(np.int32)),
    }[packed]
    failure = refused(tmp_path, files, stored - 1)
    assert f"got {stored}" in failure.detail
    assert "as uint8 take a quarter" in failure.detail
    assert not list(tmp_path.glob("x_*.npy"))  # nothing was made to be stored
    # As large as the limit says is not too large, nor are labels that come as 8 bytes each.
    take(tmp_path, files, IntakeLimits(items=100, bytes=stored + 2 * 12 * 4))


def test_what_grows_too_much_is_refused_before_it_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = arrays(x_train=np.zeros((12, 400, 400), np.uint8), x_test=np.zeros((6, 400, 400)))
    monkeypatch.setattr(sizes, "FREE_BYTES", 1000)
    failure = refused(tmp_path, {"a.npz": npz_bytes(**held)}, 2**30)
    assert "upload them uncompressed" in failure.detail
    np.savez(tmp_path / "plain.npz", **held)
    plain = {"a.npz": (tmp_path / "plain.npz").read_bytes()}
    take(tmp_path, plain, IntakeLimits(items=100, bytes=2**30))  # as the message says


def test_the_limit_is_a_setting() -> None:
    assert IntakeLimits.of(Settings(dataset_limit_bytes=5, item_limit=3)) == IntakeLimits(3, 5)
