"""What a woken child does: claim a row, do the work, and go on while there is work."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import structlog
from filelock import FileLock, Timeout

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
from worker.intake.intake import ingest as take_in
from worker.labelling import labelling
from worker.process import analysing
from worker.process.capacity import training_slots
from worker.process.room import make_room
from worker.process.workplace import Workplace
from worker.trials import finalising  # both before the fork, so that children start with them
from worker.trials import run as trial_run
from worker.trials.lease_keeper import LeaseKeeper

log = structlog.get_logger(__name__)

Asked = TypeVar("Asked", bound=Analysis)


def train(place: Workplace, owner: str) -> None:
    """Trains trial after trial. A worker has slots for so many at once; a child that finds all of
    them taken leaves at once, so that intakes never wait behind a long training."""
    while True:
        with _training_slot(place) as got_one:
            if not got_one:
                if place.binding.is_misplaced(training_slots(place.settings)):
                    _end_process()  # its successor goes to the GPU that is free
                return
            while not place.is_draining() and (trial := _claim(place, owner)):
                _run(place, trial)
                if place.binding.has_failed:
                    _end_process()  # CUDA does not come back within a process
        # A trial queued while the slot was held sent its message to a child that found it taken.
        if place.is_draining() or not _has_queued(place):
            return


def finalise(place: Workplace, job_id: str, owner: str) -> None:
    with place.database.write() as session:
        lease = place.settings.lease_seconds
        job = work.claim_finalisation(session, job_id, owner, lease)
    if job is not None:
        with LeaseKeeper(place, job):
            finalising.run(place, job)


def ingest(place: Workplace, dataset_id: str, owner: str) -> None:
    with place.database.write() as session:
        free = DatasetRow.token.is_(None) | leases.expired(DatasetRow)
        raw = (DatasetRow.id == dataset_id) & (DatasetRow.status == "ingesting") & free
        dataset = leases.claim(
            session, DatasetRow, raw, [DatasetRow.id], owner, place.settings.lease_seconds
        )
    if dataset is not None:
        with LeaseKeeper(place, dataset):
            try:
                take_in(place.database, place.storage, place.settings, dataset)
            except Fenced:
                log.info("intake_lost", dataset=dataset_id)


def audit(place: Workplace, audit_id: str, owner: str) -> None:
    _analyse(place, AuditRow, audit_id, owner, auditing.result_of)


def rank_unlabelled(place: Workplace, ranking_id: str, owner: str) -> None:
    _analyse(place, NextLabelsRow, ranking_id, owner, labelling.result_of)


def import_model(place: Workplace, import_id: str, owner: str) -> None:
    if (row := _claimed(place, ModelImportRow, import_id, owner)) is not None:
        with LeaseKeeper(place, row):
            importing.run(place, row)


def _analyse(
    place: Workplace,
    table: type[Asked],
    row_id: str,
    owner: str,
    result_of: Callable[[Workplace, Asked], dict[str, Any]],
) -> None:
    if (row := _claimed(place, table, row_id, owner)) is not None:
        with LeaseKeeper(place, row):
            analysing.run(place, row, lambda: result_of(place, row))


def _claimed(place: Workplace, table: type[Asked], row_id: str, owner: str) -> Asked | None:
    with place.database.write() as session:
        lost = (table.status == "running") & leases.expired(table)
        mine = (table.id == row_id) & ((table.status == "queued") | lost)
        seconds = place.settings.lease_seconds
        row = leases.claim(session, table, mine, [table.id], owner, seconds, status="running")
    if row is not None:
        make_room(place.settings)
    return row


def _claim(place: Workplace, owner: str) -> TrialRow | None:
    with place.database.write() as session:
        return work.claim_trial(
            session,
            owner,
            place.settings.lease_seconds,
            place.settings.max_attempts,
            place.settings.quota_running_trials,
        )


def _run(place: Workplace, trial: TrialRow) -> None:
    make_room(place.settings)
    with LeaseKeeper(place, trial) as keeper:
        trial_run.run(place, trial, keeper)


def _end_process() -> None:
    """Celery's parent starts another child in its place."""
    os.kill(os.getpid(), signal.SIGKILL)


def _has_queued(place: Workplace) -> bool:
    with place.database.read() as session:
        return work.has_queued(session, place.settings.quota_running_trials)


@contextmanager
def _training_slot(place: Workplace) -> Iterator[bool]:
    """A file lock: it is free again however its holder ends."""
    for number in range(training_slots(place.settings)):
        if not place.binding.has_slot(number):
            continue
        slot = FileLock(place.slots / f"{number}.lock")
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
