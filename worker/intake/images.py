"""Pictures of any numeric type -> one .npy of uint8 or float32, (items, height, width, channels).

One pass over the data, a few megabytes at a time; what the profile needs is counted on the way.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from worker.intake.raw import Array, refuse

CHANNELS = (1, 3, 4)
PIXEL_LIMIT = 2**24  # values in one picture
CHUNK_VALUES = 2**22


@dataclass(frozen=True)
class Scan:
    """What one pass saw. Ranges are of the values as stored."""

    low: float
    high: float
    constant: int  # pictures of one value only
    hashes: NDArray[np.uint64]  # (items,), equal for equal pictures


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
            f"channels) with 1, 3 or 4 channels in {name}, got {got}"
        )
        refuse("shape_mismatch", detail, name)
    values = int(np.prod(images.shape[1:], dtype=object))
    if values > PIXEL_LIMIT:
        detail = f"expected at most {PIXEL_LIMIT} values an image in {name}, got {values}"
        refuse("too_large", detail, name)
    return images


def stored_type(images: Array) -> np.dtype[Any]:
    return images.dtype if images.dtype == np.uint8 else np.dtype(np.float32)


@np.errstate(over="ignore", invalid="ignore")  # counted instead, and refused
def store(images: Array, rows: NDArray[np.intp] | None, name: str, target: Path) -> Scan:
    """Writes the chosen rows (None: all) in their order. Refuses what is not a finite float32."""
    items = len(images) if rows is None else len(rows)
    dtype = stored_type(images)
    hashes = np.empty(items, np.uint64)
    low, high, constant, bad, done = np.inf, -np.inf, 0, 0, 0
    with target.open("wb") as output:
        _write_header(output, dtype, (items, *images.shape[1:]))
        for chunk in _chunks(images, rows, dtype):
            output.write(chunk.data)
            flat = chunk.reshape(len(chunk), -1)
            lows, highs = flat.min(axis=1), flat.max(axis=1)
            bad += flat.size - int(np.isfinite(flat).sum())
            low, high = min(low, float(lows.min())), max(high, float(highs.max()))
            constant += int((lows == highs).sum())
            for row in flat:
                hashes[done] = int.from_bytes(blake2b(row.data, digest_size=8).digest(), "little")
                done += 1
    if bad:
        detail = f"expected finite numbers within float32's range in {name}, got {bad} that are not"
        refuse("not_a_number", detail, name)
    return Scan(low, high, constant, hashes)


def _chunks(images: Array, rows: NDArray[np.intp] | None, dtype: np.dtype[Any]) -> Iterator[Array]:
    items = len(images) if rows is None else len(rows)
    step = max(1, CHUNK_VALUES // int(np.prod(images.shape[1:])))
    for start in range(0, items, step):
        chosen = slice(start, start + step) if rows is None else rows[start : start + step]
        yield np.ascontiguousarray(images[chosen], dtype)


def store_labels(labels: NDArray[np.int32], target: Path) -> None:
    with target.open("wb") as output:
        npy.write_array(output, labels, allow_pickle=False)


def _write_header(output: Any, dtype: np.dtype[Any], shape: tuple[int, ...]) -> None:
    header = {"descr": npy.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    npy.write_array_header_1_0(output, header)


def value_range(scan: Scan, dtype: np.dtype[Any]) -> tuple[float, float]:
    """The raw values that become 0 and 1; two different ones, whatever the data are."""
    if dtype == np.uint8:
        return 0.0, 255.0
    if scan.low >= 0 and scan.high <= 1:
        return 0.0, 1.0
    if scan.low < scan.high:
        return scan.low, scan.high
    return min(scan.low, 0.0), max(scan.high, 0.0)
