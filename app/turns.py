"""One turn of one thread per request: its session, its route and its commit.

FastAPI by itself enters a dependency, runs the route, checks what it returned and leaves the
dependency in separate turns of 40 threads. A request then holds a connection while it waits for a
thread, and threads wait for connections, until each gives up after 30 seconds. Here a route asks
for a session and gets one that is opened and closed in the turn in which the route runs, so:

- a connection is held only by a thread that works with it, and one at most by each;
- no more than READS + WRITES such threads run, and the pool has a connection for each of them and
  for the process's own threads (CONNECTIONS): it cannot run dry, whatever the number of requests;
- requests wait for their turn in the event loop, in the order in which they came and without a
  thread; reads never behind writes, which on SQLite all wait for one lock. After WAIT_SECONDS a
  request is told to come again.

The commit is made before the answer exists.
"""

import inspect
from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from functools import partial, wraps
from typing import Annotated, Any, cast

from anyio import CapacityLimiter, move_on_after, to_thread
from fastapi import Depends, Request
from sqlalchemy.orm import Session

from app.errors import Unavailable
from app.gate import GuardedRoute

# Few: each thread that computes makes the event loop wait for its turn of the interpreter.
READS, WRITES = 6, 6
# Besides the turns: keys (2), event streams (2), deployments (2), recovery, and five to spare.
CONNECTIONS = READS + WRITES + 12
WAIT_SECONDS = 10.0


@dataclass(frozen=True)
class Opening:
    """Stand-in for a session until its turn comes."""

    opens: Callable[[], AbstractContextManager[Session]]


class Turns:
    """The threads of one process that work for requests."""

    def __init__(self) -> None:
        self._reads, self._writes = CapacityLimiter(READS), CapacityLimiter(WRITES)

    async def take(self, writes: bool, work: Callable[[], Any]) -> Any:
        """Raises Unavailable when no thread has become free in time."""
        limiter = self._writes if writes else self._reads
        with move_on_after(WAIT_SECONDS):  # it ends the waiting, never work that has begun
            return await to_thread.run_sync(work, limiter=limiter)
        detail = f"expected a turn within {WAIT_SECONDS:g} s, too many requests wait for theirs"
        raise Unavailable("database_unavailable", detail, headers={"Retry-After": "2"})


async def _turns(request: Request) -> Turns:
    return cast(Turns, request.app.state.turns)


class TurnRoute(GuardedRoute):
    """Runs a plain `def` route in one turn. What only reads is GET."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        if not inspect.iscoroutinefunction(endpoint):
            writes = not set(options.get("methods") or ()) <= {"GET", "HEAD"}
            endpoint = _in_one_turn(endpoint, writes)
        super().__init__(path, endpoint, **options)


def _in_one_turn(
    endpoint: Callable[..., Any], writes: bool
) -> Callable[..., Coroutine[Any, Any, Any]]:
    @wraps(endpoint)
    async def route(*, turns_of_process: Turns, **values: Any) -> Any:
        return await turns_of_process.take(writes, partial(_run, endpoint, values))

    asked = inspect.signature(endpoint)
    turns = inspect.Parameter(
        "turns_of_process",
        inspect.Parameter.KEYWORD_ONLY,
        annotation=Annotated[Turns, Depends(_turns)],
    )
    described = asked.replace(parameters=[*asked.parameters.values(), turns])
    route.__signature__ = described  # type: ignore[attr-defined]  # read by FastAPI
    return route


def _run(endpoint: Callable[..., Any], values: dict[str, Any]) -> Any:
    with ExitStack() as sessions:
        for name, value in values.items():
            if isinstance(value, Opening):
                values[name] = sessions.enter_context(value.opens())
        return endpoint(**values)
