from collections.abc import Iterator

import httpx
import pytest

from app.database import Database
from app.main import create_app
from app.settings import Settings
from app.storage import Storage
from tests.datasets.animals import animals
from tests.datasets.derived import House
from tests.serving import serve

UPLOAD_LIMIT = 200_000


@pytest.fixture
def settings(settings: Settings, database: Database) -> Settings:
    url = database.engine.url.render_as_string(hide_password=False)
    return settings.model_copy(
        update={"database_url": url, "upload_limit_bytes": UPLOAD_LIMIT, "broker_url": "memory://"}
    )


@pytest.fixture
def client(settings: Settings) -> Iterator[httpx.Client]:
    with serve(create_app(settings)) as client:
        yield client


@pytest.fixture
def house(client: httpx.Client, database: Database, storage: Storage, settings: Settings) -> House:
    return House(client, database, storage, settings)


@pytest.fixture
def origin(house: House) -> str:
    found: str = house.upload(animals())["id"]
    return found
