"""While the server asks for no key, a web page must not be able to use it through the browser.

A page that is open anywhere can post to 127.0.0.1 (its Origin tells), and can point its own name
there (DNS rebinding: the Host tells). Programs on this machine name the machine.
"""

from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Receive, Scope, Send

from app.access.authentication import Authenticator
from app.errors import Forbidden
from app.problems import problem_response

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


class LoopbackGuard:
    def __init__(self, app: ASGIApp, authenticator: Authenticator) -> None:
        self._app, self._authenticator = app, authenticator

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            try:
                await refuse_foreign(scope["headers"], self._authenticator)
            except Forbidden as error:
                await problem_response(error, scope)(scope, receive, send)
                return
        await self._app(scope, receive, send)


async def refuse_foreign(
    headers: Iterable[tuple[bytes, bytes]], authenticator: Authenticator
) -> None:
    """Raises Forbidden for a web page of another site while no key is asked for."""
    if not may_be_foreign(headers, authenticator):
        return
    foreign = _foreign_header(headers)
    if await run_in_threadpool(lambda: authenticator.is_open):
        detail = f"expected the header {foreign} to name this machine (localhost), got another"
        raise Forbidden("foreign_origin", detail)


def may_be_foreign(headers: Iterable[tuple[bytes, bytes]], authenticator: Authenticator) -> bool:
    """Tells whether `refuse_foreign` has to look closer."""
    return not authenticator.asks_for_keys and _foreign_header(headers) is not None


def _foreign_header(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    has_host = False
    for name, value in headers:
        if name == b"host":
            has_host = True
            if not _is_loopback(b"//" + value):
                return "Host"
        elif name == b"origin" and not _is_loopback(value):
            return "Origin"
    return None if has_host else "Host"


@lru_cache(maxsize=256)  # nearly all requests say the same, and taking it apart costs microseconds
def _is_loopback(url: bytes) -> bool:
    try:
        return urlsplit(url.decode("latin-1")).hostname in LOOPBACK_NAMES
    except ValueError:
        return False
