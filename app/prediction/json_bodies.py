"""JSON bodies -> raw values.

The text is taken apart before anything is built of it: what stands around the rows is a small
document of its own, the rows without their numbers must equal the brackets and commas of the
model's shape, and only then their numbers are read (json_numbers.py). So a body that is not of the
shape costs no more than a look at its text. Small ones are then read once more to find out
what is wrong (json_exact.py); large ones are read in steps (json_steps.py).
"""

import math

from app.inputs.dense import taken_shapes
from app.prediction.json_envelope import Envelope
from app.prediction.json_exact import read_exactly
from app.prediction.json_numbers import numbers_in
from app.prediction.protocols.contract import Read
from app.prediction.shapes import brackets, skeleton_of


def read(body: bytes, envelope: Envelope, shape: tuple[int, ...]) -> Read:
    """Reads small bodies, at once. Raises BadRequest or Invalid."""
    return read_plain(body, envelope, shape) or read_exactly(body, envelope, shape)


def read_plain(body: bytes, envelope: Envelope, shape: tuple[int, ...]) -> Read | None:
    """Returns None where it is not written as the shape must be."""
    start, end = envelope.cut(body)
    if len(body) - (end - start) > envelope.frame_bytes:
        return None
    frame = envelope.glance(body[: start + 1] + body[end:])
    if frame is None:
        return None
    text = body[start : end + 1]
    skeleton = skeleton_of(text)
    rows = _count(skeleton, shape)
    if not rows and (fewer := taken_shapes(shape)[1:]):
        rows = _count(skeleton, *fewer)
    flat: tuple[int, ...] = ()
    if (stated := frame.stated) is not None:
        if not stated.fits(shape):
            return None
        if not rows and _count(skeleton, ()) == math.prod(stated.shape):
            rows, flat = stated.shape[0], shape
        if rows != stated.shape[0]:
            return None
    numbers = numbers_in(text) if rows else None
    if numbers is None or len(numbers) != rows * math.prod(shape):
        return None
    values = numbers.reshape(rows, *shape)
    return frame.read([values if stated is None else frame.checked(values, flat)], flat)


def _count(skeleton: bytes, taken: tuple[int, ...]) -> int:
    """The rows that it consists of, or 0."""
    row = brackets(taken)
    rows, rest = divmod(len(skeleton) - 1, len(row) + 1)
    if rest:
        return 0
    return rows if skeleton == b"[" + ((row + b",") * rows)[:-1] + b"]" else 0
