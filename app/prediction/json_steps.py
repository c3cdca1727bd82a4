"""Large JSON bodies, read in steps: what others asked goes between them."""

import math
from collections.abc import Generator

import numpy as np
import numpy.typing as npt

from app.errors import Invalid, invalid
from app.inputs.dense import taken_shapes
from app.prediction.inputs import Raw
from app.prediction.json_envelope import Envelope, Frame, document_of
from app.prediction.json_numbers import numbers_in
from app.prediction.protocols.contract import Read
from app.prediction.shapes import brackets, expected_shape, skeleton_of

STEP_BYTES = 2**16  # of text that one step takes: about 0.2 ms
_CLOSING = ord("]")
LONGEST_NUMBER = 2**10  # bytes, with the space around it


def read_in_steps(
    body: bytes | bytearray, envelope: Envelope, shape: tuple[int, ...]
) -> Generator[None, None, Read]:
    """Reads large bodies: others go between the steps. Raises BadRequest or Invalid."""
    start, end = envelope.cut(body)
    if not end or len(body) - (end - start) > envelope.frame_bytes:
        wanted = f"{expected_shape(shape)} in {envelope.rows_in}, and little beside them"
        detail = f"{wanted}, got other text. {envelope.advice}"
        raise invalid("wrong_shape", detail, "#")
    _, frame = envelope.look(document_of(bytes(body[: start + 1] + body[end:])), True)
    if frame.stated is not None:
        frame.stated.check_shape(shape)
    first = body[start + 1 : start + 1 + STEP_BYTES].lstrip()[:1]
    is_flat = frame.stated is not None and first != b"["
    taker = (_Flat if is_flat else _RowTaker)(shape, frame, envelope.advice)
    for at in range(start + 1, end, STEP_BYTES):
        taker.take(bytes(body[at : min(at + STEP_BYTES, end)]))
        yield
    return frame.read(taker.finish(), shape if is_flat else ())


class _Taker:
    """What both layouts share: the parts that were read, and the problem with what was not."""

    def __init__(self, shape: tuple[int, ...], frame: Frame, advice: str) -> None:
        self._shape, self._frame, self._advice = shape, frame, advice
        self._parts: list[Raw] = []
        self._read = 0  # rows

    def _keep(self, part: Raw, flat: tuple[int, ...] = ()) -> None:
        self._parts.append(self._frame.checked(part, flat, self._read))
        self._read += len(part)

    def _unlike(self, row: int, flat: tuple[int, ...] = ()) -> Invalid:
        detail = (
            f"{expected_shape(self._shape)}, got something else in or after input {row}. "
            f"{self._advice}"
        )
        place = self._frame.place._replace(flat=flat)
        return invalid("wrong_shape", detail, place.of(row))


class _RowTaker(_Taker):
    """Takes the text of nested rows as it comes, and holds it against the shape."""

    def __init__(self, shape: tuple[int, ...], frame: Frame, advice: str) -> None:
        super().__init__(shape, frame, advice)
        self._expected = [brackets(taken) + b"," for taken in taken_shapes(shape)]
        self._skeleton_bytes = 0
        self._text = bytearray()  # of rows that are not complete
        self._closed = 0  # brackets in it

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
            self._keep(self._values(bytes(self._text) + text[:end], complete))
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
        """Values of complete rows, with the comma before them that follows earlier ones."""
        if self._read:
            before, _, text = text.partition(b",")
            if before.strip():
                raise self._unlike(self._read)
        numbers = numbers_in(b"[" + text + b"]")
        if numbers is None or len(numbers) != rows * math.prod(self._shape):
            raise self._unlike(self._read)
        return numbers.reshape(rows, *self._shape)


class _Flat(_Taker):
    """Takes the text of one list, which holds the numbers of all rows, as it comes."""

    def __init__(self, shape: tuple[int, ...], frame: Frame, advice: str) -> None:
        super().__init__(shape, frame, advice)
        self._text = bytearray()  # of a number that may not be complete
        self._numbers: list[npt.NDArray[np.float64]] = []  # of a row that is not complete
        self._count = 0  # of these

    def take(self, text: bytes) -> None:
        """Raises Invalid."""
        if skeleton_of(text).strip(b",") or len(self._text) > LONGEST_NUMBER:
            raise self._unlike(self._read, self._shape)
        before, comma, after = text.rpartition(b",")
        if comma:
            self._take(bytes(self._text) + before)
            self._text = bytearray(after)
        else:
            self._text += text

    def finish(self) -> list[Raw]:
        """Raises Invalid."""
        self._take(bytes(self._text))
        if self._count and self._frame.stated is not None:
            got = self._read * math.prod(self._shape) + self._count
            raise self._frame.stated.wrong_count(got, self._frame.place)
        return self._parts

    def _take(self, text: bytes) -> None:
        """Takes complete numbers, with commas between them."""
        numbers = numbers_in(b"[" + text + b"]")
        if numbers is None or len(numbers) != text.count(b",") + 1:
            raise self._unlike(self._read, self._shape)
        self._numbers.append(numbers)
        self._count += len(numbers)
        size = math.prod(self._shape)
        if rows := self._count // size:
            values = np.concatenate(self._numbers)
            self._numbers, self._count = [values[rows * size :]], self._count % size
            self._keep(values[: rows * size].reshape(rows, *self._shape), self._shape)


def _equal_bytes(one: bytes, other: bytes) -> int:
    """How many at the beginning; the two are equally long, and not equal."""
    return int((np.frombuffer(one, np.uint8) != np.frombuffer(other, np.uint8)).argmax())
