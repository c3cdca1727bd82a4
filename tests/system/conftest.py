"""A worker's context in this process, the API beside it: tests call what a message wakes."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from app.database import Database
from app.main import create_app
from app.settings import Settings
from app.storage import Storage
from app.tables import Base
from tests.serving import serve
from worker.machine.context import WorkerContext


@pytest.fixture
def context(settings: Settings, tmp_path: Path) -> Iterator[WorkerContext]:
    settings = settings.model_copy(update={"broker_url": "memory://"})
    settings.home.mkdir()
    database, slots = Database(settings.database), tmp_path / "slots"
    slots.mkdir()
    Base.metadata.create_all(database.engine)
    storage = Storage(settings.storage, settings.cache_dir)
    yield WorkerContext(settings, database, storage, slots, is_draining=lambda: False)
    database.dispose()


@pytest.fixture
def client(context: WorkerContext) -> Iterator[httpx.Client]:
    with serve(create_app(context.settings)) as client:
        yield client
