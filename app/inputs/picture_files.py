"""Files of pictures, opened by Pillow (MIT-CMU licence), and what is said of those that are none.

Pillow is loaded when the first picture comes, so that a service which gets none can do without it.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from io import BytesIO
from typing import TYPE_CHECKING, Any, Literal, NoReturn
from zlib import crc32

from app.errors import UnsupportedMedia

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

# Well-known ones alone: some of Pillow's readers start programs, or take anything for theirs.
FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "DIB", "TIFF", "AVIF", "JPEG2000", "PPM")
PIXELS_LIMIT = 2**26  # decoded at once; JPEG decodes at an eighth of its sides where that is enough
FILE_LIMIT_BYTES = 2**26
PNG_START, CHUNK_FRAME = b"\x89PNG\r\n\x1a\n", 12  # a chunk's length, kind and sum
TIFF_ORDERS: dict[bytes, Literal["little", "big"]] = {b"II*\0": "little", b"MM\0*": "big"}
TIFF_ENTRY = 12  # bytes of a tag
SCANNED_LIMIT = 2**30  # pixels of a JPEG, as often as a scan refines them: 16 times the most
SCAN_START = b"\xff\xda"  # stands nowhere else in a JPEG but in its thumbnail
CUT_OFF, DAMAGED = "a picture that is cut off", "a picture whose data are damaged"


class UnreadablePicture(Exception):
    """`reason` ends the sentence "expected a picture, got …"."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@cache
def pillow() -> Any:
    """Raises UnsupportedMedia where it is not installed."""
    try:
        from PIL import Image
    except ModuleNotFoundError as missing:
        detail = (
            "expected JSON or a .npy file: this server reads no files of pictures, as its extra "
            "`pictures` is not installed (pip install 'ktl[pictures]', then start it again)"
        )
        raise UnsupportedMedia("pictures_unavailable", detail) from missing
    Image.init()  # else the first file that is no common picture does, maybe in two threads
    reads_heic()
    warnings.filterwarnings("ignore", module=r"PIL\.")  # damaged EXIF data and the like
    warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
    return Image


@cache
def reads_heic() -> bool:
    """Tells whether HEIC is read, as iPhones save pictures: by libheif (LGPL-3.0), where the extra
    `heic` is installed. It has turned pictures as their EXIF says."""
    try:
        import pi_heif
    except ModuleNotFoundError:
        return False
    pi_heif.register_heif_opener(thumbnails=False, decode_threads=1)
    return True


@contextmanager
def opened(data: bytes) -> "Iterator[ImageFile]":
    """The file's picture, not yet decoded. Raises UnreadablePicture."""
    library = pillow()
    with damage_named(data):
        formats = (*FORMATS, "HEIF") if reads_heic() else FORMATS
        image = library.open(BytesIO(data), formats=formats)
    with image:
        _check_values(image)
        yield image


@contextmanager
def damage_named(data: bytes) -> Iterator[None]:
    """Around what reads the file's bytes: what decoders raise of damaged ones is open."""
    library = pillow()
    try:
        yield
    except MemoryError:
        raise
    except library.DecompressionBombError:
        _refuse_pixels()
    except library.UnidentifiedImageError:
        raise UnreadablePicture(_what(data)) from None
    except Exception as error:
        raise UnreadablePicture(CUT_OFF if "truncated" in str(error) else DAMAGED) from None


def _check_values(image: "ImageFile") -> None:
    if image.mode in {"I", "F"}:
        reason = (
            "32-bit values, which have no common white: save it with 8 or 16 bits, or upload "
            "arrays (.npz)"
        )
        raise UnreadablePicture(reason)


def check_sums(data: bytes) -> None:
    """Checks the sums of a PNG's chunks that a decoder needs: Pillow takes damaged ones for pixels.
    Other files pass. Raises UnreadablePicture."""
    place, whole = len(PNG_START), memoryview(data)
    if not data.startswith(PNG_START):
        return
    while place + CHUNK_FRAME <= len(data):
        end = place + 8 + int.from_bytes(whole[place : place + 4])
        kind = data[place + 4 : place + 8]
        is_needed = kind[:1].isupper()
        if is_needed and crc32(whole[place + 4 : end]) != int.from_bytes(whole[end : end + 4]):
            cut = end + 4 > len(data)
            raise UnreadablePicture(CUT_OFF if cut else DAMAGED)
        place = end + 4


def has_pages(data: bytes) -> bool:
    """Tells whether a TIFF holds several pictures, as stacks of microscopes and scanned documents
    do. Other files do not."""
    order = TIFF_ORDERS.get(data[:4])
    if order is None:
        return False
    start = int.from_bytes(data[4:8], order)
    entries = int.from_bytes(data[start : start + 2], order)
    end = start + 2 + TIFF_ENTRY * entries
    return any(data[end : end + 4])  # where the next one begins


def check_pixels(size: tuple[int, int]) -> None:
    if size[0] * size[1] > PIXELS_LIMIT:
        _refuse_pixels()


def check_scans(data: bytes, size: tuple[int, int]) -> None:
    """Checks the number of scans of a JPEG, whose every scan goes over all its pixels: cameras
    write ten, a small file may hold thousands. Raises UnreadablePicture."""
    scans = data.count(SCAN_START)
    if scans * size[0] * size[1] > SCANNED_LIMIT:
        raise UnreadablePicture(
            f"a JPEG picture of {scans} scans, which takes too long: save it anew"
        )


def _refuse_pixels() -> NoReturn:
    raise UnreadablePicture(
        f"one of more than {PIXELS_LIMIT // 2**20} million pixels: make it smaller"
    )


STARTS = {
    b"MZ": "a program",
    b"\x7fELF": "a program",
    b"#!": "a script",
    b"PK\x03\x04": "an archive inside: unpack it first",
    b"\x1f\x8b": "an archive inside: unpack it first",
    b"Rar!": "an archive inside: unpack it first",
    b"7z\xbc\xaf": "an archive inside: unpack it first",
    b"%PDF": "a PDF document",
    b"<!DOCTYPE": "a web page",
    b"<html": "a web page",
    b"<?xml": "an XML document",
    b"<svg": "a drawing (SVG), which has no pixels",
    b"\x89PNG": "a PNG picture whose header is damaged or cut off",
    b"\xff\xd8": "a JPEG picture whose header is damaged or cut off",
    b"GIF8": "a GIF picture whose header is damaged or cut off",
    b"II*\0": "a TIFF picture that is damaged, or of a kind that is not read",
    b"MM\0*": "a TIFF picture that is damaged, or of a kind that is not read",
}
HEIC = (
    "a HEIC picture, as iPhones save them: export it as JPEG, or install the extra `heic` where "
    "the service runs (pip install 'ktl[heic]', then start it again)"
)
AVIF_BRANDS = {b"avif", b"avis"}
HEIC_BRANDS = {b"heic", b"heix", b"hevc", b"mif1", b"msf1", b"heim", b"heis"}


def _what(data: bytes) -> str:
    """What a file is that is no picture, by its first bytes."""
    if not data:
        return "an empty file"
    if data[4:8] == b"ftyp":
        if data[8:12] in AVIF_BRANDS:
            return "an AVIF picture whose header is damaged or cut off"
        if data[8:12] not in HEIC_BRANDS:
            return "a video"
        return "a HEIC picture that is damaged or cut off" if reads_heic() else HEIC
    start = data[:16].lstrip()
    for known, what in STARTS.items():
        if start.lower().startswith(known.lower()):
            return what
    return "a file of no known format of pictures"
