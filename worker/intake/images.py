"""Pictures of any numeric type -> one .npy of uint8 or float32, (items, height, width, channels).

A few megabytes at a time; what the profile needs is counted on the way. Integers wider than a byte
are looked through once before, as they are stored as uint8 where they fit it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from app.errors import Invalid
from app.inputs.dense import DenseInputs
from app.inputs.mapped import let_go
from app.inputs.value_range import ValueStatistics
from worker.intake.raw import Array, refuse

CHUNK_VALUES = 2**22
BYTE = np.dtype(np.uint8)


@dataclass(frozen=True)
class Scan:
    """Record of what one pass saw of a split's values as they are stored."""

    low: float
    high: float
    constant: int  # pictures of one value only
    hashes: NDArray[np.uint64]  # (items,), equal for equal pictures
    is_whole: bool  # every value is a whole number

    @property
    def values(self) -> ValueStatistics:
        return ValueStatistics(self.low, self.high, self.is_whole)


def laid_out(images: Array, modality: type[DenseInputs], name: str) -> Array:
    """Returns a view, (items, *shape), of a numeric type, as items of a modality."""
    if images.dtype.kind not in "biuf":
        refuse("wrong_type", f"expected numbers in {name}, got {images.dtype}", name)
    try:
        shape = modality.item_shape(images.shape, name)
    except Invalid as wrong:
        refuse(wrong.code, wrong.detail, name)
    return images.reshape(len(images), *shape)


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
        let_go(images)


def store_labels(labels: NDArray[Any], target: Path) -> None:
    with target.open("wb") as output:
        npy.write_array(output, labels, allow_pickle=False)


def _write_header(output: Any, dtype: np.dtype[Any], shape: tuple[int, ...]) -> None:
    header = {"descr": npy.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    npy.write_array_header_1_0(output, header)
