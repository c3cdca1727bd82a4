"""The wheel's file: numbers by hand, and files that are none."""

import struct
from pathlib import Path

import numpy as np
import pytest

from worker.backbones.encoders.e5_graph import _neighbours
from worker.backbones.encoders.packed_e5 import FourBits, PackedE5


def one_block() -> FourBits:
    """32 weights, of which the first is (3 - 8) * .5 and the seventeenth (15 - 8) * .5."""
    halves = np.full((1, 16), 0x88, np.uint8)
    halves[0, 0] = 0xF3
    return FourBits(halves, np.array([[0.5]], np.float16))


def test_four_bits_by_hand() -> None:
    floats = one_block().floats()
    assert floats.shape == (1, 32)
    assert floats[0, 0] == -2.5
    assert floats[0, 16] == 3.5
    assert not floats[0, 1:16].any()


def test_neighbours_hold_the_same_weights() -> None:
    packed = _neighbours(one_block())
    assert packed.shape == (1, 1, 16)
    assert packed[0, 0, 0] == 0x83  # weights 0 and 1: 3 and 8
    assert packed[0, 0, 8] == 0x8F  # weights 16 and 17: 15 and 8


def file_of(path: Path, pieces: tuple[bytes, ...] = (b"<s>", "字".encode())) -> Path:
    sizes = struct.pack("<I7i", 1, 32, 0, 1, 32, len(pieces), 4, 1)
    numbers = struct.pack("<fi5i", 1e-12, 32, len(pieces), 0, 1, 1, 0)
    text = b"".join(pieces)
    ends = np.cumsum([0, *map(len, pieces)]).astype("<u4").tobytes()
    scores = np.array([0, -1.5], "<f4").tobytes()
    tensor = np.arange(32, dtype="<f4").tobytes()
    name = b"emb.ln.w"
    head = b"E5S1" + sizes + numbers + struct.pack("<Q", len(text)) + ends + scores + text
    head += struct.pack("<iI", 0, 0) + struct.pack("<i", 1)
    entry = struct.pack("<H", len(name)) + name
    offset = len(head) + len(entry) + struct.calcsize("<BIQQ")
    entry += struct.pack("<BIQQ", 0, 32, offset, len(tensor))
    path.write_bytes(head + entry + tensor)
    return path


def test_a_file_by_hand(tmp_path: Path) -> None:
    packed = PackedE5.read(file_of(tmp_path / "small.bin"))
    assert packed.pieces == ("<s>", "字")
    assert packed.scores.tolist() == [0, -1.5]
    assert (packed.sizes.width, packed.sizes.positions, packed.sizes.unknown) == (32, 4, 0)
    np.testing.assert_array_equal(packed.floats("emb.ln.w", 32), np.arange(32))
    with pytest.raises(ValueError, match=r"expected the tensor emb\.ln\.w of shape \(64,\)"):
        packed.floats("emb.ln.w", 64)
    with pytest.raises(ValueError, match=r"expected the tensor emb\.word"):
        packed.four_bits("emb.word", 2, 32)


def test_a_file_that_ends_too_early(tmp_path: Path) -> None:
    whole = file_of(tmp_path / "small.bin").read_bytes()
    for length in (6, 40, 70, len(whole) - 200):
        path = tmp_path / f"{length}.bin"
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"a file that ends too early"):
            PackedE5.read(path)


def test_another_file(tmp_path: Path) -> None:
    path = tmp_path / "other.bin"
    path.write_bytes(b"PK\x03\x04" * 20)
    with pytest.raises(ValueError, match="begins with E5S1"):
        PackedE5.read(path)
