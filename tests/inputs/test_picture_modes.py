"""Pictures of other modes, depths and sizes, and bytes that are none."""

import struct
import subprocess
import sys
import zlib
from base64 import b64decode
from contextlib import suppress
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from app.errors import Invalid
from app.inputs.image import ImageInputs
from app.inputs.picture_files import UnreadablePicture, has_pages
from app.inputs.pictures import Form, look, pixels, prepare, prepare_all
from tests.picture_files import file_of, picture, quarters

ROUND = Form(8, 8, 3)

HEIC = (  # 24 x 16, red above blue, laid on its side by its EXIF
    "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAcdtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAA"
    "AAAAAAAAADRpbG9jAAAAAERAAAIAAQAAAAAB6wABAAAAAAAAAEAAAgAAAAACKwABAAAAAAAAACQAAAA4aWluZgAAAAAA"
    "AgAAABVpbmZlAgAAAAABAABodmMxAAAAABVpbmZlAgAAAQACAABFeGlmAAAAAA5waXRtAAAAAAABAAABBmlwcnAAAADl"
    "aXBjbwAAAHVodmNDAQNwAAAAkAAAAAAAHvAA/P34+AAADwNgAAEAGEABDAH//wNwAAADAJAAAAMAAAMAHroCQGEAAQAp"
    "QgEBA3AAAAMAkAAAAwAAAwAeoCCBBZbqrprm4CGgwIAAAAyAAAADAIRiAAEABkQBwXPBiQAAABNjb2xybmNseAABAA0A"
    "BoAAAAAUaXNwZQAAAAAAAABAAAAAQAAAAChjbGFwAAAAGAAAAAEAAAAQAAAAAf///9gAAAAC////0AAAAAIAAAAQcGl4"
    "aQAAAAADCAgIAAAACWlyb3QDAAAAGWlwbWEAAAAAAAAAAQABBoECAwWEhgAAABppcmVmAAAAAAAAAA5jZHNjAAIAAQAB"
    "AAAAbG1kYXQAAAA8KAGvUhbSLOiLgQD707Np8LP/Q/Gydwk28egkLtXQtjuuvfQjZU8/bNhJ1NFZTJc7QJSr+opygImw"
    "uiwwAAAABkV4aWYAAE1NACoAAAAIAAEBEgADAAAAAQAGAAAAAAAA"
)


def reason(data: bytes, form: Form = ROUND) -> str:
    with pytest.raises(UnreadablePicture) as wrong:
        pixels(data, form)
    return wrong.value.reason


def png_header(width: int, height: int) -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        crc = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + crc

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    rows = chunk(b"IDAT", zlib.compress(bytes(100)))
    return b"\x89PNG\r\n\x1a\n" + header + rows + chunk(b"IEND", b"")


def test_cmyk_becomes_rgb() -> None:
    data = file_of(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "JPEG", quality=100)
    assert np.abs(pixels(data, ROUND)[0, 0].astype(int) - (255, 0, 0)).max() < 6


def test_one_bit_and_palettes_of_grey_are_grey() -> None:
    assert look(file_of(Image.new("1", (8, 8), 1))).is_grey
    grey = quarters().convert("P")
    for kind in ("PNG", "GIF", "TIFF", "BMP"):
        assert look(file_of(grey, kind)).is_grey
        assert not look(file_of(picture(8, seed=0).quantize(8), kind)).is_grey
    assert not look(file_of(picture(8))).is_grey
    assert pixels(file_of(Image.new("1", (8, 8), 1)), Form(8, 8, 1)).min() == 255


def test_the_first_frame_of_an_animation() -> None:
    frames = [picture(8, value) for value in (30, 200)]
    data = file_of(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert look(data).is_moving
    assert np.abs(pixels(data, ROUND).astype(int) - 30).max() <= 1


@pytest.mark.parametrize("order", ["little", "big"])
def test_the_first_page_of_a_stack(order: Literal["little", "big"]) -> None:
    pages = [picture(8, value) for value in (30, 200)]
    stack = file_of(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    assert look(stack).is_moving
    assert np.abs(pixels(stack, ROUND).astype(int) - 30).max() <= 1
    assert not look(file_of(pages[0], "TIFF")).is_moving
    assert has_pages(_tiff_of(order, is_last=False))
    assert not has_pages(_tiff_of(order, is_last=True))
    assert not has_pages(_tiff_of(order, is_last=False)[:9])


def _tiff_of(order: Literal["little", "big"], is_last: bool) -> bytes:
    """A header, one tag and the place of the next page."""
    mark = b"II*\0" if order == "little" else b"MM\0*"
    numbers = [(8).to_bytes(4, order), (1).to_bytes(2, order), b"x" * 12]
    return mark + b"".join(numbers) + (0 if is_last else 200).to_bytes(4, order)


def test_sixteen_bits_keep_their_meaning() -> None:
    values = np.linspace(0, 65535, 64).reshape(8, 8).astype(np.uint16)
    data = file_of(Image.fromarray(values))
    assert look(data).is_deep
    deep = pixels(data, Form(8, 8, 1, is_deep=True))
    assert deep.dtype == np.float32
    assert np.array_equal(deep[..., 0], values)
    narrow = pixels(data, Form(8, 8, 1))
    assert np.array_equal(narrow[..., 0], np.rint(values / 257))
    assert np.array_equal(pixels(data, ROUND)[..., 2], narrow[..., 0])


def test_thirty_two_bits_are_refused() -> None:
    for mode in "IF":
        assert "32-bit" in reason(file_of(Image.new(mode, (8, 8)), "TIFF"))


def test_heic_is_read_and_turned_where_its_extra_is_installed() -> None:
    pytest.importorskip("pi_heif", reason="the extra `heic` is not installed")
    form = Form(height=24, width=16, channels=3)
    found = pixels(b64decode(HEIC), form).astype(float)
    assert found.shape == (24, 16, 3)
    left, right = found[:, 2].mean(axis=0), found[:, -3].mean(axis=0)
    assert np.abs(left - [20, 40, 210]).max() < 12
    assert np.abs(right - [200, 30, 30]).max() < 12
    assert reason(b64decode(HEIC)[:200]) == "a HEIC picture that is damaged or cut off"


def test_without_the_extra_heic_is_refused_with_the_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("app.inputs.picture_files.reads_heic", lambda: False)
    assert "pip install 'ktl[heic]'" in reason(b64decode(HEIC))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "an empty file"),
        (b"MZ\x90\0" + bytes(60), "a program"),
        (b"\x7fELF" + bytes(60), "a program"),
        (b"#!/bin/sh\nrm -rf /\n", "a script"),
        (b"<!doctype html><html></html>", "a web page"),
        (b"PK\x03\x04" + bytes(60), "an archive inside"),
        (b"%PDF-1.7", "a PDF"),
        (b"\0\0\0\x18ftypheic" + bytes(60), "HEIC"),
        (b"\0\0\0\x18ftypmp42" + bytes(60), "a video"),
        (b"\x89PNG\r\n\x1a\n", "a PNG picture whose header is damaged"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n", "no known format"),
        (bytes(range(256)), "no known format"),
    ],
)
def test_what_is_no_picture_is_called_by_its_name(data: bytes, words: str) -> None:
    assert words in reason(data)


def test_damage_is_told() -> None:
    whole = file_of(picture(64, seed=0), "JPEG")
    assert reason(whole[: len(whole) // 2]) == "a picture that is cut off"
    packed = bytearray(file_of(quarters().resize((200, 200))))
    packed[60:90] = b"\xff" * 30
    assert "damaged" in reason(bytes(packed))


@pytest.mark.parametrize("size", [(100_000, 100_000), (9000, 9000), (2**31 - 1, 1)])
def test_pixel_bombs_are_refused_before_they_are_decoded(size: tuple[int, int]) -> None:
    assert "million pixels" in reason(png_header(*size))


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")  # as `pillow` does once for a process
def test_damaged_exif_turns_nothing() -> None:
    data = file_of(quarters(), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff", quality=100)
    assert pixels(data, Form(12, 20, 1)).shape == (12, 20, 1)


def test_a_picture_for_a_model_of_8_bits() -> None:
    inputs = ImageInputs(shape=(8, 8, 3), dtype="uint8", value_range=(0, 255))
    image = picture(8, seed=3)
    got = prepare(file_of(image), inputs)
    assert got.dtype == np.uint8
    assert np.array_equal(got, np.asarray(image))


def test_a_picture_for_a_model_of_float_pixels() -> None:
    image = picture(8, seed=3)
    for low, high in ((0.0, 1.0), (-1.0, 1.0), (0.0, 4095.0)):
        inputs = ImageInputs(shape=(8, 8, 3), dtype="float32", value_range=(low, high))
        got = prepare(file_of(image), inputs)
        assert got.dtype == np.float32
        assert np.allclose(got, np.asarray(image) / 255 * (high - low) + low, atol=1e-3)


def test_a_deep_picture_for_a_model_of_such_keeps_its_values() -> None:
    values = np.arange(64, dtype=np.uint16).reshape(8, 8) * 60
    data = file_of(Image.fromarray(values))
    deep = ImageInputs(shape=(8, 8, 1), dtype="float32", value_range=(0, 4095))
    assert np.array_equal(prepare(data, deep)[..., 0], values)
    unit = ImageInputs(shape=(8, 8, 1), dtype="float32", value_range=(0, 1))
    assert np.allclose(prepare(data, unit)[..., 0], np.rint(values / 257) / 255, atol=1e-6)


def test_several_pictures_and_a_pointer_to_the_wrong_one() -> None:
    inputs = ImageInputs(shape=(8, 8, 1), dtype="uint8", value_range=(0, 255))
    good = file_of(picture(20, 7))
    assert prepare_all([good, good], inputs)["image"].shape == (2, 8, 8, 1)
    with pytest.raises(Invalid) as refused:
        prepare_all([good, b"<html>"], inputs)
    assert refused.value.code == "unreadable_picture"
    assert refused.value.findings[0].pointer == "#/file/1"
    assert refused.value.findings[0].detail == "expected a picture, got a web page"


def test_without_pillow_the_answer_says_what_to_install() -> None:
    program = """
import sys
sys.modules["PIL"] = None
from app.errors import UnsupportedMedia
from app.inputs.image import ImageInputs
from app.inputs.pictures import prepare
try:
    prepare(b"", ImageInputs(shape=(8, 8, 1), dtype="uint8"))
except UnsupportedMedia as refused:
    print(refused.status, refused.code, "ktl[pictures]" in refused.detail)
"""
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=root
    )
    assert done.stdout.split() == ["415", "pictures_unavailable", "True"]


WHOLE = [
    file_of(picture(12, seed=1).quantize(16) if kind == "GIF" else picture(12, seed=1), kind)
    for kind in ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "JPEG2000")
]


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=300, deadline=None)
@given(st.data())
def test_damaged_bytes_are_pixels_or_unreadable(data: st.DataObject) -> None:
    content = bytearray(data.draw(st.sampled_from(WHOLE)))
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=6)):
        content[place] = data.draw(st.integers(0, 255))
    content = content[: data.draw(st.integers(0, len(content))) or None]
    for read in (look, lambda given: pixels(given, ROUND)):
        with suppress(UnreadablePicture):
            assert read(bytes(content)) is not None


def test_a_jpeg_of_too_many_scans_is_refused_before_it_is_decoded() -> None:
    """Each scan goes over all pixels: a small file would keep a decoder busy for minutes."""
    whole = file_of(Image.new("RGB", (1024, 1024)), "JPEG", progressive=True)
    last = whole[whole.rindex(b"\xff\xda") : -2]
    assert pixels(whole, Form(8, 8, 3)).shape == (8, 8, 3)
    with pytest.raises(UnreadablePicture) as refused:
        pixels(whole[:-2] + last * 1100 + b"\xff\xd9", Form(8, 8, 3))
    assert "scans" in refused.value.reason
