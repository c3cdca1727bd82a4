from concurrent.futures import ThreadPoolExecutor

import pytest

from app.database import Database
from app.datasets import repository
from app.datasets.catalogue import CATALOGUE
from app.errors import Conflict, Invalid, NotFound
from app.messages import IngestDataset, Message
from app.tables.datasets import DatasetRow
from tests.jobs.factories import SCHEMA, add_dataset


def obtain(database: Database, name: str = "digits", project: str = "p") -> DatasetRow:
    with database.write() as session:
        return repository.obtain_from_catalogue(session, project, name)


@pytest.fixture
def sent(database: Database) -> list[Message]:
    messages: list[Message] = []
    database._publish = messages.append
    return messages


def test_one_dataset_for_one_name_in_one_project(database: Database, sent: list[Message]) -> None:
    row = obtain(database)
    assert obtain(database).id == row.id
    assert sent == [IngestDataset(row.id)]
    assert row.published_at
    assert obtain(database, project="q").id != row.id
    with database.read() as session:
        assert repository.find(session, "p", "catalog:digits").id == row.id
        assert repository.find(session, "p", row.id).id == row.id


def test_many_at_once_get_the_same_one(database: Database) -> None:
    with ThreadPoolExecutor(8) as pool:
        ids = {row.id for row in pool.map(lambda _: obtain(database), range(16))}
    assert len(ids) == 1


def test_a_failed_one_is_taken_in_again(database: Database, sent: list[Message]) -> None:
    row = obtain(database)
    with database.write() as session:
        failed = session.get_one(DatasetRow, row.id)
        failed.status, failed.error, failed.attempt = "failed", {"message": "no network"}, 3
    again = obtain(database)
    assert (again.id, again.status, again.error, again.attempt) == (row.id, "ingesting", None, 0)
    assert sent == [IngestDataset(row.id)] * 2


def test_what_is_not_there_is_not_found(database: Database) -> None:
    other = add_dataset(database, project="q")
    with database.read() as session:
        for reference in (other, "ds_none", "catalog:digits", "catalog:none"):
            with pytest.raises(NotFound):
                repository.find(session, "p", reference)
    with pytest.raises(NotFound, match="expected one of mnist_5k"):
        obtain(database, "none")


def test_a_deleted_one_is_not_found_and_can_be_had_anew(database: Database) -> None:
    row = obtain(database)
    with database.write() as session:
        repository.delete(session, repository.find(session, "p", row.id))
    with database.read() as session:
        for reference in (row.id, "catalog:digits"):
            with pytest.raises(NotFound):
                repository.find(session, "p", reference)
    assert obtain(database).id != row.id


def test_the_schema_is_known_before_the_data_are_there(database: Database) -> None:
    assert repository.schema_of(obtain(database)) == CATALOGUE["digits"].schema
    ids = {status: add_dataset(database, status) for status in ("ready", "ingesting", "failed")}
    with database.read() as session:
        rows = {status: repository.find(session, "p", ids[status]) for status in ids}
    assert repository.schema_of(rows["ready"]) == SCHEMA
    with pytest.raises(Conflict) as conflict:
        repository.schema_of(rows["ingesting"])
    assert conflict.value.code == "dataset_not_ready"
    assert conflict.value.headers == {"Retry-After": "1"}
    rows["failed"].error = {"message": "one class only"}
    with pytest.raises(Invalid, match="one class only") as invalid:
        repository.schema_of(rows["failed"])
    assert invalid.value.code == "dataset_failed"
