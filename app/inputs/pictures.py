"""Files of pictures -> arrays of pixels: what an intake does with each and an endpoint does again.

The rules, in their order: a file is known by its content, never by its ending; of an animation the
first frame is taken, of several pages the first; the picture is brought to the wanted mode, where
transparent pixels are laid over white, CMYK becomes RGB by the plain formula without colour
profiles and colour becomes grey by ITU-R 601-2 luma; then to the wanted height and width, both
sides by their own factor, so that nothing is cut off and nothing added; then it is turned as its
EXIF data say.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from app.errors import invalid
from app.inputs.image import ImageInputs
from app.inputs.picture_files import (
    UnreadablePicture,
    check_pixels,
    check_scans,
    check_sums,
    damage_named,
    has_pages,
    opened,
    pillow,
)
from app.tensors import Tensors

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFile import ImageFile

WHITE = (255, 255, 255, 255)
DEEP = 65535  # the greatest value of 16 bits
ORIENTATION = 0x0112  # the EXIF tag
ON_ITS_SIDE = 5  # orientations from here swap height and width
GAP = 3.0  # of Pillow's `reducing_gap`: whole-number steps first where a picture shrinks much
MOVING = {"GIF", "PNG", "WEBP"}  # formats of animations; phones' JPEGs hold several pictures too
PLANES = ";L"  # of Pillow's palettes that hold all reds, then all greens, then all blues
COLOURLESS = {"1", "L", "LA", "La"}

Pixels = NDArray[Any]  # uint8 or float32


@dataclass(frozen=True)
class Form:
    """Size and colours that every picture of a dataset gets.

    channels: 1 grey, 3 RGB, 4 RGBA.
    is_deep: grey values stay whole numbers from 0 to 65535, as float32; else 0 to 255, as uint8.
    """

    height: int
    width: int
    channels: int
    is_deep: bool = False


@dataclass(frozen=True, slots=True)
class PictureHeader:
    """Facts that a file's header says of its picture, turned as its EXIF data say."""

    format: str
    height: int
    width: int
    is_grey: bool  # stored with one channel, or with a palette of greys
    is_deep: bool  # 16 bits of grey
    is_cut_to_8_bits: bool  # 16 bits per channel of colour, of which Pillow reads the upper 8
    has_alpha: bool
    is_turned: bool
    is_moving: bool  # more than one frame, or page


def look(data: bytes) -> PictureHeader:
    """Reads a header, decodes nothing. Raises UnreadablePicture."""
    with opened(data) as image:
        orientation = _orientation(image)
        width, height = image.size
        if orientation >= ON_ITS_SIDE:
            width, height = height, width
        raw_mode = str(image.tile[0].args) if image.tile else ""
        with damage_named(data):
            has_alpha = image.has_transparency_data
            is_moving = image.format in MOVING and bool(getattr(image, "is_animated", False))
            is_moving = is_moving or has_pages(data)
        return PictureHeader(
            format="JPEG" if image.format == "MPO" else str(image.format),
            height=height,
            width=width,
            is_grey=_is_grey(image),
            is_deep=image.mode.startswith("I;16"),
            is_cut_to_8_bits="16" in raw_mode and not image.mode.startswith("I;16"),
            has_alpha=has_alpha,
            is_turned=orientation > 1,
            is_moving=is_moving,
        )


def pixels(data: bytes, form: Form) -> Pixels:
    """Returns (height, width, channels), uint8, or float32 where the form is deep. Raises
    UnreadablePicture."""
    with opened(data) as image:
        orientation = _orientation(image)
        size = (form.width, form.height)
        if orientation >= ON_ITS_SIDE:
            size = (form.height, form.width)
        if image.info.get("progressive"):  # all of it is in memory, at whatever size it is decoded
            check_pixels(image.size)
        if image.format in {"JPEG", "MPO"}:
            check_scans(data, image.size)
            image.draft("L" if form.channels == 1 else "RGB", size)
        check_pixels(image.size)
        check_sums(data)
        with damage_named(data):
            image.load()
        shown = _plain(image, form)
        if shown.size != size:  # before all else, as large pictures take much memory
            bilinear = pillow().Resampling.BILINEAR
            shown = shown.resize(size, bilinear, reducing_gap=GAP)
        shown = _in_mode(shown, form)
        values = _turned(np.asarray(shown), orientation)
        if form.is_deep:
            values = np.rint(values)
        dtype = np.float32 if form.is_deep else np.uint8
        shape = (form.height, form.width, form.channels)
        held: Pixels = np.ascontiguousarray(values, dtype).reshape(shape)
        return held


def prepare(data: bytes, inputs: ImageInputs, at: str = "#/file") -> Pixels:
    """One picture as a model's raw input, as the intake would have stored it.

    A network of uint8 pixels sees 8 bits per channel. Of float32 pixels: a 16-bit grey picture
    keeps its values where the model's range says that its pictures had such; any other picture's
    black and white become the ends of the model's value range.

    Args:
        data: a file's bytes.
        at: a JSON pointer to the picture.

    Returns:
        inputs.shape, of the type inputs.dtype.

    Raises:
        Invalid: `unreadable_picture`.
        UnsupportedMedia: `pictures_unavailable`, where Pillow is not installed.
    """
    height, width, channels = inputs.shape
    low, high = inputs.range
    try:
        form = Form(height, width, channels)
        if inputs.dtype == "uint8":
            return pixels(data, form)
        keeps_values = low >= 0 and high > 1 and channels == 1
        if keeps_values and look(data).is_deep:
            return pixels(data, Form(height, width, channels, is_deep=True))
        shares = pixels(data, form).astype(np.float32) / np.float32(255)
        return shares * np.float32(high - low) + np.float32(low)
    except UnreadablePicture as wrong:
        raise invalid("unreadable_picture", f"expected a picture, got {wrong.reason}", at) from None


def prepare_all(files: Sequence[bytes], inputs: ImageInputs, at: str = "#/file") -> Tensors:
    """Pictures of one request -> {"image": (n, *inputs.shape)}; raises as `prepare` does."""
    prepared = [prepare(data, inputs, f"{at}/{place}") for place, data in enumerate(files)]
    return {inputs.tensor: np.stack(prepared)}


def _orientation(image: "ImageFile") -> int:
    """1 to 8. Pillow turns TIFF by itself; damaged EXIF data turn nothing."""
    if image.format == "TIFF":
        return 1
    try:
        found = image.getexif().get(ORIENTATION, 1)
    except Exception:
        return 1
    return found if found in range(1, 9) else 1


def _is_grey(image: "ImageFile") -> bool:
    """Tells by the header: Pillow's own `getpalette` decodes the picture."""
    if image.mode != "P" or image.palette is None:
        return image.mode in COLOURLESS or image.mode.startswith("I;16")
    layout = image.palette.rawmode or image.palette.mode
    held = np.frombuffer(bytes(image.palette.palette), np.uint8)
    if layout.endswith(PLANES):
        colours = held[: len(held) // 3 * 3].reshape(3, -1).T
    else:
        places = len(layout)  # bytes per colour, as of "RGB" and "BGRX"
        colours = held[: len(held) // places * places].reshape(-1, places)[:, :3]
    return bool((colours == colours[:, :1]).all())


def _plain(image: "Image", form: Form) -> "Image":
    """L, RGB or RGBA of a decoded picture; F, up to 65535, of a deep one where that is kept."""
    if image.mode.startswith("I;16"):
        values = np.asarray(image).astype(np.float32)
        return _of(values if form.is_deep else np.rint(values * (255 / DEEP)).astype(np.uint8))
    if image.has_transparency_data:
        return image if image.mode == "RGBA" else image.convert("RGBA")
    if image.mode in {"L", "RGB"}:
        return image
    return image.convert("L" if image.mode in COLOURLESS else "RGB")


def _in_mode(image: "Image", form: Form) -> "Image":
    """The form's mode, of a plain picture."""
    if image.mode == "F":
        return image
    shown = image
    if image.mode == "RGBA" and form.channels != len("RGBA"):
        library = pillow()
        shown = library.alpha_composite(library.new("RGBA", image.size, WHITE), image)
    mode = {1: "L", 3: "RGB", 4: "RGBA"}[form.channels]
    shown = shown if shown.mode == mode else shown.convert(mode)
    return _of(np.asarray(shown).astype(np.float32) * (DEEP // 255)) if form.is_deep else shown


def _of(values: NDArray[Any]) -> "Image":
    image: Image = pillow().fromarray(values)
    return image


def _turned(values: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Turns the picture as the EXIF tag wants it, which counts eight ways to hold a camera."""
    if orientation >= ON_ITS_SIDE:
        values = values.swapaxes(0, 1)
    if orientation in {3, 4, 7, 8}:
        values = values[::-1]
    if orientation in {2, 3, 6, 7}:
        values = values[:, ::-1]
    return values
