"""Small pictures of a dataset, as the intake stores them and the API reads them."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from app.datasets.sketch import ITEMS, distance, sketch, stored_sketch
from app.storage import Storage
from app.tables.datasets import DatasetRow

BYTES = (0.0, 255.0)


def test_a_picture_is_averaged_over_areas_and_channels() -> None:
    image = np.arange(16 * 24 * 3, dtype=np.uint8).reshape(1, 16, 24, 3)
    expected = image.reshape(8, 2, 8, 3, 3).mean(axis=(1, 3, 4)) / 255
    got = sketch(image, BYTES)
    assert (got.shape, got.dtype) == ((1, 64), np.float32)
    assert got[0] == pytest.approx(expected.ravel())


@pytest.mark.parametrize("size", [(1, 1), (5, 7), (8, 8), (28, 28), (9, 200)])
def test_any_size_keeps_its_mean(size: tuple[int, int]) -> None:
    images = np.random.default_rng(0).integers(0, 256, (3, *size, 1)).astype(np.uint8)
    got = sketch(images, BYTES)
    assert got.shape == (3, 64)
    assert sorted(got.mean(axis=1)) == pytest.approx(sorted(images.mean(axis=(1, 2, 3)) / 255))


def test_a_pixel_is_shared_out_by_area() -> None:
    image = np.zeros((1, 12, 8, 1), np.float32)
    image[0, 1] = 1  # rows are 12/8 pixels high: the second pixel lies in two of them
    got = sketch(image, (0.0, 1.0)).reshape(8, 8)
    assert got[:3, 0] == pytest.approx([0.5 / 1.5, 0.5 / 1.5, 0])


def test_the_raw_values_of_the_range_become_0_and_1() -> None:
    images = np.full((2, 8, 8, 1), [[[[-3.0]]], [[[5.0]]]], np.float32)
    assert sorted(sketch(images, (-3.0, 5.0))[:, 0]) == [0, 1]
    largest = np.finfo(np.float32).max
    images = np.full((2, 8, 8, 3), [[[[-largest]]], [[[largest]]]], np.float32)
    assert sorted(sketch(images, (float(-largest), float(largest)))[:, 0]) == [0, 1]


def test_of_many_items_the_same_512_are_drawn() -> None:
    images = np.arange(2000, dtype=np.float32).reshape(-1, 1, 1, 1).repeat(8, 1).repeat(8, 2)
    got = sketch(images, (0.0, 1.0))
    assert len(set(got[:, 0])) == ITEMS
    assert (got == sketch(images, (0.0, 1.0))).all()
    assert (np.diff(got[:, 0]) < 0).any()  # the folds of a distance are no stretches of the data


def test_digits_are_near_to_digits_and_far_from_their_negatives() -> None:
    digits = load_digits().images[..., None].astype(np.float32)
    even, odd = digits[::2], digits[1::2]
    half, rest, negative = (sketch(images, (0.0, 16.0)) for images in (even, odd, 16 - odd))
    near, far = distance(half, rest), distance(half, negative)
    assert near["proxy_a_distance"] == pytest.approx(0, abs=0.4)
    assert near["mmd"] == pytest.approx(0, abs=0.02)
    assert far["proxy_a_distance"] == pytest.approx(2, abs=0.01)
    assert far["mmd"] is not None
    assert far["mmd"] > 0.3


def test_datasets_that_were_taken_in_before_have_no_sketch(storage: Storage) -> None:
    assert stored_sketch(storage, DatasetRow(arrays={"x_train": "sha256/…"})) is None
    assert stored_sketch(storage, DatasetRow(arrays={})) is None
