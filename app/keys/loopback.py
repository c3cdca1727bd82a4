"""While the server asks for no key, a web page must not be able to use it through the browser.

A page that is open anywhere can post to 127.0.0.1 (its Origin tells), and can point its own name
there (DNS rebinding: the Host tells). Programs on this machine name the machine.
"""

from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from app.errors import Forbidden
from app.keys.authentication import Authenticator
from app.problems import problem_response

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


class LoopbackGuard:
    def __init__(self, app: ASGIApp, authenticator: Authenticator) -> None:
        self._app, self._authenticator = app, authenticator

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        foreign = _foreign_header(scope) if scope["type"] == "http" else None
        if foreign is None or not await run_in_threadpool(lambda: self._authenticator.is_open):
            await self._app(scope, receive, send)
            return
        detail = f"expected the header {foreign} to name this machine (localhost), got another"
        error = Forbidden("foreign_origin", detail)
        await problem_response(error, scope)(scope, receive, send)


def _foreign_header(scope: Scope) -> str | None:
    headers = Headers(scope=scope)
    if not _is_loopback(f"//{headers.get('host', '')}"):
        return "Host"
    if not _is_loopback(headers.get("origin", "//localhost")):
        return "Origin"
    return None


def _is_loopback(url: str) -> bool:
    try:
        return urlsplit(url).hostname in LOOPBACK_NAMES
    except ValueError:
        return False
