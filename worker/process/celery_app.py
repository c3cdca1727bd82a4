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
from pathlib import Path
from typing import Any

import keras  # noqa: F401  imported before the fork on purpose
import structlog
import tensorflow  # noqa: F401
from billiard.exceptions import WorkerLostError
from celery import signals

from app import private_folder
from app.background import Repeated
from app.messages import celery_application
from app.settings import Settings
from app.usage.sweep import sweep_machine
from worker.machine.capacity import threads_a_slot, training_slots
from worker.machine.compile_cache import programs_folder
from worker.machine.declaring import declare
from worker.machine.gpu_binding import GpuBinding
from worker.machine.gpus import HIDDEN, VISIBLE, gpus
from worker.process import local_broker
from worker.process.dispatch import Dispatch
from worker.process.oom_kills import OomKills, offer_itself

log = structlog.get_logger(__name__)

TIDY_SECONDS = 60.0  # between a child's looks at whether it is time

settings = Settings()
application = celery_application(local_broker.URL)
application.conf.update(
    worker_concurrency=training_slots(settings) + 1,  # one more for intakes and finalising
    worker_prefetch_multiplier=0,  # no limit: Dispatch delivers to idle children only
    worker_max_tasks_per_child=200,
    worker_max_memory_per_child=4_000_000,  # KiB
    worker_enable_remote_control=False,
    worker_hijack_root_logger=False,
    worker_redirect_stdouts=False,
    imports=["worker.process.tasks"],
)
application.steps["worker"].add(Dispatch)
# Shared memory, made before the fork, and without a lock: a child that is killed while it holds the
# lock of a multiprocessing.Event, which `is_set` takes, stops the whole worker for good.
_draining = multiprocessing.RawValue("b", 0)
# Several workers may share a data folder, so the locks stand in a folder of this one.
slots = tempfile.TemporaryDirectory(prefix="ktl-slots-", ignore_cleanup_errors=True)
binding = GpuBinding(Path(slots.name), gpus().usable)
_parent = os.getpid()
_oom_kills = OomKills()
for complaint in gpus().complaints:
    log.warning("gpu_left_out", reason=complaint)
if gpus().complaints and not gpus().usable:
    log.warning("training_on_the_cpu", slots=training_slots(settings))
    os.environ[VISIBLE] = HIDDEN


@signals.worker_init.connect  # type: ignore[untyped-decorator]
def _close_data_folder(**_: Any) -> None:
    """Closes the folder before the children start: what they write is their owner's alone."""
    if left := private_folder.keep_private(settings):
        log.warning("data_folder_open", reason=private_folder.complaint(left))


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
    from worker.machine.device import configure_tensorflow
    from worker.process.context import worker_context
    from worker.training.compile_budget import bound_compiling

    binding.bind()
    configure_tensorflow(threads_a_slot(settings))
    bound_compiling(programs_folder(settings.cache_dir), settings.compile_seconds)
    declare(worker_context())
    Repeated("tidying", TIDY_SECONDS, _tidy).start()


def _tidy() -> None:
    from worker.process.context import worker_context

    sweep_machine(worker_context().database, settings)


@signals.task_failure.connect  # type: ignore[untyped-decorator]
def _free_leases(task_id: str, exception: BaseException, **_: Any) -> None:
    """A child was killed: its lease ends now, and `recover` need not wait for it."""
    if isinstance(exception, WorkerLostError):
        log.warning("child_lost", task=task_id)
        application.dispatch.free_leases(task_id, out_of_memory=_oom_kills.rose())
