"""The schema's versions: the migrations run from code, from a checkout or an installed wheel."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, event, make_url, text

from app.database import Database

ADVISORY_LOCK = 0x6B746C  # "ktl"; any number that the database's other users do not take


class UnknownSchema(Exception):
    """The database's schema is of a release that this one does not know."""


def upgrade(url: str) -> None:
    """Brings the schema to the newest version; makes the SQLite file where there is none. Raises
    UnknownSchema.

    One transaction, and one process at a time: the others wait and then find nothing to do.
    """
    with _exclusively(url) as connection:
        _version(connection)
        command.upgrade(_config(connection), "head")


def downgrade(url: str, revision: str = "base") -> None:
    """Takes the migrations back, down to `revision`; `base` is the empty database."""
    with _exclusively(url) as connection:
        command.downgrade(_config(connection), revision)


def is_current(database: Database) -> bool:
    """Tells whether the schema is the one that this code was written for, and not an older one.
    Raises UnknownSchema."""
    with database.engine.connect() as connection:
        version = _version(connection)
    return version == ScriptDirectory.from_config(_config()).get_current_head()


def _version(connection: Connection) -> str | None:
    """The version that the database is at; None before the first. Raises UnknownSchema."""
    version = MigrationContext.configure(connection).get_current_revision()
    known = {each.revision for each in ScriptDirectory.from_config(_config()).walk_revisions()}
    if version is not None and version not in known:
        raise UnknownSchema(
            f"expected a database of this release of ktl or an older one, got the version {version}"
            " of its schema, which a newer one has made: run that one, or restore a backup"
        )
    return version


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(files("migrations")).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


@contextmanager
def _exclusively(url: str) -> Iterator[Connection]:
    parsed = make_url(url)
    is_sqlite = parsed.get_backend_name() == "sqlite"
    if is_sqlite and parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    database = Database(url)
    if is_sqlite:
        event.listen(database.engine, "connect", _without_foreign_keys)
    try:
        # On SQLite the write lock that IMMEDIATE takes keeps the others out.
        with database.engine.execution_options(writes=True).begin() as connection:
            if not is_sqlite:
                lock = text("SELECT pg_advisory_xact_lock(:key)")
                connection.execute(lock, {"key": ADVISORY_LOCK})
            yield connection
    finally:
        database.dispose()


def _without_foreign_keys(connection: Any, _: Any) -> None:
    """SQLite changes a table by copying and dropping it, which would delete what refers to it."""
    connection.execute("PRAGMA foreign_keys=OFF")
