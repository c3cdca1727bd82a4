"""Large JSON bodies, read in steps: what others asked goes between them."""

import math
from collections.abc import Generator

import numpy as np

from app.errors import Invalid, invalid
from app.prediction.inputs import Raw, Read
from app.prediction.json_bodies import FRAME_BYTES, rows_of
from app.prediction.json_exact import document_of, validated
from app.prediction.json_numbers import numbers_in
from app.prediction.shapes import brackets, expected_shape, skeleton_of, taken_shapes

STEP_BYTES = 2**16  # of text that one step takes: about 0.2 ms
ADVICE = "Send a .npy file, or one input in a body below 64 KiB to be told what is wrong with it"
_CLOSING = ord("]")


def read_in_steps(body: bytes | bytearray, shape: tuple[int, ...]) -> Generator[None, None, Read]:
    """For large bodies: others go between the steps. Raises BadRequest or Invalid."""
    start, end = rows_of(body)
    if not end or len(body) - (end - start) > FRAME_BYTES:
        wanted = f"{expected_shape(shape)} in `inputs`, and little beside them"
        detail = f"{wanted}, got other text. {ADVICE}"
        raise invalid("wrong_shape", detail, "#")
    document = document_of(bytes(body[: start + 1] + body[end:]))
    if isinstance(document, dict) and document.get("inputs") == []:
        document["inputs"] = [0]  # its rows are looked at below
    request = validated(document)
    rows = _Rows(shape)
    for at in range(start + 1, end, STEP_BYTES):
        rows.take(bytes(body[at : min(at + STEP_BYTES, end)]))
        yield
    return Read(rows.finish(), request.top_k, request.raw_scores)


class _Rows:
    """Takes the text of the rows as it comes, and holds it against the shape."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self._shape = shape
        self._expected = [brackets(taken) + b"," for taken in taken_shapes(shape)]
        self._skeleton_bytes = 0
        self._text = bytearray()  # of rows that are not complete
        self._closed = 0  # brackets in it
        self._parts: list[Raw] = []
        self._read = 0  # rows

    def take(self, text: bytes) -> None:
        """Raises Invalid."""
        skeleton = skeleton_of(text)
        self._hold(skeleton)
        self._skeleton_bytes += len(skeleton)
        closed = np.flatnonzero(np.frombuffer(text, np.uint8) == _CLOSING)
        per_row = self._expected[0].count(b"]")
        complete, over = divmod(self._closed + len(closed), per_row)
        if complete:
            end = int(closed[len(closed) - over - 1]) + 1
            self._parts.append(self._values(bytes(self._text) + text[:end], complete))
            self._read += complete
            self._text = bytearray(text[end:])
        else:
            self._text += text
        self._closed = over

    def finish(self) -> list[Raw]:
        """Raises Invalid."""
        is_whole = self._skeleton_bytes % len(self._expected[0]) == len(self._expected[0]) - 1
        if not self._parts or not is_whole or self._text.strip():
            raise self._unlike(self._read)
        return self._parts

    def _hold(self, skeleton: bytes) -> None:
        wanted = {row: self._wanted(row, len(skeleton)) for row in self._expected}
        if fitting := [row for row in self._expected if wanted[row] == skeleton]:
            self._expected = fitting
            return
        equal = max(_equal_bytes(text, skeleton) for text in wanted.values())
        raise self._unlike((self._skeleton_bytes + equal) // len(self._expected[0]))

    def _wanted(self, row: bytes, size: int) -> bytes:
        """The next `size` bytes of rows without their numbers."""
        at = self._skeleton_bytes % len(row)
        return (row * ((at + size) // len(row) + 1))[at : at + size]

    def _values(self, text: bytes, rows: int) -> Raw:
        """Of complete rows, with the comma before them that follows earlier ones."""
        if self._read:
            before, _, text = text.partition(b",")
            if before.strip():
                raise self._unlike(self._read)
        numbers = numbers_in(b"[" + text + b"]")
        if numbers is None or len(numbers) != rows * math.prod(self._shape):
            raise self._unlike(self._read)
        return numbers.reshape(rows, *self._shape)

    def _unlike(self, row: int) -> Invalid:
        detail = (
            f"{expected_shape(self._shape)}, got something else in or after input {row}. {ADVICE}"
        )
        return invalid("wrong_shape", detail, f"#/inputs/{row}")


def _equal_bytes(one: bytes, other: bytes) -> int:
    """How many at the beginning; the two are equally long, and not equal."""
    return int((np.frombuffer(one, np.uint8) != np.frombuffer(other, np.uint8)).argmax())
