"""A model's shape, and how inputs of it look as text."""

from collections.abc import Sequence
from functools import lru_cache

from app.errors import Invalid, invalid
from app.inputs.dense import taken_shapes

SHOWN_LENGTHS = 8
_NUMBERS_AND_SPACE = b"0123456789+-.eE \t\r\n"


@lru_cache(maxsize=256)
def brackets(shape: tuple[int, ...]) -> bytes:
    """Brackets of an array of this shape, without its numbers; () is a number alone."""
    if not shape:
        return b""
    return b"[" + b",".join([brackets(shape[1:])] * shape[0]) + b"]"


def skeleton_of(text: bytes) -> bytes:
    """The text without its numbers."""
    return text.translate(None, _NUMBERS_AND_SPACE)


def wrong_shape(shape: tuple[int, ...], got: Sequence[int], pointer: str) -> Invalid:
    """`got`: the lengths that came, the number of inputs first."""
    shown = list(got) if len(got) <= SHOWN_LENGTHS else f"{len(got)} dimensions"
    return invalid("wrong_shape", f"{expected_shape(shape)}, got {shown}", pointer)


def expected_shape(shape: tuple[int, ...]) -> str:
    listed = " or ".join(f"[n, {', '.join(map(str, taken))}]" for taken in taken_shapes(shape))
    return f"expected inputs of shape {listed}"
