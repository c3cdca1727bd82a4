"""What a child process works with. Made on first use, after the fork."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from app.background import Outbox
from app.database import Database
from app.settings import Settings
from app.storage import Storage
from app.usage.work_folder import work_folder
from worker.process.gpu_binding import GpuBinding


@dataclass(frozen=True)
class Workplace:
    settings: Settings
    database: Database
    storage: Storage
    slots: Path  # a lock file for each trial that this worker may train at once
    is_draining: Callable[[], bool]
    binding: GpuBinding = field(default_factory=lambda: GpuBinding(Path()))

    def scratch(self) -> AbstractContextManager[Path]:
        """A folder on this machine for files on their way to the store, gone after the block."""
        return work_folder(self.settings.cache_dir, "scratch")


@cache
def workplace() -> Workplace:
    from worker.process.celery_app import binding, is_draining, settings, slots

    outbox = Outbox(settings.broker)
    outbox.start()
    return Workplace(
        settings=settings,
        database=Database(settings.database, outbox),
        storage=Storage(settings.storage, settings.cache_dir),
        slots=Path(slots.name),
        is_draining=is_draining,
        binding=binding,
    )
