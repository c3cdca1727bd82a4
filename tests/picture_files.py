"""Files of pictures and archives of them, made on the spot."""

import io
import tarfile
from collections.abc import Mapping
from typing import Any
from zipfile import ZipFile, ZipInfo

import numpy as np
from PIL import Image

ORIENTATION = 0x0112


def picture(side: int = 8, value: int = 0, seed: int | None = None) -> Image.Image:
    """An RGB picture of noise around a value, or of the value alone."""
    values = np.full((side, side, 3), value, np.uint8)
    if seed is not None:
        values = np.random.default_rng(seed).integers(0, 256, values.shape).astype(np.uint8)
    return Image.fromarray(values)


def file_of(image: Image.Image, kind: str = "PNG", **said: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **said)
    return stream.getvalue()


def png(seed: int, side: int = 8) -> bytes:
    return file_of(picture(side, seed=seed))


def turned(image: Image.Image, orientation: int, kind: str = "JPEG", **said: Any) -> bytes:
    """With the EXIF tag that tells how the camera was held."""
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return file_of(image, kind, exif=exif, **said)


def quarters() -> Image.Image:
    """(12 high, 20 wide), of four greys: no two ways to turn it look the same."""
    values = np.zeros((12, 20), np.uint8)
    values[:6, :10], values[:6, 10:], values[6:, :10], values[6:, 10:] = 40, 90, 150, 220
    return Image.fromarray(values)


def zipped(files: Mapping[str | ZipInfo, bytes]) -> bytes:
    stream = io.BytesIO()
    with ZipFile(stream, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def tarred(files: Mapping[str | tarfile.TarInfo, bytes], mode: Any = "w:gz") -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=mode) as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name) if isinstance(name, str) else name
            if isinstance(name, str):
                member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def folders(*classes: str, items: int = 3, top: str = "", seed: int = 0) -> dict[str, bytes]:
    """`class/number.png`, of different pictures."""
    return {
        f"{top}{name}/{number}.png": png(seed + place * 100 + number)
        for place, name in enumerate(classes)
        for number in range(items)
    }
