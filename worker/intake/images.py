"""Pictures of any numeric type -> one .npy of uint8 or float32, (items, height, width, channels).

A few megabytes at a time; what the profile needs is counted on the way. Integers wider than a byte
are looked through once before, as they are stored as uint8 where they fit it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from math import isqrt
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from worker.intake.raw import Array, refuse

CHANNELS = (1, 3, 4)
PIXEL_LIMIT = 2**24  # values in one picture
CHUNK_VALUES = 2**22
BYTE = np.dtype(np.uint8)


@dataclass(frozen=True)
class Scan:
    """What one pass saw of a split's values as they are stored."""

    low: float
    high: float
    constant: int  # pictures of one value only
    hashes: NDArray[np.uint64]  # (items,), equal for equal pictures
    is_whole: bool  # every value is a whole number


def with_channels(images: Array, name: str) -> Array:
    """Returns a view, (items, height, width, channels), of a numeric type."""
    if images.dtype.kind not in "biuf":
        refuse("wrong_type", f"expected numbers in {name}, got {images.dtype}", name)
    got = images.shape
    if images.ndim == 3:
        images = images[..., None]
    if images.ndim != 4 or images.shape[3] not in CHANNELS or not all(images.shape[1:]):
        detail = (
            f"expected images of the shape (items, height, width) or (items, height, width, "
            f"channels) with 1, 3 or 4 channels in {name}, got {got}{_cure(got, name)}"
        )
        refuse("shape_mismatch", detail, name)
    values = int(np.prod(images.shape[1:], dtype=object))
    if values > PIXEL_LIMIT:
        detail = f"expected at most {PIXEL_LIMIT} values an image in {name}, got {values}"
        refuse("too_large", detail, name)
    return images


def _cure(shape: tuple[int, ...], name: str) -> str:
    """What makes images of an array of that shape, where that can be told."""
    if len(shape) == 4 and shape[1] in CHANNELS:
        return f"; move the channels to the last axis: {name}.transpose(0, 2, 3, 1)"
    if len(shape) == 1:
        labels = name.replace("x", "y", 1)
        return f"; one dimension is what labels have: are {name} and {labels} swapped?"
    if len(shape) == 2:
        for channels in CHANNELS:
            side = isqrt(shape[1] // channels)
            if side and side * side * channels == shape[1]:
                sizes = (side, side) if channels == 1 else (side, side, channels)
                return f"; if they are square, {name}.reshape{(-1, *sizes)} gives them their sides"
    return ""


def stored_type(splits: Iterable[Array]) -> np.dtype[Any]:
    """The one type of all splits: uint8 for whole numbers from 0 to 255 of any integer type."""
    fits = all(_fits_byte(images) for images in splits)
    return BYTE if fits else np.dtype(np.float32)


def _fits_byte(images: Array) -> bool:
    if images.dtype.kind == "f":
        return False
    return images.dtype in (BYTE, np.bool) or all(
        chunk.min() >= 0 and chunk.max() <= np.iinfo(BYTE).max
        for chunk in _chunks(images, None, images.dtype)
    )


@np.errstate(over="ignore", invalid="ignore")  # counted instead, and refused
def store(
    images: Array,
    rows: NDArray[np.intp] | None,
    dtype: np.dtype[Any],
    name: str,
    target: Path,
) -> Scan:
    """Writes the chosen rows (None: all) in their order. Refuses what is not a finite float32."""
    items = len(images) if rows is None else len(rows)
    hashes = np.empty(items, np.uint64)
    low, high, constant, bad, done = np.inf, -np.inf, 0, 0, 0
    is_whole = True
    with target.open("wb") as output:
        _write_header(output, dtype, (items, *images.shape[1:]))
        for chunk in _chunks(images, rows, dtype):
            output.write(chunk.data)
            flat = chunk.reshape(len(chunk), -1)
            lows, highs = flat.min(axis=1), flat.max(axis=1)
            bad += flat.size - int(np.isfinite(flat).sum())
            low, high = min(low, float(lows.min())), max(high, float(highs.max()))
            constant += int((lows == highs).sum())
            is_whole = is_whole and (dtype == BYTE or bool((flat == np.rint(flat)).all()))
            for row in flat:
                hashes[done] = int.from_bytes(blake2b(row.data, digest_size=8).digest(), "little")
                done += 1
    if bad:
        detail = f"expected finite numbers within float32's range in {name}, got {bad} that are not"
        refuse("not_a_number", detail, name)
    return Scan(low, high, constant, hashes, is_whole)


def _chunks(images: Array, rows: NDArray[np.intp] | None, dtype: np.dtype[Any]) -> Iterator[Array]:
    items = len(images) if rows is None else len(rows)
    step = max(1, CHUNK_VALUES // int(np.prod(images.shape[1:])))
    for start in range(0, items, step):
        chosen = slice(start, start + step) if rows is None else rows[start : start + step]
        yield np.ascontiguousarray(images[chosen], dtype)


def store_labels(labels: NDArray[Any], target: Path) -> None:
    with target.open("wb") as output:
        npy.write_array(output, labels, allow_pickle=False)


def _write_header(output: Any, dtype: np.dtype[Any], shape: tuple[int, ...]) -> None:
    header = {"descr": npy.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    npy.write_array_header_1_0(output, header)
