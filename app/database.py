"""Engine, sessions and column types. One transaction a request or task; messages leave after it."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Lock
from typing import Any

from sqlalchemy import JSON, DateTime, Engine, MetaData, TypeDecorator, create_engine, event
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Connection, Dialect
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.sql.functions import GenericFunction
from sqlalchemy.types import Float

from app.messages import Message

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

Json = JSON().with_variant(JSONB(), "postgresql")


class UtcDateTime(TypeDecorator[datetime]):
    """Aware datetimes in UTC. SQLite forgets the zone, so it is put back."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value if value is None or value.tzinfo else value.replace(tzinfo=UTC)


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {datetime: UtcDateTime, dict[str, Any]: Json, list[Any]: Json}


class clock(GenericFunction[float]):  # noqa: N801  it stands in SQL expressions as `clock()`
    """The database's own clock, seconds since 1970: leases of many machines are judged by one."""

    type = Float()
    inherit_cache = True


@compiles(clock, "sqlite")
def _sqlite_clock(*_: Any, **__: Any) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(clock, "postgresql")
def _postgresql_clock(*_: Any, **__: Any) -> str:
    return "extract(epoch from clock_timestamp())::double precision"


def now() -> datetime:
    return datetime.now(UTC)


CONNECTIONS = 24  # at most; each is made when it is needed first
PATIENCE_SECONDS = 15.0
CONNECT_SECONDS = 5


class Database:
    """Make it after a fork, never before.

    No wait for another's lock takes longer than `patience_seconds`: OperationalError. Nor does one
    for a connection: SQLAlchemy's TimeoutError.
    """

    def __init__(
        self,
        url: str,
        publish: Callable[[Message], None] | None = None,
        *,
        connections: int = CONNECTIONS,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self.engine = _engine(url, connections, patience_seconds)
        self._writer = self.engine.execution_options(writes=True)
        self._publish = publish

    @contextmanager
    def read(self) -> Iterator[Session]:
        with Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Commits at the end of the block, then sends what was announced inside it."""
        with Session(self._writer, expire_on_commit=False) as session:
            with session.begin():
                yield session
            if self._publish:
                for message in session.info.pop(_OUTBOX, []):
                    self._publish(message)

    def dispose(self) -> None:
        self.engine.dispose()


_OUTBOX = "outbox"


def announce(session: Session, message: Message) -> None:
    """Sends the message when the transaction has been committed, and not when it rolls back."""
    session.info.setdefault(_OUTBOX, []).append(message)


def _engine(url: str, connections: int, patience_seconds: float) -> Engine:
    pool = {"pool_size": connections, "max_overflow": 0, "pool_timeout": patience_seconds}
    milliseconds = int(1000 * patience_seconds)
    if not url.startswith("sqlite"):
        wait = {"connect_timeout": CONNECT_SECONDS}
        engine = create_engine(_with_driver(url), pool_pre_ping=True, connect_args=wait, **pool)

        @event.listens_for(engine, "begin")
        def _begin_writing(connection: Connection) -> None:
            if _writes(connection):
                connection.exec_driver_sql(f"SET LOCAL lock_timeout = {milliseconds}")

        return engine

    engine = create_engine(url, connect_args={"check_same_thread": False}, **pool)
    # SQLite has one lock for all writers, and who waits for it sleeps and tries again: first come,
    # last served. Within a process they stand in line instead.
    turn = Lock()

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # BEGIN is ours, below
        for pragma in (
            "journal_mode=WAL",
            "synchronous=NORMAL",
            f"busy_timeout={milliseconds}",
            "foreign_keys=ON",
            "secure_delete=ON",  # what is deleted is overwritten, not only forgotten
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        if not _writes(connection):
            connection.exec_driver_sql("BEGIN DEFERRED")
            return
        if not turn.acquire(timeout=patience_seconds):
            locked = sqlite3.OperationalError("database is locked by a thread of this process")
            raise OperationalError("BEGIN IMMEDIATE", None, locked)
        connection.info["has_turn"] = True
        try:
            # A deferred transaction that turns into a writer fails at once when another writes.
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        except BaseException:
            _end(connection)
            raise

    @event.listens_for(engine, "commit")
    @event.listens_for(engine, "rollback")
    def _end(connection: Connection) -> None:
        if connection.info.pop("has_turn", False):
            turn.release()

    return engine


def _writes(connection: Connection) -> bool:
    return bool(connection.get_execution_options().get("writes"))


def _with_driver(url: str) -> str:
    for scheme in ("postgres://", "postgresql://"):
        if url.startswith(scheme):
            return "postgresql+psycopg://" + url.removeprefix(scheme)
    return url
