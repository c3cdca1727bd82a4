"""A thread that renews a lease while the work goes on, writes how far it is, and says when to stop.

TensorFlow releases the interpreter's lock, so the thread is never late by much (0.12 s was seen).
"""

import os
import signal
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

import structlog
from sqlalchemy.exc import SQLAlchemyError

from app import leases
from app.errors import Fenced
from app.jobs import work
from app.jobs.budget import TimeBudget
from app.leases import Leased
from app.tables.jobs import TrialRow
from worker.machine.context import WorkerContext
from worker.machine.declaring import declare
from worker.training.setup import Signal

log = structlog.get_logger(__name__)

LOOK_SECONDS = 0.4
TELL_SECONDS = 1.5  # between two writes of how far the work is
GRACE_SECONDS = 60.0  # work that has not stopped by then is killed with its process


class LeaseKeeper:
    """`with LeaseKeeper(context, row) as keeper:` ... `keeper.signal`"""

    def __init__(self, context: WorkerContext, row: Leased) -> None:
        self._context, self._table, self._id = context, type(row), row.id
        self._token = row.token or ""
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="lease-keeper", daemon=True)
        self.signal: Signal | None = None
        self.standing: Callable[[], dict[str, float]] | None = None  # columns of the row
        self.others: TimeBudget | None = None  # of the job's other trials, where it has a budget

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._done.set()
        self._thread.join()

    def _keep(self) -> None:
        lease = self._context.settings.lease_seconds
        renewed, stopped = time.monotonic(), None
        while not self._done.wait(min(LOOK_SECONDS, lease / 5)):
            try:
                if self.signal is not Signal.STOP:
                    self.signal = self._look()
                    patience = min(lease / 5, TELL_SECONDS) if self.standing else lease / 5
                    if time.monotonic() - renewed > patience:
                        self._renew(lease)
                        renewed = time.monotonic()
                        declare(self._context)
            except Fenced:
                self.signal = Signal.STOP
            except SQLAlchemyError as error:  # the database may come back before the lease ends
                log.warning("lease_not_renewed", row=self._id, error=str(error))
                if time.monotonic() - renewed > lease:
                    self.signal = Signal.STOP
            if self.signal is Signal.STOP:
                stopped = stopped or time.monotonic()
                if time.monotonic() - stopped > GRACE_SECONDS:
                    log.error("work_did_not_stop", row=self._id)
                    os.kill(os.getpid(), signal.SIGKILL)

    def _look(self) -> Signal | None:
        with self._context.database.read() as session:
            if self._table is TrialRow:
                token, status, others = work.orders(session, self._id)
                self.others = others or self.others
            else:
                token, status = leases.token_of(session, self._table, self._id), ""
        if token != self._token:
            return Signal.STOP
        if status == "paused" or self._context.is_draining():
            return Signal.PAUSE
        return None

    def _renew(self, seconds: float) -> None:
        told = self.standing() if self.standing else {}
        with self._context.database.write() as session:
            leases.renew(session, self._table, self._id, self._token, seconds, **told)
