"""What a child process works with. Made on first use, after the fork."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from app.background import Outbox
from app.database import Database
from app.settings import Settings
from app.storage import Storage


@dataclass(frozen=True)
class Workplace:
    settings: Settings
    database: Database
    storage: Storage
    slots: Path  # a lock file for each trial that this worker may train at once
    is_draining: Callable[[], bool]

    @property
    def scratch(self) -> Path:
        """A folder on this machine for files on their way to the store."""
        folder = self.settings.cache_dir / "scratch"
        folder.mkdir(parents=True, exist_ok=True)
        return folder


@cache
def workplace() -> Workplace:
    from worker.celery_app import is_draining, settings, slots

    outbox = Outbox(settings.broker)
    outbox.start()
    return Workplace(
        settings=settings,
        database=Database(settings.database, outbox),
        storage=Storage(settings.storage, settings.cache_dir),
        slots=Path(slots.name),
        is_draining=is_draining,
    )
