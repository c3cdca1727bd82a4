"""Wait-0 batching: what has arrived by now goes through the model together; nobody waits for more.

While all threads have a batch the next one gathers, so batches grow with the load by themselves.
"""

import asyncio
import os
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NamedTuple

import numpy as np

from app.prediction.sessions import Array, Session

PARALLEL = max(1, (os.cpu_count() or 1) - 1)  # the event loop needs a core too
_runs = ThreadPoolExecutor(PARALLEL, "prediction")
# What needs several runs goes one after the other, beside the batches: it may hold up its own kind.
_bulk = ThreadPoolExecutor(1, "bulk-prediction")


class Waiting(NamedTuple):
    inputs: Array
    answer: asyncio.Future[Array]


class Batcher:
    """One a model, used from one event loop."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._waiting: deque[Waiting] = deque()
        self._running = 0

    async def run(self, inputs: Array) -> Array:
        """Raw values (n, *shape) float32 -> probabilities (n, classes) float32."""
        if len(inputs) <= self._session.inline_rows:
            return self._session.run(inputs)
        loop = asyncio.get_running_loop()
        if len(inputs) > self._session.chunk_rows:
            return await loop.run_in_executor(_bulk, self._session.run, inputs)
        waiting = Waiting(inputs, loop.create_future())
        self._waiting.append(waiting)
        loop.call_soon(self._start, loop)  # what else this turn of the loop reads comes along
        return await waiting.answer

    def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        while self._running < PARALLEL and (batch := self._take()):
            self._running += 1
            running = loop.run_in_executor(
                _runs, _run, self._session, [one.inputs for one in batch]
            )
            running.add_done_callback(partial(self._finish, loop, batch))

    def _finish(
        self,
        loop: asyncio.AbstractEventLoop,
        batch: list[Waiting],
        done: asyncio.Future[list[Array | Exception]],
    ) -> None:
        self._running -= 1
        failure = done.exception()
        answers = done.result() if failure is None else [failure] * len(batch)
        for one, answer in zip(batch, answers, strict=True):
            if one.answer.done():  # its client has gone
                continue
            if isinstance(answer, BaseException):
                one.answer.set_exception(answer)
            else:
                one.answer.set_result(answer)
        self._start(loop)

    def _take(self) -> list[Waiting]:
        """What fits into one run, without what nobody waits for any more."""
        batch: list[Waiting] = []
        rows = 0
        while self._waiting:
            rows += len(self._waiting[0].inputs)
            if rows > self._session.chunk_rows:
                break
            one = self._waiting.popleft()
            if not one.answer.done():
                batch.append(one)
        return batch


def _run(session: Session, batch: list[Array]) -> list[Array | Exception]:
    """One answer an input, in order. When the batch fails, each is tried alone: one that the model
    cannot take must not fail its neighbours."""
    if len(batch) == 1:
        return [session.run(batch[0])]
    try:
        answers = session.run(np.concatenate(batch))
    except Exception:
        return [_alone(session, inputs) for inputs in batch]
    ends = np.cumsum([len(inputs) for inputs in batch])
    return list(np.split(answers, ends[:-1]))


def _alone(session: Session, inputs: Array) -> Array | Exception:
    try:
        return session.run(inputs)
    except Exception as error:
        return error
