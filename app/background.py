"""Work of an API process beside answering: it sends messages, and repairs what was lost."""

from collections.abc import Callable
from contextlib import suppress
from queue import Full, Queue
from threading import Event, Thread

import structlog
from celery import Celery
from kombu.exceptions import OperationalError

from app.errors import Unavailable
from app.messages import Message, Publisher, celery_application

log = structlog.get_logger(__name__)

QUEUE_LIMIT = 1000  # messages; what does not fit is found by `recover`
STOP_SECONDS = 5.0
BROKER_SECONDS = 2.0


class Outbox:
    """Hands messages to one thread, so that no request waits for a broker that is down."""

    def __init__(self, broker_url: str) -> None:
        self._application: Celery = celery_application(broker_url)
        self._publish = Publisher(self._application)
        self._waiting: Queue[Message | None] = Queue(QUEUE_LIMIT)
        self._thread: Thread | None = None

    def __call__(self, message: Message) -> None:
        try:
            self._waiting.put_nowait(message)
        except Full:
            log.warning("message_not_sent", task=message.task, error="too many wait")

    def start(self) -> None:
        self._thread = Thread(target=self._send_all, name="outbox", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Sends what waits, for a few seconds; `recover` finds the rest."""
        with suppress(Full):
            self._waiting.put(None, timeout=STOP_SECONDS)
        if self._thread:
            self._thread.join(STOP_SECONDS)

    def check(self) -> None:
        """Raises Unavailable unless the broker answers."""
        try:
            with self._application.connection_for_write(connect_timeout=BROKER_SECONDS) as broker:
                broker.ensure_connection(max_retries=1, interval_start=0, timeout=BROKER_SECONDS)
                broker.default_channel.client.ping()
        except (OperationalError, OSError) as error:
            raise Unavailable("broker_unavailable", "the broker does not answer") from error

    def _send_all(self) -> None:
        while (message := self._waiting.get()) is not None:
            try:
                self._publish(message)
            except Exception:  # this thread must outlive whatever a transport raises
                log.exception("message_not_sent", task=message.task)


class Repeated:
    """Calls `work` every `seconds` in a thread, `is_prompt` from the start on; an error is logged
    and the next round comes."""

    def __init__(
        self, name: str, seconds: float, work: Callable[[], None], *, is_prompt: bool = False
    ) -> None:
        self._name, self._seconds, self._work = name, seconds, work
        self._pause = 0.0 if is_prompt else seconds
        self._stopping = Event()
        self._thread = Thread(target=self._repeat, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(STOP_SECONDS)

    def _repeat(self) -> None:
        while not self._stopping.wait(self._pause):
            self._pause = self._seconds
            try:
                self._work()
            except Exception:
                log.exception("round_failed", thread=self._name)
