"""Hands work to idle children: a step of Celery's worker, in its event loop.

What waits is told by the lookout, a process beside the loop. Nothing here waits for a network or a
database, so the loop always turns: children are reaped and replaced whatever becomes of the broker.
"""

import time
from typing import Any

from celery import bootsteps
from celery.worker import state

from app.messages import Message, Publisher, RunTrial
from app.settings import Settings
from worker.machine.capacity import training_slots
from worker.process.lookout_link import LookoutLink
from worker.process.watchdog import LivenessFile, Watchdog

CHECK_SECONDS = 1.0
TURN_SECONDS = 10.0  # between two signs that the loop turns, which the API's gauges show
AGAIN_SECONDS = 1.0  # what is still there after being handed out comes behind what has waited


class Dispatch(bootsteps.StartStopStep):  # type: ignore[misc]  # Celery has no types
    """`application.dispatch` once the worker is made."""

    requires = ("celery.worker.components:Hub", "celery.worker.components:Pool")

    def __init__(self, worker: Any, **_: Any) -> None:
        super().__init__(worker)
        settings = Settings()
        self._worker, self._slots = worker, training_slots(settings)
        self._publish = Publisher(worker.app)
        self._watchdog, self._sign = Watchdog(), LivenessFile(settings)
        self._lookout: LookoutLink | None = None
        self._handed_out: dict[Message, float] = {}  # of late, and when
        worker.app.dispatch = self

    def start(self, worker: Any) -> None:
        self._watchdog.start()

    def register_with_event_loop(self, worker: Any, hub: Any) -> None:
        """Called again where the loop has failed and begins anew."""
        if self._lookout:
            self._lookout.close()
        self._lookout = LookoutLink(hub, self._hand_out)
        self._lookout.check()
        hub.call_repeatedly(CHECK_SECONDS, self._lookout.check)
        hub.call_repeatedly(TURN_SECONDS, self._lookout.tell, "turned")
        hub.on_tick.add(self._turn)

    def close(self, worker: Any) -> None:
        """A worker that drains waits for its children, not in its loop."""
        self._watchdog.stop()
        self._sign.withdraw()
        if self._lookout:
            self._lookout.close()

    def free_leases(self, task: str, out_of_memory: bool) -> None:
        """Called when the child that ran the task was killed; by the kernel, where there was no
        memory left."""
        if self._lookout:
            self._lookout.tell(f"lost {task} {'memory' if out_of_memory else ''}")

    def _hand_out(self, waiting: list[Message]) -> None:
        """Each trial wakes a child while slots are free, anything else any child. One that finds
        its work taken goes back to idle; what finds no child stands in the next report.

        Not called from a turn, whose callbacks have no order: the pool's, which looks for something
        to write, may have been before it, and the loop would sleep over what was handed out."""
        self._sign.give()
        idle, slots = self._room()
        now = time.monotonic()
        late = {m: at for m, at in self._handed_out.items() if now - at < AGAIN_SECONDS}
        self._handed_out = late
        for message in waiting:
            if message in late:
                continue
            if isinstance(message, RunTrial):
                if slots <= 0:
                    continue
                slots -= 1
            if idle <= 0:
                break
            idle -= 1
            late[message] = now
            self._publish(message)
            self._worker.consumer.connection.drain_events(timeout=0)

    def _turn(self) -> None:
        self._watchdog.turned()
        if self._lookout:
            idle, _ = self._room()
            self._lookout.tell_once("room" if idle > 0 else "full")

    def _room(self) -> tuple[int, int]:
        """How many children are idle, and how many more may train."""
        tasks = [request.name for request in state.reserved_requests]
        idle: int = self._worker.pool.num_processes - len(tasks)
        return idle, self._slots - tasks.count(RunTrial.task)
