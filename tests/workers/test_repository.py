from sqlalchemy import select, update

from app.database import Database
from app.tables.workers import WorkerRow
from app.workers import repository


def declare(database: Database, name: str, slot_bytes: int, seconds_ago: float = 0) -> None:
    with database.write() as session:
        repository.declare(session, name, 2, slot_bytes)
        ago = update(WorkerRow).where(WorkerRow.name == name)
        session.execute(ago.values(seen_at=WorkerRow.seen_at - seconds_ago))


def slot_bytes(database: Database) -> int | None:
    with database.read() as session:
        return repository.slot_bytes(session)


def test_any_worker_that_is_present_may_take_a_trial(database: Database) -> None:
    assert slot_bytes(database) is None
    declare(database, "large", 5 * 2**40)
    assert slot_bytes(database) == 5 * 2**40
    declare(database, "small", 3 * 2**30)
    assert slot_bytes(database) == 3 * 2**30
    declare(database, "small", 4 * 2**30)  # it has started again
    assert slot_bytes(database) == 4 * 2**30


def test_a_worker_that_is_gone_holds_nobody_up(database: Database) -> None:
    declare(database, "gone", 2**30, seconds_ago=repository.PRESENT_SECONDS + 5)
    assert slot_bytes(database) == 2**30  # the installation only rests
    declare(database, "there", 2**33)
    assert slot_bytes(database) == 2**33
    declare(database, "gone", 2**30, seconds_ago=repository.FORGOTTEN_SECONDS + 5)
    declare(database, "there", 2**33)
    with database.read() as session:
        assert list(session.scalars(select(WorkerRow.name))) == ["there"]


def test_a_worker_whose_loop_turns_is_seen(database: Database) -> None:
    declare(database, "turning", 2**30, seconds_ago=500)
    declare(database, "still", 2**30, seconds_ago=500)
    with database.write() as session:
        repository.turned(session, "turning")
        repository.turned(session, "unknown")
    with database.read() as session:
        seen = repository.last_seen(session)
    assert {name: slots for name, (_, slots) in seen.items()} == {"still": 2, "turning": 2}
    assert seen["turning"][0] < 60
    assert 500 <= seen["still"][0] < 600
