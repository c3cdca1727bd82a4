"""Types that a format's reader gets and gives, and the refusal of bad input."""

import errno
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from lzma import LZMAError
from math import prod
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal, NoReturn, Protocol
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from app.errors import FailureCode, Finding, WorkFailure
from app.settings import Settings

if TYPE_CHECKING:
    from worker.intake.item_columns import ItemColumns

Array = NDArray[Any]
CHUNK_BYTES = 2**20
NAME_CHARACTERS = 200  # of a class, an array or a file


@dataclass(frozen=True)
class RawFile:
    name: str  # as the user called it
    path: Path


@dataclass(frozen=True)
class IntakeLimits:
    """Bounds of what one dataset may hold, checked before anything inflates and before anything is
    stored."""

    items: int
    bytes: int  # of all its arrays, as they come and as they are stored

    @classmethod
    def of(cls, settings: Settings) -> "IntakeLimits":
        return cls(settings.item_limit, settings.dataset_limit_bytes)


@dataclass(frozen=True)
class Declared:
    """An array by its header."""

    name: str  # as the user calls it
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    order: Literal["C", "F"] = "C"

    @property
    def bytes(self) -> int:
        """Inflated; in Python's integers, as a declared shape may be absurd."""
        return prod(self.shape, start=self.dtype.itemsize)


@dataclass(frozen=True)
class PictureFindings:
    """Facts of what became of files of pictures, for the profile.

    facts: as the profile has them under `pictures`.
    warnings: sentences.
    """

    facts: Mapping[str, Any]
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class RawArrays:
    """Arrays as a file holds them, memory-mapped where they are large; nothing is checked yet.

    x: (items, height, width[, channels]); y: (items,) or (items, 1), whole numbers or strings, None
    where a split has no labels. Labels come with their images. known: by split, (items,), whether
    each item has a label, where some have none whatever stands for it.
    """

    x_train: Array
    y_train: Array | None = None
    x_test: Array | None = None
    y_test: Array | None = None
    class_names: Array | None = None  # (classes,), strings, by integer label
    ignored: tuple[str, ...] = ()  # what the file holds besides
    pictures: PictureFindings | None = None  # where they came as files of pictures
    known: Mapping[str, NDArray[np.bool]] = field(default_factory=dict)
    beside: "ItemColumns | None" = None  # columns that the items came with

    def of(self, split: str) -> tuple[Array, Array | None]:
        """x and y of a split that there is."""
        if split == "train":
            return self.x_train, self.y_train
        assert self.x_test is not None
        return self.x_test, self.y_test


class Format(Protocol):
    """A file in this folder is a format; worker/intake/formats.py lists them."""

    @property
    def name(self) -> str: ...

    def recognises(self, files: Sequence[RawFile]) -> bool: ...

    def read(self, files: Sequence[RawFile], limits: IntakeLimits, workdir: Path) -> RawArrays:
        """Inflates into `workdir`. Raises WorkFailure `dataset_invalid`, whatever the bytes are."""
        ...


def refuse(
    reason: str,
    detail: str,
    array: str | None = None,
    findings: Sequence[Finding] = (),
    left_off: int = 0,
) -> NoReturn:
    """`array`: the one that is wrong, as the user calls it; `findings`: each thing that is wrong,
    where there are several, and how many more there are."""
    raise WorkFailure(
        FailureCode.DATASET_INVALID,
        detail,
        stage="intake",
        reason=reason,
        pointer=pointer_to(array),
        findings=findings,
        left_off=left_off,
    )


def pointer_to(array: str | None) -> str:
    token = array and array.replace("~", "~0").replace("/", "~1")  # as RFC 6901 wants it
    return f"#/file/{token}" if token else "#/file"


@contextmanager
def damage_refused(name: str) -> Iterator[None]:
    """Around all that reads a compressed file: these are what damaged bytes raise there."""
    try:
        yield
    except (
        BadZipFile,
        EOFError,
        LZMAError,
        NotImplementedError,  # a compression method or a version that does not exist
        OSError,
        OverflowError,
        RuntimeError,  # "encrypted"
        ValueError,
        zlib.error,
    ) as error:
        if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise  # our disk, not their file
        refuse("truncated_file", f"`{name}` is damaged or cut off: {error}")


def inflate(stream: IO[bytes], declared: Declared, target: Path) -> Array:
    """Streams the rest of `stream` to disk and maps it. It must be as long as was declared."""
    name, shape, dtype, size = declared.name, declared.shape, declared.dtype, declared.bytes
    written = 0
    with target.open("wb") as output:
        while written <= size and (chunk := stream.read(CHUNK_BYTES)):
            output.write(chunk)
            written += len(chunk)
    if written != size:
        got = f"{written}" if written < size else "more"
        refuse("truncated_file", f"expected {size} bytes in `{name}` for {shape}, got {got}", name)
    if not size:  # nothing to map
        return np.zeros(shape, dtype)
    return np.memmap(target, dtype, "r", shape=shape, order=declared.order)
