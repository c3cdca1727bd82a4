""".npy bodies -> raw values, without a copy."""

import io
import math
from functools import lru_cache
from typing import Any

import numpy as np

from app.errors import BadRequest, invalid
from app.inputs.dense import taken_shapes
from app.prediction.inputs import Raw, cut
from app.prediction.shapes import wrong_shape

HEADER_BYTES = 2**14  # numpy itself reads no header of more than 10,000


def read(body: bytes | bytearray, shape: tuple[int, ...]) -> list[Raw]:
    """The header is held against the body's length before anything is looked at.

    Raises BadRequest or Invalid.
    """
    head = _head_of(body)
    got, is_fortran, dtype = _header(head)
    if dtype.kind not in "uif":
        raise invalid(
            "not_a_number", f"expected an array of numbers, got {str(dtype)[:80]}", "#/inputs"
        )
    lengths = [int(length) for length in got]  # True is an integer to numpy
    if not lengths or lengths[0] < 1 or tuple(lengths[1:]) not in taken_shapes(shape):
        raise wrong_shape(shape, lengths, "#/inputs")
    data = memoryview(body)[len(head) :]
    if len(data) != (expected := dtype.itemsize * math.prod(lengths)):
        detail = f"expected {expected} bytes of data for the shape {lengths}, got {len(data)}"
        raise BadRequest("invalid_npy", detail)
    array = np.frombuffer(data, dtype).reshape(lengths, order="F" if is_fortran else "C")
    return cut(array.reshape(-1, *shape))


def _head_of(body: bytes | bytearray) -> bytes:
    """What stands before the data."""
    width = 2 if body[6:7] == b"\x01" else 4
    size = 8 + width + int.from_bytes(body[8 : 8 + width], "little")
    return bytes(body[: min(size, HEADER_BYTES)])


@lru_cache(maxsize=256)  # numpy reads it as Python: that takes longer than all the rest
def _header(head: bytes) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    stream = io.BytesIO(head)
    try:
        version = np.lib.format.read_magic(stream)
        read_header = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }[version]
        return read_header(stream)
    except Exception as error:  # numpy reads the header as Python, and raises what Python raises
        detail = f"expected a .npy file, got other bytes: {str(error)[:200]}"
        raise BadRequest("invalid_npy", detail) from None
