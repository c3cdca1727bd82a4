from collections.abc import Iterator

import pytest

from app.database import Database
from app.settings import Settings
from tests.prediction.site import Site, run_site


@pytest.fixture
def site(settings: Settings, database: Database, database_url: str) -> Iterator[Site]:
    with run_site(settings.model_copy(update={"database_url": database_url}), database) as site:
        yield site
