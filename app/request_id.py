"""Each request has an id, the client's `X-Request-Id` or ours; answer and log carry it. No answer
may be taken for another type than it says: a name that holds HTML is JSON to every browser."""

import re
from collections.abc import Iterable
from random import Random

import structlog
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADER = "X-Request-Id"
_ids = Random()  # noqa: S311  # an id must differ from others, and is no secret
SANE = re.compile(rb"[A-Za-z0-9._:-]{1,128}")  # it goes into log lines


def request_id_of(scope: Scope) -> str:
    return str(scope["state"]["request_id"])


class RequestId:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = request_id_for(scope["headers"])
        scope.setdefault("state", {})["request_id"] = request_id

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers[HEADER] = request_id
                headers["X-Content-Type-Options"] = "nosniff"
            await send(message)

        # The server gives each request a context of its own: nothing to unbind.
        structlog.contextvars.bind_contextvars(request_id=request_id)
        await self._app(scope, receive, send_with_id)


def request_id_for(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """The client's own where it is sane, else a new one."""
    for name, value in headers:
        if name == b"x-request-id" and SANE.fullmatch(value):
            return str(value, "ascii")
    return f"{_ids.getrandbits(128):032x}"
