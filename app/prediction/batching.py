"""Wait-0 batching: what has arrived by now goes through the model together; nobody waits for more.

While all threads have a batch the next one gathers, so batches grow with the load by themselves.
Batches that take less than a hop to a thread run in the event loop.
"""

import asyncio
import os
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import accumulate
from typing import NamedTuple

from app.prediction.feeds import Array, Fed, Part
from app.prediction.sessions import Session

PARALLEL = max(1, (os.cpu_count() or 1) - 1)  # the event loop needs a core too
_runs = ThreadPoolExecutor(PARALLEL, "prediction")
# Parts of large requests go one after the other, beside the batches: they hold up their own kind.
_bulk = ThreadPoolExecutor(1, "bulk-prediction")


ALONE = 8  # so many batches of one in a row, and requests run at once, without a turn of the loop,
LOOK_EVERY = 17  # but for one in 17, which finds out whether others come with it again


class Waiting(NamedTuple):
    inputs: Fed
    answer: asyncio.Future[Array]


class Batcher:
    """One a model, used from one event loop."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._quick: deque[Waiting] = deque()  # for the event loop
        self._slow: deque[Waiting] = deque()  # for a thread
        self._is_due = False
        self._running = 0
        self._batches_of_one, self._asked = 0, 1

    async def run(self, inputs: Fed) -> Array:
        """Items as the session's feed prepares them -> probabilities (n, classes) float32."""
        answer = self.begin(inputs)
        return await answer if isinstance(answer, asyncio.Future) else answer

    @property
    def is_alone(self) -> bool:
        """Tells whether who asks now would not wait for others."""
        is_seldom_joined = self._batches_of_one >= ALONE and self._asked % LOOK_EVERY != 0
        return is_seldom_joined and not self._is_due

    def begin(self, inputs: Fed) -> Array | asyncio.Future[Array]:
        """The same, at once for who is alone, or as soon as its batch has run."""
        is_alone, self._asked = self.is_alone, self._asked + 1
        is_quick = len(inputs) <= self._session.inline_rows
        if is_quick and is_alone:
            return self._session.run_inline(inputs)
        loop = asyncio.get_running_loop()
        waiting = Waiting(inputs, loop.create_future())
        (self._quick if is_quick else self._slow).append(waiting)
        if not self._is_due:
            self._is_due = True
            loop.call_soon(self._start, loop)  # what else this turn of the loop reads comes along
        return waiting.answer

    async def run_alone(self, part: Part) -> Array:
        """Items as decoded, a part of a large request -> the same."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(_bulk, self._session.answers, part)

    def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        self._is_due = False
        while batch := _take(self._quick, self._session.inline_rows):
            self._batches_of_one = self._batches_of_one + 1 if len(batch) == 1 else 0
            _settle(batch, _run(self._session, [one.inputs for one in batch]))
        while self._running < PARALLEL and (batch := _take(self._slow, self._session.chunk_rows)):
            self._running += 1
            inputs = [one.inputs for one in batch]
            running = loop.run_in_executor(_runs, _run, self._session, inputs)
            running.add_done_callback(partial(self._finish, loop, batch))

    def _finish(
        self,
        loop: asyncio.AbstractEventLoop,
        batch: list[Waiting],
        done: asyncio.Future[list[Array | Exception]],
    ) -> None:
        self._running -= 1
        _settle(batch, done.result())
        self._start(loop)


def _take(waiting: deque[Waiting], limit: int) -> list[Waiting]:
    """What fits into one run, at least one, without what nobody waits for any more."""
    batch: list[Waiting] = []
    rows = 0
    while waiting:
        one = waiting[0]
        if not one.answer.done():
            rows += len(one.inputs)
            if rows > limit and batch:
                break
            batch.append(one)
        waiting.popleft()
    return batch


def _settle(batch: list[Waiting], answers: list[Array | Exception]) -> None:
    for one, answer in zip(batch, answers, strict=True):
        if one.answer.done():  # its client has gone
            continue
        if isinstance(answer, Exception):
            one.answer.set_exception(answer)
        else:
            one.answer.set_result(answer)


def _run(session: Session, batch: list[Fed]) -> list[Array | Exception]:
    """One answer an input, in order. When the batch fails, each is tried alone: one that the model
    cannot take must not fail its neighbours."""
    if len(batch) == 1:
        return [_alone(session, batch[0])]
    try:
        answers = session.run(session.feed.joined(batch))
    except Exception:
        return [_alone(session, inputs) for inputs in batch]
    ends = accumulate(map(len, batch))
    return [answers[end - len(inputs) : end] for inputs, end in zip(batch, ends, strict=True)]


def _alone(session: Session, inputs: Fed) -> Array | Exception:
    try:
        return session.run(inputs)
    except Exception as error:
        return error
