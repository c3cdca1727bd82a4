"""JSON bodies -> raw values.

The text is taken apart before anything is built of it: what stands around the rows is a small
document of its own, the rows without their numbers must equal the brackets and commas of the
model's shape, and only then simdjson copies their numbers into one buffer. So a body that is not
of the shape costs no more than a look at its text. Small ones are then read once more to find out
what is wrong (json_exact.py); large ones are read in steps (json_steps.py).
"""

import math
import threading
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import simdjson
from pydantic import ValidationError

from app.errors import BadRequest
from app.prediction.inputs import Read
from app.prediction.json_exact import document_of, read_exactly
from app.prediction.schemas import PredictIn
from app.prediction.shapes import brackets, skeleton_of, taken_shapes

FRAME_BYTES = 256
KEPT_PARSER_BYTES = 2**20
_local = threading.local()  # a parser serves one document at a time


class Frame(NamedTuple):
    """What a body says beside its rows."""

    top_k: int | None
    raw_scores: bool


def read(body: bytes, shape: tuple[int, ...]) -> Read:
    """For small bodies, at once. Raises BadRequest or Invalid."""
    return read_plain(body, shape) or read_exactly(body, shape)


def read_plain(body: bytes, shape: tuple[int, ...]) -> Read | None:
    """None where it is not written as the shape must be."""
    start, end = rows_of(body)
    if len(body) - (end - start) > FRAME_BYTES:
        return None
    frame = _frame(body[: start + 1] + body[end:])
    if frame is None:
        return None
    text = body[start : end + 1]
    skeleton = skeleton_of(text)
    rows = _count(skeleton, shape)
    if not rows and (fewer := taken_shapes(shape)[1:]):
        rows = _count(skeleton, *fewer)
    numbers = numbers_in(text) if rows else None
    if numbers is None or len(numbers) != rows * math.prod(shape):
        return None
    return Read([numbers.reshape(rows, *shape)], frame.top_k, frame.raw_scores)


def rows_of(body: bytes | bytearray) -> tuple[int, int]:
    """The first and the last bracket; equal where there are not two."""
    start, end = body.find(b"["), body.rfind(b"]")
    return (start, end) if 0 <= start < end else (0, 0)


@lru_cache(maxsize=256)
def _frame(text: bytes) -> Frame | None:
    """`text`: a body without its rows. None: look closer."""
    try:
        document = document_of(text)
    except BadRequest:
        return None
    if not isinstance(document, dict) or document.get("inputs") != []:
        return None
    try:
        request = PredictIn.model_validate(document | {"inputs": [0]})
    except ValidationError:
        return None
    return Frame(request.top_k, request.raw_scores)


def _count(skeleton: bytes, taken: tuple[int, ...]) -> int:
    """The rows that it consists of, or 0."""
    row = brackets(taken)
    rows = len(skeleton) // (len(row) + 1)
    return rows if skeleton == b"[" + b",".join([row] * rows) + b"]" else 0


def numbers_in(text: bytes) -> npt.NDArray[np.float64] | None:
    """Of nested arrays of numbers, flat; None where it is anything else."""
    try:
        return np.frombuffer(_parser(len(text)).parse(text).as_buffer(of_type="d"))
    except (ValueError, TypeError, RuntimeError):  # simdjson: this is not it
        return None


def _parser(size: int) -> Any:
    """A parser keeps the memory that its largest document took: ten times the text."""
    if size > KEPT_PARSER_BYTES:
        return simdjson.Parser()
    if not hasattr(_local, "parser"):
        _local.parser = simdjson.Parser()
    return _local.parser
