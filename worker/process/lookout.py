"""`python -m worker.process.lookout`: looks for work on behalf of a worker, in its own process.

Whatever the broker, the database or their clients do, they hold up this process only, which the
worker replaces when it falls silent. A message of the broker says "look", no more; without any, the
lookout looks every few seconds. The two talk in lines:

    worker -> lookout    room | full | lost TASK [memory]    is a child idle? a child was killed
    worker -> lookout    turned                              the event loop turns
    lookout -> worker    [[TASK NAME, FIELDS], ...]          what waits; empty as a sign of life
"""

import json
import os
import socket
import sys
import time
from contextlib import suppress
from dataclasses import asdict
from queue import Empty, SimpleQueue
from threading import Event, Thread

import structlog
from sqlalchemy.exc import SQLAlchemyError

from app.database import Database
from app.jobs import recovery, work
from app.logs import configure_logs
from app.messages import QUEUE, Message, celery_application
from app.settings import Settings
from app.workers import repository as workers

log = structlog.get_logger(__name__)

MOST = 32  # of each kind in a report; what is begun makes room for the next
PAUSE_SECONDS = 0.05  # after a look, so that a thousand messages are a few looks
RECONNECT_SECONDS = 1.0
DEAF_SECONDS = 60.0  # the broker's client may stand still; then the lookout starts anew


class Lookout:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._database = Database(settings.database)
        self._orders: SimpleQueue[str] = SimpleQueue()
        self._room = Event()
        self._rung = False  # a message has come that no look has followed yet
        self._listened = time.monotonic()
        self._complaints: dict[str, str] = {}  # the last of each kind, until it is well again

    def run(self) -> None:
        for loop in (self._obey, self._listen):
            Thread(target=loop, name=loop.__name__, daemon=True).start()
        while time.monotonic() - self._listened < DEAF_SECONDS:
            self._follow(self._next_order())
            self._report(self._look() if self._room.is_set() else [])
            time.sleep(PAUSE_SECONDS)
        log.error("broker_client_stands_still", consequence="the lookout ends")

    def _next_order(self) -> str:
        try:
            return self._orders.get(timeout=self._settings.look_interval_seconds)
        except Empty:
            return "look"

    def _follow(self, order: str) -> None:
        match order.split():
            case ["room"]:
                self._room.set()
            case ["full"]:
                self._room.clear()
            case ["turned"]:
                self._tell_of_turn()
            case ["lost", task, *why]:
                self._free_leases(task, out_of_memory=why == ["memory"])
            case _:
                self._rung = False

    def _look(self) -> list[Message]:
        try:
            with self._database.read() as session:
                found = work.waiting(session, MOST, self._settings.quota_running_trials)
        except SQLAlchemyError as error:
            self._complain("look_failed", error)
            return []
        self._complaints.pop("look_failed", None)
        return found

    def _tell_of_turn(self) -> None:
        try:
            with self._database.write() as session:
                workers.turned(session, socket.gethostname())
        except SQLAlchemyError as error:  # the next turn tells it
            self._complain("turn_not_told", error)
            return
        self._complaints.pop("turn_not_told", None)

    def _free_leases(self, task: str, out_of_memory: bool) -> None:
        """Ends the leases of a killed child now, and `recover` need not wait for them."""
        try:
            with self._database.write() as session:
                recovery.abandon(session, task, out_of_memory)
            recovery.recover(self._database, self._settings)
        except SQLAlchemyError as error:  # they end by themselves
            log.warning("leases_not_freed", task=task, error=str(error))

    def _report(self, found: list[Message]) -> None:
        pairs = [[message.task, asdict(message)] for message in found]
        os.write(sys.stdout.fileno(), json.dumps(pairs).encode() + b"\n")

    def _obey(self) -> None:
        for line in sys.stdin:
            self._orders.put(line)
        os._exit(0)  # the worker has ended

    def _listen(self) -> None:
        application = celery_application(self._settings.broker)
        queue = application.amqp.queues[QUEUE]
        while True:
            self._listened = time.monotonic()
            try:
                with application.connection_for_read() as connection:
                    connection.connect()  # tries once; what follows would try for ever
                    self._complaints.pop("broker_lost", None)
                    connection.Consumer([queue], on_message=self._ring, no_ack=True).consume()
                    while True:
                        self._listened = time.monotonic()
                        # A message should wake a worker that has an idle child.
                        if self._room.wait(timeout=1):
                            with suppress(TimeoutError):
                                connection.drain_events(timeout=1)
            except Exception as error:  # whatever a transport raises, and whatever stood in a queue
                self._complain("broker_lost", error)
            time.sleep(RECONNECT_SECONDS)

    def _complain(self, event: str, error: Exception) -> None:
        """Logs it once, however often it comes in a row."""
        said = str(error).partition("\n")[0]
        if self._complaints.get(event) != said:
            self._complaints[event] = said
            log.warning(event, error=said)

    def _ring(self, _: object) -> None:
        if not self._rung:
            self._rung = True
            self._orders.put("look")


if __name__ == "__main__":
    configure_logs()
    Lookout(Settings()).run()
