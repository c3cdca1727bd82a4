"""The Celery application of a worker, and what happens around its child processes.

Prefork: the parent imports TensorFlow, so that children share its memory, and runs no operation of
it, which would hang them. A child is kept for many trials, with its compiled functions.
"""

import ctypes
import multiprocessing
import os
import signal
import sys
import tempfile
from typing import Any

import keras  # noqa: F401  imported before the fork on purpose
import structlog
import tensorflow  # noqa: F401
from billiard.exceptions import WorkerLostError
from celery import signals

from app.database import Database
from app.jobs import recovery
from app.messages import Publisher, celery_application
from app.settings import Settings
from worker.capacity import threads_a_slot, training_slots
from worker.declaring import declare
from worker.oom_kills import OomKills, offer_itself

log = structlog.get_logger(__name__)

settings = Settings()
application = celery_application(settings.broker)
application.conf.update(
    worker_concurrency=training_slots(settings) + 1,  # one more for intakes and finalising
    imports=["worker.tasks"],
)
# Shared memory, made before the fork, and without a lock: a child that is killed while it holds the
# lock of a multiprocessing.Event, which `is_set` takes, stops the whole worker for good.
_draining = multiprocessing.RawValue("b", 0)
# Several workers may share a data folder, so the locks stand in a folder of this one.
slots = tempfile.TemporaryDirectory(prefix="ktl-slots-", ignore_cleanup_errors=True)
_parent = os.getpid()
_oom_kills = OomKills()


@signals.worker_shutting_down.connect  # type: ignore[untyped-decorator]  # Celery has no types
def _drain(**_: Any) -> None:
    _draining.value = 1


def is_draining() -> bool:
    """True in every child once the worker has been told to end."""
    return bool(_draining.value)


@signals.worker_process_init.connect  # type: ignore[untyped-decorator]
def _start_child(**_: Any) -> None:
    """A child dies with its parent: an orphan would train for nobody."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
        if os.getppid() != _parent:  # it died before the line above
            os._exit(1)
    offer_itself()
    from worker.training.device import configure_tensorflow
    from worker.workplace import workplace

    configure_tensorflow(threads_a_slot(settings))
    declare(workplace())


@signals.task_failure.connect  # type: ignore[untyped-decorator]
def _free_leases(task_id: str, exception: BaseException, **_: Any) -> None:
    """A child was killed: its lease ends now, and `recover` need not wait for it."""
    if not isinstance(exception, WorkerLostError):
        return
    database = Database(settings.database, Publisher(application))
    try:
        with database.write() as session:
            recovery.abandon(session, task_id, out_of_memory=_oom_kills.rose())
        recovery.recover(database, settings)
    finally:
        database.dispose()
    log.warning("child_lost", task=task_id)
