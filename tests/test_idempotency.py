"""Once is once: also when two requests come at the same moment."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import orjson
import pytest
from sqlalchemy import func, select, update

from app.access import repository
from app.access.caller import Caller
from app.database import Database, now
from app.errors import Conflict, Invalid
from app.idempotency import (
    StoredAnswer,
    answer_once,
    fingerprint,
    forget_answers,
    forget_old,
    respond,
)
from app.tables.keys import IdempotencyRow, KeyRow

ALICE = Caller("alice", frozenset({"write"}), "key_a")
BOB = Caller("bob", frozenset({"write"}), "key_b")
MARK = fingerprint("POST", "/v1/jobs", {"a": 1})


def create(
    database: Database, caller: Caller = ALICE, key: str | None = "k", mark: str = MARK
) -> StoredAnswer:
    """Makes a row of some table, as a route makes a job."""
    with database.write() as session:

        def make() -> StoredAnswer:
            row, _ = repository.create(session, "made", caller.project, ["read"])
            return StoredAnswer(202, {"Location": row.id}, {"id": row.id, "at": row.created_at})

        return answer_once(session, caller, key, mark, make)


def made(database: Database) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(KeyRow)) or 0


def test_the_same_request_gets_the_first_answer_again(database: Database) -> None:
    first, again = respond(create(database)), respond(create(database))
    assert made(database) == 1
    assert (again.status_code, again.headers["location"]) == (202, first.headers["location"])
    assert orjson.loads(again.body) == orjson.loads(first.body)


def test_another_request_under_the_key_is_refused(database: Database) -> None:
    create(database)
    with pytest.raises(Invalid) as caught:
        create(database, mark=fingerprint("POST", "/v1/jobs", {"a": 2}))
    assert caught.value.code == "idempotency_key_reused"
    assert made(database) == 1


def test_what_was_deleted_is_neither_told_of_nor_made_again(database: Database) -> None:
    made_id = create(database).body["id"]
    create(database, BOB)
    with database.write() as session:
        forget_answers(session, "bob", made_id)  # another project's
    assert create(database).body["id"] == made_id
    with database.write() as session:
        forget_answers(session, "alice", made_id)
    with pytest.raises(Conflict) as caught:
        create(database)
    assert caught.value.code == "already_deleted"
    with pytest.raises(Invalid):
        create(database, mark=fingerprint("POST", "/v1/jobs", {"a": 2}))
    assert made(database) == 2


def test_other_projects_and_requests_without_a_key_are_apart(database: Database) -> None:
    create(database)
    create(database, BOB)
    create(database, key=None)
    create(database, key=None)
    assert made(database) == 4


def test_a_failed_request_may_be_sent_again(database: Database) -> None:
    def refuse() -> StoredAnswer:
        raise Conflict("no", "not now")

    with pytest.raises(Conflict), database.write() as session:
        answer_once(session, ALICE, "k", MARK, refuse)
    create(database)
    assert made(database) == 1


def test_keys_are_forgotten_after_a_day(database: Database) -> None:
    create(database)
    create(database, key="young")
    with database.write() as session:
        old = update(IdempotencyRow).where(IdempotencyRow.key == "k")
        session.execute(old.values(created_at=now() - timedelta(hours=24, seconds=1)))
    create(database)
    assert made(database) == 3
    with database.write() as session:
        session.execute(old.values(created_at=now() - timedelta(hours=24, seconds=1)))
        forget_old(session)
    with database.read() as session:
        assert session.scalars(select(IdempotencyRow.key)).all() == ["young"]
    create(database)
    assert made(database) == 4


def test_two_at_once_create_one(database: Database) -> None:
    together = Barrier(8)

    def send(_: int) -> str:
        together.wait()
        return create(database).headers["Location"]

    with ThreadPoolExecutor(8) as threads:
        answers = set(threads.map(send, range(8)))
    assert len(answers) == 1
    assert made(database) == 1


def test_the_fingerprint_sees_content_and_not_its_order() -> None:
    mark = fingerprint("POST", "/v1/jobs", {"a": 1, "b": [1, 2]})
    assert mark == fingerprint("POST", "/v1/jobs", {"b": [1, 2], "a": 1})
    others = [
        fingerprint("PUT", "/v1/jobs", {"a": 1, "b": [1, 2]}),
        fingerprint("POST", "/v1/models", {"a": 1, "b": [1, 2]}),
        fingerprint("POST", "/v1/jobs", {"a": 1, "b": [2, 1]}),
    ]
    assert len({mark, *others}) == 4
