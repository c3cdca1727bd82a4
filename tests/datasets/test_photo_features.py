"""Features of stored pictures: computed once, given up and gone on with, mended, forgotten."""

import os
from pathlib import Path

import numpy as np
import pytest

from app.inputs.image import ImageInputs
from app.inputs.joined_part import JoinedPart
from app.inputs.photo_features import PhotoFeaturesInputs
from app.spec.pretrained import PRETRAINED
from tests.backbones.weights import file_of
from worker.datasets import photo_features as module
from worker.datasets.photo_features import frozen_network, photo_features
from worker.training import predict
from worker.training.items import Items

LITE0 = PRETRAINED["efficientnet_lite0:imagenet"]
PICTURES = ImageInputs(shape=(32, 32, 3), dtype="uint8", value_range=(0, 255))
PART = JoinedPart(name="front", inputs=PICTURES)
SEEN = PhotoFeaturesInputs(
    shape=(1280,), value_range=None, weights=LITE0.reference, digest=LITE0.digest, size=(32, 32)
)


@pytest.fixture(autouse=True)
def _installed(monkeypatch: pytest.MonkeyPatch) -> None:
    file_of("efficientnet_lite0")
    monkeypatch.setattr(module, "CHUNK", 4)


def items(count: int = 10) -> Items:
    rng = np.random.default_rng(count)
    pictures = rng.integers(0, 256, (count, 32, 32, 3), dtype=np.uint8)
    present = (np.arange(count) != 1).astype(np.uint8)
    return Items.of({"front.image": pictures, "front.present": present}, f"{count} pictures")


def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    found = list[int]()
    compute = module._computed

    def computed(given: Items, *how: object) -> np.ndarray:
        found.append(len(given))
        return compute(given, *how)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "_computed", computed)
    return found


def test_they_are_the_networks_and_zeros_of_what_is_missing(tmp_path: Path) -> None:
    given = items()
    found = photo_features(given, PART, SEEN, tmp_path)
    network = frozen_network(PICTURES, SEEN, tmp_path)
    pictures = given.read()["front.image"]
    expected = predict.features(network, Items.of({"image": pictures}))
    there = np.arange(10) != 1
    np.testing.assert_allclose(found[there], expected[there], atol=1e-4)
    assert not found[1].any()
    assert len(np.unique(found[there], axis=0)) == 9


def test_they_are_computed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    computed = counted(monkeypatch)
    first = photo_features(items(), PART, SEEN, tmp_path)
    np.testing.assert_array_equal(photo_features(items(), PART, SEEN, tmp_path), first)
    assert computed == [4, 4, 2]
    photo_features(items(), PART, SEEN.model_copy(update={"size": (40, 40)}), tmp_path)
    photo_features(items(3), PART, SEEN, tmp_path)
    assert computed == [4, 4, 2, 4, 4, 2, 3]


def test_what_is_computed_stays_when_it_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed = counted(monkeypatch)

    def look() -> None:
        if len(computed) == 2:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        photo_features(items(), PART, SEEN, tmp_path, look)
    photo_features(items(), PART, SEEN, tmp_path)
    assert computed == [4, 4, 2]


def test_a_file_that_is_cut_off_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = photo_features(items(), PART, SEEN, tmp_path)
    for chunk in (tmp_path / "photo-features").glob("*-1.npy"):
        chunk.write_bytes(chunk.read_bytes()[:500])
    computed = counted(monkeypatch)
    np.testing.assert_array_equal(photo_features(items(), PART, SEEN, tmp_path), first)
    assert computed == [4]


def test_what_was_not_used_for_longest_is_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo_features(items(3), PART, SEEN, tmp_path)
    photo_features(items(4), PART, SEEN, tmp_path)
    folder = tmp_path / "photo-features"
    for age, chunk in enumerate(sorted(folder.glob("*.npy"), key=lambda file: file.stat().st_size)):
        os.utime(chunk, (1000 + age, 1000 + age))
    photo_features(items(3), PART, SEEN, tmp_path)  # is used
    monkeypatch.setattr(module, "MOST_BYTES", 45_000)  # of 5,120 each: 8 pictures
    photo_features(items(2), PART, SEEN, tmp_path)
    assert sorted(chunk.stat().st_size // 5_120 for chunk in folder.glob("*.npy")) == [2, 3]
