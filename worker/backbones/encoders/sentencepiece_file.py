"""A model file of SentencePiece, in the layout of its first releases, read without its library.

It is a message of protobuf: field 1, for each piece, its text (field 1) and its logarithmic
probability (field 2, float32); field 3, how it was trained, whose field 2 is the table by which
texts are normalised, which `tokenizers` reads as it is.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SEVEN_BITS = 0x7F


@dataclass(frozen=True)
class SentencePieceFile:
    """`scores`: (pieces,) float32; `normalising`: the table, as it stands in the file."""

    pieces: tuple[str, ...]
    scores: NDArray[np.float32]
    normalising: bytes

    @classmethod
    def read(cls, path: Path) -> "SentencePieceFile":
        """Raises ValueError where the file is none of this layout."""
        pieces, scores, normalising = list[str](), list[float](), b""
        try:
            for field, content in _fields(path.read_bytes()):
                if field == 1:
                    text, score = _piece(content)
                    pieces.append(text)
                    scores.append(score)
                elif field == 3:
                    normalising = dict(_fields(content)).get(2, b"")
        except (IndexError, struct.error, UnicodeDecodeError) as error:
            raise ValueError(f"{path.name}: expected a SentencePiece model, got {error}") from error
        if not pieces or not normalising:
            raise ValueError(f"{path.name}: expected pieces and a table of normal forms")
        return cls(tuple(pieces), np.array(scores, np.float32), normalising)


def _piece(content: bytes) -> tuple[str, float]:
    text, score = "", 0.0
    for field, value in _fields(content):
        if field == 1:
            text = value.decode()
        elif field == 2:
            (score,) = struct.unpack("<f", value)
    return text, score


def _fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    """Numbers of fields and what they hold; varints are skipped."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        match tag & 7:
            case 0:  # a varint
                _, at = _varint(message, at)
                continue
            case 1:
                length = 8
            case 2:  # its length stands before it
                length, at = _varint(message, at)
            case 5:
                length = 4
            case kind:
                raise struct.error(f"a field of the kind {kind}")
        if at + length > len(message):
            raise struct.error("a message that ends too early")
        yield tag >> 3, message[at : at + length]
        at += length


def _varint(message: bytes, at: int) -> tuple[int, int]:
    """The number that begins there, and where it ends."""
    number = shift = 0
    while True:
        byte = message[at]
        number |= (byte & SEVEN_BITS) << shift
        at, shift = at + 1, shift + 7
        if byte <= SEVEN_BITS:
            return number, at
