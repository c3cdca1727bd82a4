"""The context of this process, made on first use, after the fork."""

from functools import cache
from pathlib import Path

from app.background import Outbox
from app.database import Database
from app.storage import Storage
from worker.machine.context import WorkerContext


@cache
def worker_context() -> WorkerContext:
    from worker.process.celery_app import binding, is_draining, settings, slots

    outbox = Outbox(settings.broker)
    outbox.start()
    return WorkerContext(
        settings=settings,
        database=Database(settings.database, outbox),
        storage=Storage(settings.storage, settings.cache_dir),
        slots=Path(slots.name),
        is_draining=is_draining,
        binding=binding,
    )
