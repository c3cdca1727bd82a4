import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from app.settings import Settings
from app.storage import Storage

Put = Callable[..., str]
LONG_AGO = 10_000.0  # seconds: past any grace period


@pytest.fixture
def put(storage: Storage, settings: Settings, tmp_path: Path) -> Put:
    """Stores some content, long ago where nothing else is said; returns its ref."""

    def put(content: str, is_old: bool = True, checkpoint: str | None = None) -> str:
        path = tmp_path / "content.npz"
        path.write_bytes(content.encode())
        ref = storage.write(checkpoint, path) if checkpoint else storage.put(path)
        if is_old:
            age(Path(settings.storage) / ref)
        return ref

    return put


def age(path: Path) -> None:
    moment = time.time() - LONG_AGO
    os.utime(path, (moment, moment))
