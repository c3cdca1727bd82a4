from collections.abc import Iterator

import pytest

from app.database import Database
from app.prediction import json_numbers
from app.settings import Settings
from tests.prediction.site import Site, run_site


@pytest.fixture
def site(settings: Settings, database: Database, database_url: str) -> Iterator[Site]:
    with run_site(settings.model_copy(update={"database_url": database_url}), database) as site:
        yield site


@pytest.fixture(scope="module", params=["simdjson", "orjson"])
def json_reader(request: pytest.FixtureRequest) -> Iterator[str]:
    """Each test as with the extra `fast` and as without it."""
    assert json_numbers.simdjson is not None, "these tests need the extra `fast`"
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "orjson":
            patch.setattr(json_numbers, "simdjson", None)
        yield request.param
