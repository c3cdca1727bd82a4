"""The context that a child process works with: settings, database, store, its share of the
machine."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from app.database import Database
from app.settings import Settings
from app.storage import Storage
from app.usage.work_folder import work_folder
from worker.machine.gpu_binding import GpuBinding


@dataclass(frozen=True)
class WorkerContext:
    settings: Settings
    database: Database
    storage: Storage
    slots: Path  # a lock file for each trial that this worker may train at once
    is_draining: Callable[[], bool]
    binding: GpuBinding = field(default_factory=lambda: GpuBinding(Path()))

    def scratch(self) -> AbstractContextManager[Path]:
        """A folder on this machine for files on their way to the store, gone after the block."""
        return work_folder(self.settings.cache_dir, "scratch")
