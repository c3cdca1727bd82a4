"""Chunks of features: shared between workers, computed anew when lost, freed with their texts."""

from pathlib import Path

import pytest
from sqlalchemy import select

from app.database import Database
from app.encoders import repository
from app.inputs.encoders import E5_SMALL, EncoderFacts
from app.settings import Settings
from app.storage import Storage
from app.tables.datasets import DatasetRow
from app.tables.encoders import EncoderRow, FeatureChunkRow
from app.usage.repository import references
from app.usage.sweep import sweep
from tests.jobs.factories import add_dataset
from tests.usage.conftest import age

ARRAY = "sha256/ab/abc.npy"
FACTS = EncoderFacts(
    name=E5_SMALL.name,
    revision=E5_SMALL.revision,
    licence="MIT",
    max_tokens=512,
    pooling="mean",
    normalised=True,
    dimension=384,
    model_sha256="0" * 64,
    tokenizer_sha256="1" * 64,
)


def test_two_workers_share_the_chunks(database: Database) -> None:
    taken = []
    for _ in range(2):
        with database.write() as session:
            repository.plan(session, "encoder", ARRAY, 2)
            taken.append(repository.claim(session, "encoder", ARRAY, 60))
    assert taken == [0, 1]
    with database.write() as session:
        assert repository.claim(session, "encoder", ARRAY, 60) is None
        assert repository.store(session, "encoder", ARRAY, 1, "ref 1")
        repository.let_go(session, "encoder", ARRAY, 0)  # its worker was stopped
        assert repository.claim(session, "encoder", ARRAY, 60) == 0
        assert repository.refs(session, "encoder", ARRAY) == [None, "ref 1"]
    with database.write() as session:
        repository.renew(session, "encoder", ARRAY, 0, -1)  # as a worker that was killed leaves it
        assert repository.claim(session, "encoder", ARRAY, 60) == 0


def test_a_lost_file_is_computed_anew(database: Database) -> None:
    with database.write() as session:
        repository.plan(session, "encoder", ARRAY, 1)
        repository.claim(session, "encoder", ARRAY, 60)
        repository.store(session, "encoder", ARRAY, 0, "ref")
        repository.lose(session, "ref")
        assert repository.claim(session, "encoder", ARRAY, 60) == 0


def test_chunks_of_a_purged_dataset_are_not_stored(database: Database) -> None:
    with database.write() as session:
        assert not repository.store(session, "encoder", ARRAY, 0, "ref")


def put(storage: Storage, settings: Settings, folder: Path, content: str) -> str:
    path = folder / "file.npy"
    path.write_text(content)
    ref = storage.put(path)
    age(Path(settings.storage) / ref)
    return ref


def test_features_stay_as_long_as_their_texts(
    database: Database, settings: Settings, storage: Storage, tmp_path: Path
) -> None:
    dataset_id = add_dataset(database)
    array, chunk, other, graph = (
        put(storage, settings, tmp_path, word) for word in ("texts", "chunk", "old", "graph")
    )
    with database.write() as session:
        session.get_one(DatasetRow, dataset_id).arrays = {"x_train": array}
        repository.add(session, FACTS, {"onnx": graph})
        repository.add(session, FACTS, {"onnx": graph})  # by another worker
        old = {"name": "old", "revision": "0", "files": {}, "facts": {}}
        session.add(EncoderRow(id="old", **old))
        for encoder_id, ref in ((FACTS.sha256, chunk), ("old", other)):
            repository.plan(session, encoder_id, array, 1)
            repository.store(session, encoder_id, array, 0, ref)
    freed = sweep(database, settings)
    assert [file.ref for file in freed.files] == [other]  # of an encoder of another release
    with database.write() as session:
        session.get_one(DatasetRow, dataset_id).arrays = {}
    freed = sweep(database, settings)
    assert {file.ref for file in freed.files} == {array, chunk}  # the encoder stays
    with database.read() as session:
        assert session.scalars(select(FeatureChunkRow)).all() == []
        assert repository.find(session, E5_SMALL) is not None


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_usage_counts_features_of_the_projects_datasets(
    database: Database, settings: Settings, storage: Storage, tmp_path: Path
) -> None:
    dataset_id = add_dataset(database)
    with database.write() as session:
        session.get_one(DatasetRow, dataset_id).arrays = {"x_train": ARRAY}
        for number, array in enumerate((ARRAY, "another project's")):
            repository.plan(session, "encoder", array, 1)
            repository.store(session, "encoder", array, 0, f"ref {number}")
        assert references(session, "p")["features"] == {"ref 0"}
