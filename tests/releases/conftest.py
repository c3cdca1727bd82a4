"""Each stored installation, unpacked anew for each test and migrated to this release."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from app.main import create_app
from app.settings import Settings
from tests.cli.conftest import Ktl, ktl
from tests.releases.archive import ARCHIVES, KEYS, Released, unpack
from tests.serving import serve

__all__ = ["ktl"]


@pytest.fixture(params=ARCHIVES, ids=lambda path: path.name.partition(".")[0])
def released(request: pytest.FixtureRequest, tmp_path: Path) -> Released:
    return unpack(request.param, tmp_path)


@pytest.fixture
def settings(released: Released) -> Settings:
    return Settings(data_dir=released.data, broker_url="memory://")


@pytest.fixture
def migrated(released: Released, ktl: Ktl) -> Released:
    assert ktl("migrate").status == 0
    return released


@pytest.fixture
def client(migrated: Released, settings: Settings) -> Iterator[httpx.Client]:
    """The API on it, for the default project; no worker runs."""
    with serve(create_app(settings)) as client:
        client.headers["Authorization"] = f"Bearer {KEYS['default']}"
        yield client
