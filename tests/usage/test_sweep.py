"""What rows name stays, what none names goes; on both databases, and on a folder and S3."""

import os
import threading
import time
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import delete

from app.database import Database
from app.errors import FailureCode, WorkFailure
from app.identifiers import new_id
from app.main import create_app
from app.models import repository as models
from app.settings import Settings
from app.storage import Storage
from app.tables import Base
from app.tables.datasets import DatasetRow
from app.tables.jobs import TrialRow
from app.usage.inventory import Inventory
from app.usage.sweep import ForeignStore, sweep, sweep_machine, sweep_now_and_then
from tests.jobs.factories import add_dataset, ready_job, trials_of
from tests.schemas import SIGNATURE
from tests.serving import serve
from tests.usage.conftest import Put, age

SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def change(database: Database, row_id: str, table: type = DatasetRow, **values: object) -> None:
    with database.write() as session:
        row = session.get_one(table, row_id)
        for name, value in values.items():
            setattr(row, name, value)


def is_there(settings: Settings, ref: str) -> bool:
    return (Path(settings.storage) / ref).exists()


def test_what_rows_name_stays_and_the_rest_goes(
    database: Database, settings: Settings, put: Put
) -> None:
    dataset_id, job_id = add_dataset(database), ready_job(database)
    named = {word: put(word) for word in ("raw", "array", "onnx", "weights", "predictions")}
    named["checkpoint"] = put("c", checkpoint="checkpoints/trial_1/t-1.npz")
    change(
        database,
        dataset_id,
        files=[{"name": "a", "ref": named["raw"], "bytes": 3}],
        arrays={"x_train": named["array"]},
    )
    with database.write() as session:
        models.add(session, "p", "m", None, None, {"onnx": named["onnx"]}, SIGNATURE, {})
    change(
        database,
        trials_of(database, job_id)[0].id,
        TrialRow,
        weights=named["weights"],
        predictions=named["predictions"],
        checkpoint=named["checkpoint"],
    )
    nobodys = [put("nobody's"), put("d", checkpoint="checkpoints/trial_2/t-1.npz")]
    age(Path(settings.storage, "checkpoints/trial_2"))

    dry = sweep(database, settings, is_dry=True)
    assert {file.ref for file in dry.files} == set(nobodys)
    assert all(is_there(settings, ref) for ref in nobodys)

    freed = sweep(database, settings)
    assert {file.ref for file in freed.files} == set(nobodys)
    assert freed.bytes == dry.bytes == len("nobody's") + len("d")
    assert not any(is_there(settings, ref) for ref in nobodys)
    assert all(is_there(settings, ref) for ref in named.values())
    assert sweep(database, settings).files == []


@SQLITE
def test_what_was_put_just_now_stays(database: Database, settings: Settings, put: Put) -> None:
    put("kept by its row, so that the store is this database's", is_old=False)
    young, old = put("young", is_old=False), put("old")
    again = put("put again")
    assert put("put again", is_old=False) == again  # its row is yet to be committed
    freed = sweep(database, settings, adopts=True)
    assert [file.ref for file in freed.files] == [old]
    assert is_there(settings, young)
    assert is_there(settings, again)


@SQLITE
def test_what_is_put_while_it_is_swept_stays(
    database: Database, settings: Settings, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look at its age and its deletion."""
    ref = put("wanted again")

    def put_meanwhile(*_: object) -> bool:
        put("wanted again", is_old=False)
        return True

    monkeypatch.setattr(Inventory, "is_older", put_meanwhile)
    assert sweep(database, settings, adopts=True).files == []
    assert is_there(settings, ref)
    assert len(list(Path(settings.storage, "sha256").rglob("*.npz*"))) == 1


@SQLITE
def test_nothing_that_a_row_names_is_lost_to_many_sweeps(
    database: Database, settings: Settings, storage: Storage, tmp_path: Path
) -> None:
    """Old files are put again, named, forgotten and grow old, while others sweep."""
    lost: list[str] = []
    done = threading.Event()
    sweep(database, settings)

    def put_and_forget(word: str) -> None:
        path = tmp_path / f"{word}.npy"
        path.write_text(word)
        for _ in range(40):
            ref = storage.put(path)
            row = DatasetRow(id=new_id("ds"), project="p", name=word, origin="upload", spec={})
            row.arrays = {"x_train": ref}
            with database.write() as session:
                session.add(row)
            try:
                storage.local(ref)
            except WorkFailure:
                lost.append(ref)
            with database.write() as session:
                session.execute(delete(DatasetRow).where(DatasetRow.id == row.id))
            age(Path(settings.storage, ref))

    def sweep_on() -> None:
        while not done.is_set():
            sweep(database, settings)

    putters = [threading.Thread(target=put_and_forget, args=(word,)) for word in "abc"]
    sweepers = [threading.Thread(target=sweep_on) for _ in range(2)]
    for thread in (*putters, *sweepers):
        thread.start()
    for thread in putters:
        thread.join()
    done.set()
    for thread in sweepers:
        thread.join()
    assert lost == []


@SQLITE
def test_another_databases_files_are_left_alone(
    database: Database, settings: Settings, put: Put, tmp_path: Path
) -> None:
    dataset_id, ours = add_dataset(database), put("ours")
    change(database, dataset_id, arrays={"x": ours})
    other = Database(f"sqlite:///{tmp_path / 'named-by-mistake.db'}")
    Base.metadata.create_all(other.engine)
    with pytest.raises(ForeignStore, match="KTL_DATABASE_URL"):
        sweep(other, settings)
    sweep(database, settings)  # from here on the store says whose it is
    with pytest.raises(ForeignStore, match="registered"):
        sweep(other, settings)
    with pytest.raises(ForeignStore, match="ktl gc --adopt"):
        sweep(database, settings)  # the other may have put files there
    assert is_there(settings, ours)
    sweep(database, settings, adopts=True)
    sweep(database, settings)
    assert is_there(settings, ours)
    other.dispose()


@SQLITE
def test_nothing_but_what_a_store_makes_is_deleted(
    database: Database, settings: Settings, put: Put
) -> None:
    theirs = Path(settings.storage, "notes", "mine.txt")
    theirs.parent.mkdir(parents=True)
    theirs.write_text("of the user")
    age(theirs)
    put("nobody's")
    assert len(sweep(database, settings, adopts=True).files) == 1
    assert theirs.exists()


@SQLITE
def test_on_s3_too_with_the_copies_that_were_fetched(
    database: Database, settings: Settings, s3: Storage, tmp_path: Path
) -> None:
    url = f"s3://ktl-test/{uuid4().hex}"  # other tests' files stand in the same moto
    s3 = Storage(url, settings.cache_dir)
    settings = settings.model_copy(update={"storage_url": url, "gc_grace_seconds": -5.0})
    refs = []
    for word in ("named", "nobody's", "a copy's"):
        path = tmp_path / "content.npz"
        path.write_text(word)
        refs.append(s3.put(path))
        s3.local(refs[-1])
    named, nobodys, copied = refs
    dataset_id = add_dataset(database)
    change(database, dataset_id, arrays={"x": named})
    s3._filesystem.rm_file(s3._path(copied))  # swept by another machine
    freed = sweep(database, settings)
    assert [file.ref for file in freed.files] == [nobodys]
    assert [copy.ref for copy in freed.copies] == [copied]  # the other's went with its file
    assert s3.local(named).read_text() == "named"
    kept = [path for path in settings.cache_dir.rglob("*") if path.is_file()]
    assert [path.name for path in kept] == [Path(named).name]

    change(database, dataset_id, arrays={})
    sweep_machine(database, settings)
    assert not (settings.cache_dir / named).exists()


@SQLITE
def test_an_api_sweeps_by_itself(
    database: Database, settings: Settings, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep(database, settings)
    ref, left_behind = put("nobody's"), settings.cache_dir / "incoming" / "of-a-killed-process"
    left_behind.mkdir(parents=True)
    age(left_behind)
    url = database.engine.url.render_as_string(hide_password=False)
    said = {"database_url": url, "broker_url": "memory://"}
    monkeypatch.setattr("app.main.SWEEP_SECONDS", 0.02)
    with serve(create_app(settings.model_copy(update=said))):
        time.sleep(0.5)
        assert is_there(settings, ref)  # its time has not come
    with serve(create_app(settings.model_copy(update={**said, "gc_interval_seconds": 0.0}))):
        deadline = time.monotonic() + 20
        while (is_there(settings, ref) or left_behind.exists()) and time.monotonic() < deadline:
            time.sleep(0.02)
    assert not is_there(settings, ref)
    assert not left_behind.exists()


@SQLITE
def test_a_file_that_cannot_be_deleted_keeps_no_other(
    database: Database, settings: Settings, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck, others = put("stuck"), [put("one"), put("two")]
    discard = Inventory.discard

    def refuse(self: Inventory, ref: str, before: float) -> bool:
        if ref == stuck:
            raise WorkFailure(FailureCode.STORAGE_FAILED, "Operation not permitted")
        return discard(self, ref, before)

    monkeypatch.setattr(Inventory, "discard", refuse)
    freed = sweep(database, settings, adopts=True)
    assert {file.ref for file in freed.files} == set(others)


@SQLITE
def test_a_clock_that_ran_ahead_stops_no_sweep(
    database: Database, settings: Settings, put: Put
) -> None:
    """A machine that began in another year left its times behind."""
    sweep_now_and_then(database, settings)
    ref = put("nobody's")
    sweep_now_and_then(database, settings)
    assert is_there(settings, ref)  # its time has not come
    ahead = time.time() + 365 * 86_400
    marks = [*Path(settings.storage, "owners").iterdir(), settings.cache_dir / "swept"]
    for mark in marks:
        os.utime(mark, (ahead, ahead))
    sweep_now_and_then(database, settings)
    assert not is_there(settings, ref)
    assert all(mark.stat().st_mtime < ahead - 1 for mark in marks)
