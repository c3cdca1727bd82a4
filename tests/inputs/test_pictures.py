"""One picture: what its header says, its pixels in a wanted form, and as a model's raw input."""

import numpy as np
import pytest
from PIL import Image

from app.inputs.pictures import Form, look, pixels
from tests.picture_files import file_of, picture, quarters, turned

ROUND = Form(8, 8, 3)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "GIF", "TIFF", "WEBP", "PPM", "JPEG2000"])
def test_formats_without_loss_give_the_pixels(kind: str) -> None:
    said = {"lossless": True} if kind == "WEBP" else {}
    image = picture(8, seed=1)
    if kind == "GIF":
        image = image.quantize(64).convert("RGB")
    got = pixels(file_of(image, kind, **said), ROUND)
    assert got.dtype == np.uint8
    assert np.array_equal(got, np.asarray(image))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_exif_turns_a_picture_as_it_was_held(orientation: int, kind: str) -> None:
    undo = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.T,
        6: lambda a: np.rot90(a, 1),
        7: lambda a: np.rot90(a, 2).T,
        8: lambda a: np.rot90(a, -1),
    }[orientation]  # what the camera stored, so that the tag brings it back
    upright = np.asarray(quarters())
    stored = Image.fromarray(np.ascontiguousarray(undo(upright)))
    data = turned(stored, orientation, kind, **({"quality": 100} if kind != "TIFF" else {}))
    seen = look(data)
    assert (seen.height, seen.width) == upright.shape
    got = pixels(data, Form(*upright.shape, 1))[..., 0]
    assert np.abs(got.astype(int) - upright).mean() < 3


def test_a_large_jpeg_is_what_its_mean_colours_say() -> None:
    values = np.zeros((960, 1280, 3), np.uint8)
    values[:480, :, 0], values[480:, :, 2] = 200, 100
    got = pixels(file_of(Image.fromarray(values), "JPEG", quality=95), Form(6, 8, 3))
    assert np.abs(got[:2].mean((0, 1)) - (200, 0, 0)).max() < 4
    assert np.abs(got[4:].mean((0, 1)) - (0, 0, 100)).max() < 4


def test_both_sides_are_scaled_and_nothing_is_cut_off() -> None:
    values = np.zeros((10, 40), np.uint8)
    values[:, 30:] = 255
    got = pixels(file_of(Image.fromarray(values)), Form(8, 8, 1))[..., 0]
    assert got[:, 7].min() == 255
    assert got[:, :5].max() == 0


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparency_is_laid_over_white(mode: str) -> None:
    image = Image.new("RGBA", (8, 8), (200, 0, 0, 0))
    image.paste((0, 0, 0, 255), (0, 0, 4, 8))
    data = file_of(
        image if mode == "RGBA" else image.convert(mode) if mode == "LA" else image.quantize(4)
    )
    assert look(data).has_alpha
    got = pixels(data, ROUND)
    assert got[:, :4].max() == 0
    assert got[:, 4:].min() == 255


def test_what_is_transparent_has_no_colour_when_it_shrinks() -> None:
    values = np.zeros((64, 64, 4), np.uint8)
    values[:, ::2] = (0, 0, 255, 0)  # every other column: blue that nobody sees, and black
    values[:, 1::2] = (0, 0, 0, 255)
    got = pixels(file_of(Image.fromarray(values)), ROUND).astype(int)
    assert np.abs(got - 127).max() <= 2


def test_half_transparency_is_half_white() -> None:
    data = file_of(Image.new("RGBA", (8, 8), (100, 0, 0, 128)))
    assert pixels(data, ROUND)[0, 0].tolist() == [177, 127, 127]
    kept = pixels(data, Form(8, 8, 4))[0, 0].tolist()
    assert kept == [100, 0, 0, 128]
