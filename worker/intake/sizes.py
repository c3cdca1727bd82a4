"""Limits of what one dataset may hold: by its headers before anything inflates, and as it is
stored."""

from collections.abc import Collection, Mapping
from math import prod
from typing import Any

import numpy as np

from worker.intake.raw import Declared, IntakeLimits, refuse

DIMENSIONS = 4
RATIO = 200  # times that compressed arrays may grow; pictures do so 2 to 50 times
FREE_BYTES = 2**26  # however well they are compressed
LABEL_BYTES = 4
SETTING = "KTL_DATASET_LIMIT_BYTES"


def check_declared(
    arrays: Collection[Declared], packed: int, limits: IntakeLimits, place: str | None = None
) -> None:
    """Refuses what would inflate to too much. `packed`: bytes of the files that hold the arrays;
    `place`: what is to blame for their sum, by default the largest of them."""
    for array in arrays:
        if len(array.shape) > DIMENSIONS:
            detail = f"expected at most {DIMENSIONS} dimensions, got {len(array.shape)}"
            refuse("shape_mismatch", f"{detail} in `{array.name}`", array.name)
        if array.shape and array.shape[0] > limits.items:
            detail = f"expected at most {limits.items} items, got {_said(array.shape[0])}"
            refuse("too_many_items", f"{detail} in `{array.name}`", array.name)
    size = sum(array.bytes for array in arrays)
    place = place or max(arrays, key=lambda array: array.bytes).name
    if size > limits.bytes:
        detail = (
            f"expected at most {limits.bytes} bytes in all arrays together once inflated, got "
            f"{_said(size)}: upload fewer or smaller pictures, or raise {SETTING} where the "
            "service runs"
        )
        refuse("too_large", detail, place)
    if size > max(FREE_BYTES, RATIO * packed):
        detail = (
            f"expected arrays that grow at most {RATIO} times when they are inflated, got {packed} "
            f"bytes for {size}: upload them uncompressed (np.savez, or without gzip)"
        )
        refuse("too_large", detail, place)


def _said(number: int) -> str:
    return str(number) if number < 2**63 else "far more"


def check_stored(
    shape: tuple[int, ...], dtype: np.dtype[Any], items: Mapping[str, int], limits: IntakeLimits
) -> None:
    """Refuses what would take too much of the store. `shape`, `dtype`: of one picture as it is
    stored; `items`: of each split."""
    total = sum(items.values())
    size = total * (prod(shape, start=dtype.itemsize) + LABEL_BYTES)
    if size > limits.bytes:
        cure = "; values from 0 to 255 as uint8 take a quarter" if dtype.itemsize > 1 else ""
        detail = (
            f"expected at most {limits.bytes} bytes as the dataset is stored, got {size}: {total} "
            f"pictures of the shape {shape} as {dtype}{cure}. Upload fewer or smaller ones, or "
            f"raise {SETTING} where the service runs"
        )
        refuse("too_large", detail, "x_train")
