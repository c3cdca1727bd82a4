"""Work of a woken child: claim a row, do the work, and go on while there is work."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import structlog
from filelock import FileLock, Timeout
from sqlalchemy.exc import OperationalError

from app import leases
from app.errors import Fenced
from app.jobs import work
from app.tables.analyses import Analysis
from app.tables.audits import AuditRow
from app.tables.datasets import DatasetRow
from app.tables.jobs import TrialRow
from app.tables.model_imports import ModelImportRow
from app.tables.next_labels import NextLabelsRow
from worker.audit import auditing
from worker.importing import importing
from worker.intake import intake
from worker.labelling import labelling
from worker.machine.capacity import training_slots
from worker.machine.context import WorkerContext
from worker.process import analysing
from worker.process.resident_memory import release_memory
from worker.trials import finalising  # both before the fork, so that children start with them
from worker.trials import run as trial_run
from worker.trials.lease_keeper import LeaseKeeper

log = structlog.get_logger(__name__)

Asked = TypeVar("Asked", bound=Analysis)


def train(context: WorkerContext, owner: str) -> None:
    """Trains trial after trial. A worker has slots for so many at once; a child that finds all of
    them taken leaves at once, so that intakes never wait behind a long training."""
    while True:
        with _training_slot(context) as got_one:
            if not got_one:
                if context.binding.is_misplaced(training_slots(context.settings)):
                    _end_process()  # its successor goes to the GPU that is free
                return
            while not context.is_draining() and (trial := _claim(context, owner)):
                _run(context, trial)
                if context.binding.has_failed:
                    _end_process()  # CUDA does not come back within a process
        # A trial queued while the slot was held sent its message to a child that found it taken.
        if context.is_draining() or not _has_queued(context):
            return


def finalise(context: WorkerContext, job_id: str, owner: str) -> None:
    with context.database.write() as session:
        lease = context.settings.lease_seconds
        job = work.claim_finalisation(session, job_id, owner, lease)
    if job is not None:
        with LeaseKeeper(context, job) as keeper:
            finalising.run(context, job, lambda: keeper.signal)


def ingest(context: WorkerContext, dataset_id: str, owner: str) -> None:
    with context.database.write() as session:
        free = DatasetRow.token.is_(None) | leases.expired(DatasetRow)
        raw = (DatasetRow.id == dataset_id) & (DatasetRow.status == "ingesting") & free
        dataset = leases.claim(
            session, DatasetRow, raw, [DatasetRow.id], owner, context.settings.lease_seconds
        )
    if dataset is not None:
        with LeaseKeeper(context, dataset):
            try:
                intake.ingest(context.database, context.storage, context.settings, dataset)
            except Fenced:
                log.info("intake_lost", dataset=dataset_id)
            except OperationalError as error:  # the lease ends, and another goes on
                log.warning("intake_left", dataset=dataset_id, error=str(error.orig))


def audit(context: WorkerContext, audit_id: str, owner: str) -> None:
    _analyse(context, AuditRow, audit_id, owner, auditing.result_of)


def rank_unlabelled(context: WorkerContext, ranking_id: str, owner: str) -> None:
    _analyse(context, NextLabelsRow, ranking_id, owner, labelling.result_of)


def import_model(context: WorkerContext, import_id: str, owner: str) -> None:
    if (row := _claimed(context, ModelImportRow, import_id, owner)) is not None:
        with LeaseKeeper(context, row):
            importing.run(context, row)


def _analyse(
    context: WorkerContext,
    table: type[Asked],
    row_id: str,
    owner: str,
    result_of: Callable[[WorkerContext, Asked], dict[str, Any]],
) -> None:
    if (row := _claimed(context, table, row_id, owner)) is not None:
        with LeaseKeeper(context, row):
            analysing.run(context, row, lambda: result_of(context, row))


def _claimed(context: WorkerContext, table: type[Asked], row_id: str, owner: str) -> Asked | None:
    with context.database.write() as session:
        lost = (table.status == "running") & leases.expired(table)
        mine = (table.id == row_id) & ((table.status == "queued") | lost)
        seconds = context.settings.lease_seconds
        row = leases.claim(session, table, mine, [table.id], owner, seconds, status="running")
    if row is not None:
        release_memory(context.settings)
    return row


def _claim(context: WorkerContext, owner: str) -> TrialRow | None:
    with context.database.write() as session:
        return work.claim_trial(
            session,
            owner,
            context.settings.lease_seconds,
            context.settings.max_attempts,
            context.settings.quota_running_trials,
        )


def _run(context: WorkerContext, trial: TrialRow) -> None:
    release_memory(context.settings)
    with LeaseKeeper(context, trial) as keeper:
        trial_run.run(context, trial, keeper)


def _end_process() -> None:
    """Celery's parent starts another child in its place."""
    os.kill(os.getpid(), signal.SIGKILL)


def _has_queued(context: WorkerContext) -> bool:
    with context.database.read() as session:
        return work.has_queued(session, context.settings.quota_running_trials)


@contextmanager
def _training_slot(context: WorkerContext) -> Iterator[bool]:
    """A file lock: it is free again however its holder ends."""
    for number in range(training_slots(context.settings)):
        if not context.binding.has_slot(number):
            continue
        slot = FileLock(context.slots / f"{number}.lock")
        try:
            slot.acquire(blocking=False)
        except Timeout:
            continue
        try:
            yield True
        finally:
            slot.release()
        return
    yield False
