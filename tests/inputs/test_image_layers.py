import keras
import numpy as np
import pytest

from app.inputs.image import ImageInputs
from worker.inputs import layers_of
from worker.inputs.image import build, resize_matrix


def test_the_value_range_becomes_zero_to_one() -> None:
    model = build((1, 3, 1), (-1.0, 3.0), None)
    raw = np.array([-1.0, 1.0, 3.0], np.float32).reshape(1, 1, 3, 1)
    np.testing.assert_allclose(np.ravel(model({"image": raw})["image"]), [0.0, 0.5, 1.0], atol=1e-6)


def test_a_range_without_width_is_no_division_by_zero() -> None:
    model = build((1, 1, 1), (5.0, 5.0), None)
    assert np.ravel(model({"image": np.full((1, 1, 1, 1), 5.0, np.float32)})["image"]) == [0.0]


def test_enlarging_by_hand() -> None:
    expected = [[1, 0], [0.75, 0.25], [0.25, 0.75], [0, 1]]
    np.testing.assert_allclose(resize_matrix(2, 4), expected)


def test_shrinking_averages_by_hand() -> None:
    """Centres 0.5 and 2.5 of 4 pixels, a triangle of half-width 2: weights 3/8, 3/8, 1/8 …"""
    expected = [[3 / 7, 3 / 7, 1 / 7, 0], [0, 1 / 7, 3 / 7, 3 / 7]]
    np.testing.assert_allclose(resize_matrix(4, 2), expected, rtol=1e-6)


@pytest.mark.parametrize(("size", "new_size"), [(8, 28), (28, 8), (5, 7), (7, 1), (1, 4), (6, 6)])
def test_constant_images_stay_constant(size: int, new_size: int) -> None:
    np.testing.assert_allclose(resize_matrix(size, new_size).sum(1), 1.0, rtol=1e-6)


@pytest.mark.parametrize(
    ("shape", "size"), [((8, 8, 1), (28, 28)), ((28, 20, 3), (9, 8)), ((5, 6, 2), (5, 12))]
)
def test_resizing_is_that_of_keras(shape: tuple[int, int, int], size: tuple[int, int]) -> None:
    raw = np.random.default_rng(0).random((2, *shape), np.float32)
    antialias = size[0] < shape[0]
    expected = keras.ops.image.resize(raw, size, "bilinear", antialias=antialias)
    got = build(shape, (0.0, 1.0), size)({"image": raw})["image"]
    assert got.shape == (2, *size, shape[2])
    np.testing.assert_allclose(got, expected, atol=1e-5)


def test_raw_values_of_any_dtype_are_seen_alike() -> None:
    layers = layers_of(ImageInputs(shape=(2, 3, 1), dtype="uint8", value_range=(0, 255)), None)
    assert {name: spec.shape.as_list() for name, spec in layers.raw.items()} == {
        "image": [None, 2, 3, 1]
    }
    raw = np.arange(6, dtype=np.uint8).reshape(1, 2, 3, 1)
    seen = layers.seen({"image": raw})["image"]
    np.testing.assert_allclose(seen, raw / 255, rtol=1e-6)
    for dtype in ("float32", "float64", "int64"):
        assert np.array_equal(layers.seen({"image": raw.astype(dtype)})["image"], seen)
    arrays = layers.arrays({"image": raw})
    assert arrays["image"].dtype == np.float32
    assert np.array_equal(arrays["image"], raw)


def test_nothing_in_it_is_trained() -> None:
    assert build((8, 8, 1), (0.0, 1.0), (4, 4)).trainable_variables == []
