"""Hands work to idle children: a step of Celery's worker, in its event loop.

What waits is told by the lookout, a process beside the loop. Nothing here waits for a network or a
database, so the loop always turns: children are reaped and replaced whatever becomes of the broker.
"""

from collections import deque
from typing import Any

from celery import bootsteps
from celery.worker import state

from app.messages import Message, Publisher, RunTrial
from app.settings import Settings
from worker.capacity import training_slots
from worker.lookout_link import LookoutLink
from worker.watchdog import SignOfLife, Watchdog

CHECK_SECONDS = 1.0


class Dispatch(bootsteps.StartStopStep):  # type: ignore[misc]  # Celery has no types
    """`application.dispatch` once the worker is made."""

    requires = ("celery.worker.components:Hub", "celery.worker.components:Pool")

    def __init__(self, worker: Any, **_: Any) -> None:
        super().__init__(worker)
        settings = Settings()
        self._worker, self._slots = worker, training_slots(settings)
        self._publish = Publisher(worker.app)
        self._waiting: deque[Message] = deque()
        self._watchdog, self._sign = Watchdog(), SignOfLife(settings)
        self._lookout: LookoutLink | None = None
        worker.app.dispatch = self

    def register_with_event_loop(self, worker: Any, hub: Any) -> None:
        self._lookout = LookoutLink(hub, self._take_report)
        self._lookout.check()
        hub.call_repeatedly(CHECK_SECONDS, self._lookout.check)
        hub.on_tick.add(self._turn)
        self._watchdog.start()

    def close(self, worker: Any) -> None:
        """A worker that drains waits for its children, not in its loop."""
        self._watchdog.stop()
        self._sign.withdraw()
        if self._lookout:
            self._lookout.close()

    def free_leases(self, task: str) -> None:
        """Called when the child that ran the task was killed."""
        if self._lookout:
            self._lookout.tell(f"lost {task}")

    def _take_report(self, waiting: list[Message]) -> None:
        self._sign.give()
        self._waiting = deque(waiting)

    def _turn(self) -> None:
        """Each trial of the report wakes a child while slots are free, anything else any child. A
        child that finds its work taken meanwhile goes back to idle."""
        self._watchdog.turned()
        tasks = [request.name for request in state.reserved_requests]
        idle = self._worker.pool.num_processes - len(tasks)
        slots = self._slots - tasks.count(RunTrial.task)
        while self._waiting and idle > 0:
            message = self._waiting.popleft()
            if isinstance(message, RunTrial):
                if slots <= 0:
                    continue
                slots -= 1
            idle -= 1
            self._publish(message)
            self._worker.consumer.connection.drain_events(timeout=0)
        if self._lookout:
            self._lookout.tell_once("room" if idle > 0 else "full")
