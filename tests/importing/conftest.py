from pathlib import Path

import pytest

from tests.importing import archives


@pytest.fixture(scope="session")
def plane_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small network, saved once."""
    return archives.saved(archives.plane(), tmp_path_factory.mktemp("archives") / "plane.keras")
