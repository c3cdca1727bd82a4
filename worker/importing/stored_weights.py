"""model.weights.h5, read as plain arrays of the shapes that a network has, and nothing more.

HDF5 can point to other files and to devices in many ways, and can say that a few bytes are
terabytes. Everything in the file is looked at before anything is read, and what is read is of the
shape that the network's own variables have.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from worker.importing.archive import WEIGHTS
from worker.importing.refusing import refused

Array = NDArray[np.float32]

MOST_OBJECTS = 50_000
DEEPEST = 40
MOST_CHUNK_BYTES = 2**28  # each is inflated as a whole, however little of it is asked for
# Deflate, shuffle and a checksum: of others HDF5 would load a library that it looks for.
FILTERS = frozenset({h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_FLETCHER32})
KINDS = frozenset("fiu")


class StoredWeights:
    """The arrays of a file whose every object was looked at."""

    def __init__(self, file: h5py.File) -> None:
        self._arrays = {path: each for path, each in _objects(file) if each is not None}

    def of(self, group: str, shapes: Sequence[tuple[int, ...]]) -> list[Array]:
        """The arrays of a layer, float32. Raises WorkFailure where they are not of these shapes, or
        not finite."""
        paths = [f"{group}/vars/{number}" for number in range(len(shapes))]
        if f"{group}/vars/{len(shapes)}" in self._arrays:
            detail = f"expected {len(shapes)} arrays of this layer, got more"
            raise refused("weights_do_not_fit", detail, WEIGHTS, *group.split("/"))
        return [self._read(path, shape) for path, shape in zip(paths, shapes, strict=True)]

    def _read(self, path: str, shape: tuple[int, ...]) -> Array:
        stored = self._arrays.get(path)
        if stored is None or stored.shape != shape:
            got = "none" if stored is None else str(stored.shape)
            detail = f"expected an array of the shape {shape}, as its layer has it, got {got}"
            raise refused("weights_do_not_fit", detail, WEIGHTS, *path.split("/"))
        values = np.asarray(stored[()], np.float32)
        if not np.isfinite(values).all():
            detail = "expected finite weights, got some that are not"
            raise refused("not_finite", detail, WEIGHTS, *path.split("/"))
        return values


@contextmanager
def stored_weights(path: Path) -> Iterator[StoredWeights]:
    """Raises WorkFailure `model_invalid`, whatever the bytes are."""
    try:
        with h5py.File(path, "r", driver="sec2", locking=False) as file:
            yield StoredWeights(file)
    except (OSError, RuntimeError, KeyError, ValueError, TypeError) as error:
        detail = "expected an HDF5 file of weights that can be read, got one that is damaged"
        raise refused("weights_unreadable", detail, WEIGHTS) from error


def _objects(file: h5py.File) -> Iterator[tuple[str, Any]]:
    """Every object by its path, an array as such, a group as None."""
    stack: list[tuple[str, h5py.Group, int]] = [("", file, 0)]
    seen = 0
    while stack:
        before, group, depth = stack.pop()
        if depth == DEEPEST:
            raise refused("weights_unreadable", f"expected at most {DEEPEST} levels", WEIGHTS)
        for name in group:
            seen += 1
            if seen > MOST_OBJECTS:
                detail = f"expected at most {MOST_OBJECTS} objects, got more"
                raise refused("weights_unreadable", detail, WEIGHTS)
            link = group.get(name, getlink=True)
            if not isinstance(link, h5py.HardLink):
                detail = "expected no links, to other files least of all"
                raise refused("link_in_weights", detail, WEIGHTS)
            found, path = group[name], f"{before}/{name}" if before else name
            if isinstance(found, h5py.Group):
                stack.append((path, found, depth + 1))
                yield path, None
            elif isinstance(found, h5py.Dataset):
                _check(found)
                yield path, found
            else:
                detail = "expected groups and arrays, got something else"
                raise refused("weights_unreadable", detail, WEIGHTS)


def _check(array: h5py.Dataset) -> None:
    """Tells whether all of it lies in this file, as numbers, unpacked by HDF5 itself."""
    plan = array.id.get_create_plist()
    if plan.get_external_count() or plan.get_layout() == h5py.h5d.VIRTUAL:
        detail = "expected arrays that lie in this file, got one that lies in another"
        raise refused("external_weights", detail, WEIGHTS)
    if any(plan.get_filter(i)[0] not in FILTERS for i in range(plan.get_nfilters())):
        detail = "expected arrays plain or deflated, got another filter"
        raise refused("weights_unreadable", detail, WEIGHTS)
    chunk = prod(array.chunks or ()) * array.dtype.itemsize
    if chunk > MOST_CHUNK_BYTES:
        detail = f"expected chunks of at most {MOST_CHUNK_BYTES} bytes, got larger ones"
        raise refused("weights_unreadable", detail, WEIGHTS)
    is_number = array.dtype.kind in KINDS or array.dtype.name == "bfloat16"
    if not is_number or array.shape is None or prod(array.shape) > 2**40:
        raise refused("weights_unreadable", "expected arrays of numbers", WEIGHTS)
