"""uvicorn's HTTP/1.1, with an answer for requests that wait for nothing as soon as they are read.

uvicorn starts a task when a head is complete. Here its body is waited for first, a moment: if it
comes, the application may answer there and then (app/at_once.py), without a task and with one
write. Many clients send head and body one after the other.
"""

from asyncio import TimerHandle
from typing import Any

from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from app.at_once import AnswersAtOnce, WholeAnswer

OK = STATUS_LINE[200]
HELD_SECONDS = 0.001  # for a body; then the task is started, which may refuse without it


class PromptProtocol(HttpToolsProtocol):
    def __init__(self, **uvicorns: Any) -> None:
        super().__init__(**uvicorns)
        self._prompt: AnswersAtOnce | None = self.app if hasattr(self.app, "at_once") else None
        self._may_hold = False
        self._held: tuple[RequestResponseCycle, Any] | None = None  # a task that is not started
        self._holding: TimerHandle | None = None

    def data_received(self, data: bytes) -> None:
        # The first request of a piece alone: who sends many in one must not hold the others up.
        self._may_hold = self._prompt is not None
        super().data_received(data)
        self._may_hold = False
        if self._held is not None and self._holding is None:
            self._holding = self.loop.call_later(HELD_SECONDS, self._let_go)

    def on_message_complete(self) -> None:
        super().on_message_complete()
        if (held := self._held) is not None:
            self._held = None
            if self._holding is not None:
                self._holding.cancel()
                self._holding = None
            self._begin(*held)

    def _let_go(self) -> None:
        held, self._held, self._holding = self._held, None, None
        if held is not None:
            super()._start_asgi_task(*held)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        if self._may_hold:
            self._may_hold = False
            self._held = cycle, app
        else:
            super()._start_asgi_task(cycle, app)

    def _begin(self, cycle: RequestResponseCycle, app: Any) -> None:
        """Answers, or starts the task that does."""
        begun: Any = None
        is_plain = cycle.keep_alive and not cycle.waiting_for_100_continue
        if self._prompt is app and is_plain and not self.flow.write_paused:
            begun = self._prompt.at_once(cycle.scope, bytes(cycle.body))
        if not isinstance(begun, WholeAnswer):
            super()._start_asgi_task(cycle, begun or app)
            return
        lines = [b"%b: %b\r\n" % header for header in (*cycle.default_headers, *begun.headers)]
        self.transport.write(b"".join((OK, *lines, b"\r\n", begun.content)))
        cycle.response_started = cycle.response_complete = True
        self.on_response_complete()
