"""Features of stored texts: chunk by chunk, gone on with, computed anew when damaged."""

from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from app.encoders import repository
from app.inputs.encoders import E5_SMALL, EncoderFacts
from app.inputs.features import FEATURES, FeaturesInputs
from app.tables.datasets import DatasetRow
from app.tables.encoders import FeatureChunkRow
from tests.encoders.texts import add_texts
from tests.encoders.tiny import DIMENSION, tiny
from worker.backbones.encoders.folder import checked
from worker.backbones.encoders.running import Encoder
from worker.datasets import encoder_store
from worker.datasets.encoded import CHUNK, Encoded, StoredTexts, Unwatched, encode
from worker.machine.context import WorkerContext

pytest.importorskip("tokenizers", reason="needs the extra `text`")
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

INPUTS = FeaturesInputs(shape=(DIMENSION,), encoder=E5_SMALL.name, revision=E5_SMALL.revision)
WORDS = tuple(f"{'abcdefghij'[n % 10] * (1 + n % 7)} {'klm'[n % 3]}" for n in range(CHUNK + 40))


class Stopped(Exception): ...


class StopsAfter(Unwatched):
    """A watch that ends the work once so many chunks are done."""

    def __init__(self, chunks: int) -> None:
        self._left, self.told = chunks, list[tuple[int, int]]()

    def look(self) -> None:
        if self.told and self.told[-1][0] >= self._left:
            raise Stopped

    def computed(self, done: int, of: int) -> None:
        self.told.append((done, of))


@pytest.fixture
def encoder(context: WorkerContext, tmp_path: Path) -> Encoder:
    """A small encoder in the store, under the name of a large one."""
    (tmp_path / "tiny").mkdir()
    folder = tiny(tmp_path / "tiny")
    facts: EncoderFacts = checked(folder).model_copy(
        update={"name": E5_SMALL.name, "revision": E5_SMALL.revision}
    )
    files = {
        "onnx": context.storage.put(folder.graph),
        "tokenizer": context.storage.put(folder.tokenizer),
    }
    with context.database.write() as session:
        repository.add(session, facts, files)
    encoder_store.forget()
    return Encoder.load(folder.graph.read_bytes(), folder.tokenizer.read_bytes(), facts)


@pytest.fixture
def dataset(context: WorkerContext, tmp_path: Path) -> DatasetRow:
    dataset_id = add_texts(context, tmp_path, "many", WORDS, WORDS)
    with context.database.read() as session:
        return session.get_one(DatasetRow, dataset_id)


def features_of(context: WorkerContext, dataset: DatasetRow, split: str) -> np.ndarray:
    with context.database.read() as session:
        encoded = Encoded.of(session, INPUTS, [dataset])
    assert encoded is not None
    count = (2 if split == "train" else 1) * len(WORDS)
    items = encoded.items(context.storage, dataset.arrays[f"x_{split}"], count)
    return np.asarray(items.read()[FEATURES])


def test_features_are_those_of_the_texts(
    context: WorkerContext, encoder: Encoder, dataset: DatasetRow
) -> None:
    wanted = [StoredTexts.of(context.storage, dataset, split) for split in ("train", "test")]
    watch = StopsAfter(99)
    encode(context, INPUTS, wanted, watch)
    assert watch.told[0] == (0, 5)
    assert watch.told[-1] == (5, 5)  # three chunks of the training items, two of the test items
    expected = encoder.features([*WORDS, *WORDS])
    np.testing.assert_allclose(features_of(context, dataset, "train"), expected, atol=1e-6)
    np.testing.assert_allclose(features_of(context, dataset, "test"), expected[::2], atol=1e-6)


def test_who_is_stopped_loses_no_more_than_a_chunk(
    context: WorkerContext, encoder: Encoder, dataset: DatasetRow
) -> None:
    texts = StoredTexts.of(context.storage, dataset, "train")
    with pytest.raises(Stopped):
        encode(context, INPUTS, [texts], StopsAfter(1))
    with context.database.read() as session:
        rows = session.scalars(select(FeatureChunkRow).order_by(FeatureChunkRow.number)).all()
        assert [row.ref is not None for row in rows] == [True, False, False]
        assert all(row.claimed_until is None for row in rows)  # nobody has to wait
        encoded = Encoded.of(session, INPUTS, [dataset])
        assert encoded is not None
        assert not encoded.chunks  # a part is no features
    watch = StopsAfter(99)
    encode(context, INPUTS, [texts], watch)
    assert watch.told[0] == (1, 3)


def test_a_damaged_chunk_is_computed_anew(
    context: WorkerContext, encoder: Encoder, dataset: DatasetRow
) -> None:
    texts = StoredTexts.of(context.storage, dataset, "train")
    encode(context, INPUTS, [texts], Unwatched())
    before = features_of(context, dataset, "train")
    with context.database.read() as session:
        ref = session.scalars(select(FeatureChunkRow.ref)).first()
    assert ref is not None
    assert context.storage.folder is not None
    (context.storage.folder / ref).write_bytes(b"other")
    watch = StopsAfter(99)
    encode(context, INPUTS, [texts], watch)
    assert (2, 3) in watch.told
    np.testing.assert_array_equal(features_of(context, dataset, "train"), before)


def test_nothing_is_computed_twice(
    context: WorkerContext, encoder: Encoder, dataset: DatasetRow, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = StoredTexts.of(context.storage, dataset, "test")
    encode(context, INPUTS, [texts], Unwatched())
    monkeypatch.setattr(encoder_store, "loaded", lambda *_: pytest.fail("it was computed"))
    encode(context, INPUTS, [texts], Unwatched())
