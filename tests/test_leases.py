"""Leases fence out a worker that lost its row, on both databases."""

import pytest

from app import leases
from app.database import Database
from app.errors import Fenced
from app.tables.datasets import DatasetRow
from tests.leases import let_pass


def add(database: Database, row_id: str) -> None:
    with database.write() as session:
        session.add(
            DatasetRow(
                id=row_id, project="p", name="n", origin="upload", spec={}, status="ingesting"
            )
        )


def take(database: Database, seconds: float = 30.0) -> DatasetRow | None:
    with database.write() as session:
        free = DatasetRow.token.is_(None) | leases.expired(DatasetRow)
        return leases.claim(session, DatasetRow, free, [DatasetRow.id], "me", seconds)


def test_a_row_is_claimed_once(database: Database) -> None:
    add(database, "ds_1")
    first = take(database)
    assert first is not None
    assert (first.id, first.attempt) == ("ds_1", 1)
    assert take(database) is None


def test_rows_are_claimed_in_order(database: Database) -> None:
    for name in ("ds_2", "ds_1"):
        add(database, name)
    assert [row.id for row in (take(database), take(database)) if row] == ["ds_1", "ds_2"]


def test_a_worker_that_lost_its_lease_is_fenced(database: Database) -> None:
    add(database, "ds_1")
    slow = take(database, seconds=30)
    assert slow is not None
    assert slow.token is not None
    let_pass(database, 31)
    with pytest.raises(Fenced), database.write() as session:
        leases.write(session, DatasetRow, "ds_1", slow.token, name="late")
    quick = take(database)
    assert quick is not None
    assert quick.token is not None
    assert quick.attempt == 2
    with pytest.raises(Fenced), database.write() as session:
        leases.renew(session, DatasetRow, "ds_1", slow.token, 30)
    with database.write() as session:
        leases.write(session, DatasetRow, "ds_1", quick.token, name="mine")
    with database.read() as session:
        row = session.get(DatasetRow, "ds_1")
        assert row is not None
        assert row.name == "mine"


def test_a_renewed_lease_lasts(database: Database) -> None:
    add(database, "ds_1")
    row = take(database, seconds=30)
    assert row is not None
    assert row.token is not None
    with database.write() as session:
        leases.renew(session, DatasetRow, "ds_1", row.token, 60)
    let_pass(database, 31)
    assert take(database) is None
    let_pass(database, 30)
    assert take(database) is not None
