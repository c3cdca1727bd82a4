"""IDX files, plain or gzipped: MNIST's four (train-images-idx3-ubyte.gz, t10k-labels-…), or fewer,
as labels and a test split may lack. Labels have one dimension; the names tell training from test.
"""

import gzip
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, cast

import numpy as np

from worker.intake.raw import (
    Array,
    Declared,
    IntakeLimits,
    RawArrays,
    RawFile,
    damage_refused,
    inflate,
    refuse,
)
from worker.intake.sizes import check_declared

name = "idx"

DTYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
GZIP_MAGIC = b"\x1f\x8b"
TEST_NAME = re.compile(r"t10k|test", re.IGNORECASE)
IDX_NAME = re.compile(r"idx\d?|-ubyte", re.IGNORECASE)


def recognises(files: Sequence[RawFile]) -> bool:
    return bool(files) and all(_is_idx(file) for file in files)


def _is_idx(file: RawFile) -> bool:
    with file.path.open("rb") as stream:
        start = stream.read(4)
    is_header = len(start) == 4 and start[:2] == b"\0\0" and start[2] in DTYPES
    return bool(IDX_NAME.search(file.name)) or is_header or start[:2] == GZIP_MAGIC


def read(files: Sequence[RawFile], limits: IntakeLimits, workdir: Path) -> RawArrays:
    headers = {role: (file, header) for role, file, header in _roles(files)}
    for role in ("x_train", "x_test") if "y_test" in headers else ("x_train",):
        if role not in headers:
            held = ", ".join(
                f"`{file.name}`, which holds {_kind(header)} {header.shape}"
                for file, header in headers.values()
            )
            detail = f"expected a file of images for the {role[2:]} split, got: {held}"
            if not any(name.startswith("x_") for name in headers):
                detail = f"no pictures came: {detail}"
            refuse("missing_array", detail, role)
    packed = sum(file.path.stat().st_size for file in files)
    check_declared([header for _, header in headers.values()], packed, limits)
    arrays = {
        role: _read_array(file, header, workdir / f"raw_{role}")
        for role, (file, header) in headers.items()
    }
    return RawArrays(
        arrays["x_train"], arrays.get("y_train"), arrays.get("x_test"), arrays.get("y_test")
    )


def _roles(files: Sequence[RawFile]) -> Iterator[tuple[str, RawFile, Declared]]:
    """`x_train` and so on, each once."""
    named: dict[str, str] = {}
    for file in files:
        with damage_refused(file.name), _open(file.path) as stream:
            header = _header(stream, file.name)
        split = "test" if TEST_NAME.search(file.name) else "train"
        role = f"{'y' if len(header.shape) == 1 else 'x'}_{split}"
        if role in named:
            what = "labels (one dimension)" if role[0] == "y" else "images"
            detail = (
                f"expected one file of {what} for the {split} split, got `{named[role]}` and "
                f"`{file.name}`; a name with `t10k` or `test` in it is of the test split"
            )
            if role[0] == "y" and f"x_{split}" not in named:
                detail = f"no pictures came: {detail}"
            refuse("unknown_format", detail, role)
        named[role] = file.name
        yield role, file, header


def _kind(header: Declared) -> str:
    return "labels" if len(header.shape) == 1 else "images"


def _read_array(file: RawFile, header: Declared, target: Path) -> Array:
    with damage_refused(file.name), _open(file.path) as stream:
        _header(stream, file.name)
        return inflate(stream, header, target)


def _header(stream: IO[bytes], file: str) -> Declared:
    start = stream.read(4)
    if len(start) < 4:
        raise EOFError("it ends within its header")
    if start[:2] != b"\0\0" or start[2] not in DTYPES or not start[3]:
        detail = f"expected an IDX file, got `{file}`, which starts with {start.hex(' ')}"
        refuse("unknown_format", detail)
    dimensions = stream.read(4 * start[3])
    if len(dimensions) < 4 * start[3]:
        raise EOFError("it ends within its header")
    shape = tuple(int(length) for length in np.frombuffer(dimensions, ">u4"))
    return Declared(file, shape, np.dtype(DTYPES[start[2]]))


def _open(path: Path) -> IO[bytes]:
    with path.open("rb") as stream:
        is_gzip = stream.read(2) == GZIP_MAGIC
    return cast("IO[bytes]", gzip.open(path)) if is_gzip else path.open("rb")
