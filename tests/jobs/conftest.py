from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from app.database import Database
from app.main import create_app
from app.settings import Settings
from tests.jobs.requests import dataset, spec
from tests.serving import serve


@pytest.fixture
def api_settings(settings: Settings, database: Database) -> Settings:
    url = database.engine.url.render_as_string(hide_password=False)
    return settings.model_copy(update={"database_url": url, "broker_url": "memory://"})


@pytest.fixture
def client(api_settings: Settings) -> Iterator[httpx.Client]:
    """The API on both databases. No worker runs: the tests do a worker's steps themselves."""
    with serve(create_app(api_settings)) as client:
        yield client


@pytest.fixture
def body(database: Database) -> dict[str, Any]:
    return spec(dataset(database), dataset(database))
