"""Pictures: what an upload's arrays hold of them, JSON's, and a few numbers of each."""

from typing import Any, Literal, Self

import numpy as np
import pytest

from app.errors import Invalid
from app.inputs.contract import SKETCHED, Sketch
from app.inputs.dense import DenseInputs
from app.inputs.image import ImageInputs
from app.inputs.value_range import ValueStatistics
from app.tensors import Tensors

BYTES = (0.0, 255.0)
GREY = ImageInputs(shape=(2, 3, 1), dtype="uint8", value_range=BYTES)
COLOURS = ImageInputs(shape=(1, 2, 3), dtype="float32", value_range=(-1.0, 1.0))


def sketch(images: np.ndarray, value_range: tuple[float, float]) -> np.ndarray:
    inputs = ImageInputs(shape=images.shape[1:], dtype="float32", value_range=value_range)
    return inputs.sketch({"image": images})


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
    assert len(set(got[:, 0])) == SKETCHED
    assert (got == sketch(images, (0.0, 1.0))).all()
    assert (np.diff(got[:, 0]) < 0).any()  # the folds of a distance are no stretches of the data


@pytest.mark.parametrize(
    ("array", "item"),
    [((5, 2, 3), (2, 3, 1)), ((5, 2, 3, 3), (2, 3, 3)), ((0, 1, 1, 4), (1, 1, 4))],
)
def test_arrays_of_pictures(array: tuple[int, ...], item: tuple[int, ...]) -> None:
    assert ImageInputs.item_shape(array, "x_train") == item


@pytest.mark.parametrize(
    ("array", "code", "said"),
    [
        ((5,), "shape_mismatch", "are x_train and y_train swapped?"),
        ((5, 784), "shape_mismatch", "x_train.reshape(-1, 28, 28)"),
        ((5, 3, 8, 8), "shape_mismatch", "x_train.transpose(0, 2, 3, 1)"),
        ((5, 8, 8, 2), "shape_mismatch", "got (5, 8, 8, 2)"),
        ((5, 0, 8, 1), "shape_mismatch", "got (5, 0, 8, 1)"),
        ((5, 2**13, 2**13, 1), "too_large", "got 67108864"),
    ],
)
def test_other_arrays_are_refused(array: tuple[int, ...], code: str, said: str) -> None:
    with pytest.raises(Invalid) as refused:
        ImageInputs.item_shape(array, "x_train")
    assert refused.value.code == code
    assert said in refused.value.detail


def test_the_range_is_what_the_spec_says_or_what_training_rows_show() -> None:
    seen = ValueStatistics(0.0, 16.0, is_whole=True)
    assert ImageInputs.fit((8, 8, 1), "uint8", seen, None).value_range == (0, 16)
    assert ImageInputs.fit((8, 8, 1), "uint8", seen, BYTES).value_range == BYTES


def test_a_model_says_no_range_that_its_items_did_not_fill() -> None:
    dark, bright = (np.full((4, 2, 3, 1), value, np.uint8) for value in (1, 2))
    assert GREY.of_model({"image": dark}).value_range is None
    assert GREY.of_model({"image": bright}).value_range == BYTES
    assert COLOURS.of_model({"image": dark}).value_range == (-1, 1)


def test_pictures_come_with_their_channels_or_without_a_single_one() -> None:
    flat, whole = [[1, 2, 3], [4.5, 5, 6]], [[[1], [2], [3]], [[4.5], [5], [6]]]
    decoded = GREY.decode([flat, whole], "#/inputs")
    assert decoded["image"].dtype == np.float32
    assert np.array_equal(decoded["image"], np.float32([whole, whole]))
    assert COLOURS.decode([[[[1, 2, 3], [4, 5, 6]]]], "#/inputs")["image"].shape == (1, 1, 2, 3)


ROW = [1, 2, 3]


@pytest.mark.parametrize(
    ("item", "code", "place", "said"),
    [
        ([ROW], "wrong_shape", "", "expected an array of shape [2, 3, 1] or [2, 3], got [1, 3]"),
        ("text", "wrong_shape", "", "got []"),
        (b"\x00", "wrong_shape", "", "got []"),
        ([], "wrong_shape", "", "got [0]"),
        ([ROW, [1, 2]], "ragged_inputs", "/1", "expected an array of 3, got an array of 2"),
        ([ROW, None], "ragged_inputs", "/1", "expected an array of 3, got null"),
        ([ROW, [1, True, 3]], "not_a_number", "/1/1", "expected a number, got a boolean"),
        ([ROW, [1, "2", 3]], "not_a_number", "/1/1", "expected a number, got text"),
        ([ROW, [1, 1e39, 3]], "not_finite", "/1/1", "got 1 that are not"),
        ([ROW, [float("nan"), 2, 3]], "not_finite", "/1/0", "got 1 that are not"),
    ],
)
def test_what_is_no_picture_is_refused_where_it_stands(
    item: Any, code: str, place: str, said: str
) -> None:
    with pytest.raises(Invalid) as refused:
        GREY.decode([[ROW, ROW], item], "#/inputs")
    assert refused.value.code == code
    assert said in refused.value.detail
    assert refused.value.findings[0].pointer == f"#/inputs/1{place}"


def test_a_preview_shows_the_raw_values_of_each_item() -> None:
    images = np.arange(12, dtype=np.uint8).reshape(2, 2, 3, 1)
    shown = GREY.preview({"image": images})
    assert [sorted(item) for item in shown] == [["image"], ["image"]]
    assert np.array_equal(shown[1]["image"], images[1])


class Sounds(DenseInputs):
    tensor = "sound"
    modality: Literal["sound"] = "sound"

    @classmethod
    def item_shape(cls, shape: tuple[int, ...], name: str) -> tuple[int, ...]:
        return shape[1:]

    @property
    def layout(self) -> tuple[int, int, int]:
        return (1, 1, self.values)

    def differences(self, source: Self, resized: tuple[int, int] | None) -> list[str]:
        return []

    def sketch(self, items: Tensors) -> Sketch:
        return np.asarray(items["sound"], np.float32)


def test_networks_of_pictures_are_none_of_other_modalities() -> None:
    sounds = Sounds(shape=(6,), dtype="float32")
    assert GREY.mismatches(sounds, None) == ["expected sound as in the source, got image"]
    assert sounds.mismatches(GREY, None) == ["expected image as in the source, got sound"]
    assert sounds.mismatches(sounds, None) == []
