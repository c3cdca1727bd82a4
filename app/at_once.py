"""An answer at once, which an application may give to a request whose body is here.

ASGI gives each request a task, and coroutines to wait in. One that waits for nothing pays more for
them than for its answer.
"""

from typing import NamedTuple, Protocol

from starlette.types import ASGIApp, Scope

Headers = list[tuple[bytes, bytes]]


class WholeAnswer(NamedTuple):
    """A successful answer. `headers`: in lower case, with `content-length` and without
    `connection`."""

    headers: Headers
    content: bytes


class AnswersAtOnce(Protocol):
    """An ASGI application that answers some requests without waiting."""

    def at_once(self, scope: Scope, body: bytes) -> WholeAnswer | ASGIApp | None:
        """Begins to answer a request of HTTP, all of whose body is here. Raises nothing.

        Returns:
            Its answer; or what ends it as ASGI does, in a task, without asking for the body; or
            None: nothing was done, the application is to be called.
        """
