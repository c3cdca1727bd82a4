"""JSON bodies -> raw values.

The text is taken apart before anything is built of it: what stands around the rows is a small
document of its own, the rows without their numbers must equal the brackets and commas of the
model's shape, and only then their numbers are read (json_numbers.py). So a body that is not of the
shape costs no more than a look at its text. Small ones are then read once more to find out
what is wrong (json_exact.py); large ones are read in steps (json_steps.py).
"""

import math
from functools import lru_cache
from typing import NamedTuple

from pydantic import ValidationError

from app.errors import BadRequest
from app.prediction.inputs import Read
from app.prediction.json_exact import document_of, read_exactly
from app.prediction.json_numbers import numbers_in
from app.prediction.schemas import PredictIn
from app.prediction.shapes import brackets, skeleton_of, taken_shapes

FRAME_BYTES = 256


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
