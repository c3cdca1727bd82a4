"""A claimed row becomes a stored dataset, or says why not."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from app import leases
from app.database import Database
from app.datasets import repository
from app.datasets.sketch import stored_sketch
from app.errors import Fenced
from app.inputs.image import ImageInputs
from app.settings import Settings
from app.storage import Storage
from app.tables.datasets import DatasetRow
from app.tables.jobs import JobRow
from tests.intake.archives import arrays, npz_bytes
from tests.jobs.factories import add_dataset, add_job
from worker.intake.intake import ingest


def add_upload(
    database: Database, storage: Storage, folder: Path, content: bytes, **said: Any
) -> str:
    file = folder / "letters.npz"
    file.write_bytes(content)
    with database.write() as session:
        row = DatasetRow(
            project="p",
            name="letters",
            origin="upload",
            spec={"name": "letters", **said},
            files=[{"name": file.name, "ref": storage.put(file), "bytes": len(content)}],
        )
        return repository.add(session, row).id


def claim(database: Database, dataset_id: str, seconds: float = 60) -> DatasetRow:
    with database.write() as session:
        row = leases.claim(
            session, DatasetRow, DatasetRow.id == dataset_id, [DatasetRow.id], "w", seconds
        )
        assert row
        return row


def row_of(database: Database, dataset_id: str) -> DatasetRow:
    with database.read() as session:
        return session.get_one(DatasetRow, dataset_id)


def test_an_upload_becomes_ready(
    database: Database, storage: Storage, settings: Settings, tmp_path: Path
) -> None:
    dataset_id = add_upload(database, storage, tmp_path, npz_bytes(**arrays()))
    ingest(database, storage, settings, claim(database, dataset_id))
    row = row_of(database, dataset_id)
    assert (row.status, row.token, row.error) == ("ready", None, None)
    assert repository.schema_of(row).splits == {"train": 12, "test": 6}
    assert row.profile
    assert row.content_hash
    stored = np.load(storage.local(row.arrays["x_train"]), mmap_mode="r")
    assert np.array_equal(stored[..., 0], arrays()["x_train"])
    assert not list((settings.cache_dir / "intake").iterdir())


def test_the_catalogues_own_data(database: Database, storage: Storage, settings: Settings) -> None:
    with database.write() as session:
        dataset_id = repository.obtain_from_catalogue(session, "p", "digits").id
    ingest(database, storage, settings, claim(database, dataset_id))
    row = row_of(database, dataset_id)
    assert row.status == "ready"
    assert repository.schema_of(row).splits["train"] == 1438


def test_a_bad_upload_fails_with_its_reason_and_so_do_its_jobs(
    database: Database, storage: Storage, settings: Settings, tmp_path: Path
) -> None:
    content = npz_bytes(**arrays(y_train=np.zeros(12, int)))
    dataset_id = add_upload(database, storage, tmp_path, content)
    job_id = add_job(database, add_dataset(database), dataset_id)
    ingest(database, storage, settings, claim(database, dataset_id))
    row = row_of(database, dataset_id)
    assert (row.status, row.token) == ("failed", None)
    error: dict[str, Any] = row.error or {}
    assert error["code"] == "one_class"
    assert error["stage"] == "intake"
    assert error["param"] == "#/file/y_train"
    with database.read() as session:
        assert session.get_one(JobRow, job_id).status == "failed"


def test_a_lost_raw_file_says_so(
    database: Database, storage: Storage, settings: Settings, tmp_path: Path
) -> None:
    dataset_id = add_upload(database, storage, tmp_path, npz_bytes(**arrays()))
    storage.delete(row_of(database, dataset_id).files[0]["ref"])
    ingest(database, storage, settings, claim(database, dataset_id))
    row = row_of(database, dataset_id)
    assert row.status == "failed"
    assert row.error
    assert row.error["failure"] == "artifact_missing"
    assert "upload it again" in row.error["message"]


def test_a_full_disk_has_its_own_reason(
    database: Database,
    storage: Storage,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dataset_id = add_upload(database, storage, tmp_path, npz_bytes(**arrays()))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("worker.intake.ingestion.store", full)
    ingest(database, storage, settings, claim(database, dataset_id))
    error = row_of(database, dataset_id).error
    assert error
    assert error["failure"] == "disk_full"


def test_who_lost_the_lease_writes_nothing(
    database: Database, storage: Storage, settings: Settings, tmp_path: Path
) -> None:
    dataset_id = add_upload(database, storage, tmp_path, npz_bytes(**arrays()))
    slow = claim(database, dataset_id)
    quick = claim(database, dataset_id)
    with pytest.raises(Fenced):
        ingest(database, storage, settings, slow)
    assert row_of(database, dataset_id).status == "ingesting"
    ingest(database, storage, settings, quick)
    assert row_of(database, dataset_id).status == "ready"


def test_to_run_twice_gives_the_same(
    database: Database, storage: Storage, settings: Settings, tmp_path: Path
) -> None:
    content = npz_bytes(**arrays())
    dataset_id = add_upload(database, storage, tmp_path, content, keep_upload=True)
    ingest(database, storage, settings, claim(database, dataset_id))
    first = row_of(database, dataset_id)
    ingest(database, storage, settings, claim(database, dataset_id))
    second = row_of(database, dataset_id)
    assert second.arrays == first.arrays
    assert second.content_hash == first.content_hash


def test_an_unclaimed_row_is_not_touched(
    database: Database, storage: Storage, settings: Settings
) -> None:
    with pytest.raises(Fenced), database.read() as session:
        ingest(database, storage, settings, session.get_one(DatasetRow, add_dataset(database)))


def test_a_sketch_is_stored_beside_the_arrays(
    database: Database, storage: Storage, settings: Settings, tmp_path: Path
) -> None:
    dataset_id = add_upload(database, storage, tmp_path, npz_bytes(**arrays()))
    ingest(database, storage, settings, claim(database, dataset_id))
    got = stored_sketch(storage, row_of(database, dataset_id))
    assert got is not None
    assert (got.shape, got.dtype) == ((12, 64), np.float32)
    images = arrays()["x_train"][..., None]
    inputs = ImageInputs(shape=images.shape[1:], dtype="uint8", value_range=(0, 255))
    assert np.array_equal(got, inputs.sketch({"image": images}))


def test_a_database_that_was_away_for_a_moment_fails_no_intake(
    database: Database, storage: Storage, settings: Settings, tmp_path: Path
) -> None:
    dataset_id = add_upload(database, storage, tmp_path, npz_bytes(**arrays()))
    metered = settings.model_copy(update={"quota_bytes": 10**9})
    row, away = claim(database, dataset_id), [True]

    @event.listens_for(database.engine, "begin")
    def _fail_once(_: object) -> None:
        if away.pop() if away else False:
            raise OperationalError("BEGIN", None, ConnectionError("the server went away"))

    with pytest.raises(OperationalError):
        ingest(database, storage, metered, row)
    event.remove(database.engine, "begin", _fail_once)
    assert row_of(database, dataset_id).status == "ingesting"
    ingest(database, storage, metered, row)
    assert row_of(database, dataset_id).status == "ready"
