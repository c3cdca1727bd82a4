"""Requests that take long: one of a key at a time, in steps, and small ones go between the steps.

A step is a fraction of a millisecond in the event loop, or numpy's and ONNX Runtime's work in a
thread, which leaves Python to the others. Nothing is made of a whole request at once: its inputs
are converted, run and answered part by part.
"""

import asyncio
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import chain
from typing import NamedTuple, TypeVar
from weakref import WeakValueDictionary

from starlette.types import Receive

from app.errors import invalid
from app.prediction.bodies import BodyStart, Limit, rest
from app.prediction.inputs import cut_items
from app.prediction.outputs import check_finite
from app.prediction.protocols.contract import Answer, AnsweredRequest, Decoder, Read, ended
from app.prediction.schemas import PredictionWarning
from app.prediction.served import Loaded
from app.traffic.tally import Tally

SMALL_SCORES = 2**10  # of an answer that is made at once
SCORES_LIMIT = 2**18
_checks = ThreadPoolExecutor(1, "large-bodies")
_readers = ThreadPoolExecutor(2, "slow-bodies")  # each may take 256 MiB for a picture
T = TypeVar("T")


class Question(NamedTuple):
    """All of a request but its body."""

    name: str
    loaded: Loaded
    decoder: Decoder
    tally: Tally


class LargeRequests:
    """One a process, used from one event loop."""

    def __init__(self) -> None:
        self._keys: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._working = asyncio.Lock()  # first come, first served: of each key at most one waits

    async def read_and_answer(
        self, key: str, question: Question, begun: BodyStart, receive: Receive, limit: Limit
    ) -> Answer:
        """`begun`: what of the body is here; the rest is asked for when the key has its turn."""
        async with self._turn(key):
            body = await rest(begun, receive, limit)
            async with self._working:
                loaded = question.loaded
                read = await _between_others(question.decoder.read_in_steps(body, loaded))
                loop = asyncio.get_running_loop()
                check = partial(loaded.check, read.parts, read.place)
                return await _answered(question, read, await loop.run_in_executor(_checks, check))

    async def read_in_thread(
        self, key: str, question: Question, begun: BodyStart, receive: Receive, limit: Limit
    ) -> Read:
        """Reads a body that takes a while whatever its size, where others do not wait for it. A key
        has one that is large at a time, and few threads read those of all keys."""
        decoder, loaded = question.decoder, question.loaded
        in_thread = asyncio.get_running_loop().run_in_executor
        if begun.is_small:
            return await in_thread(_readers, decoder.read, begun.text, loaded)
        async with self._turn(key):
            steps = decoder.read_in_steps(await rest(begun, receive, limit), loaded)
            return await in_thread(_readers, ended, steps)

    async def answer(
        self, key: str, question: Question, read: Read, warnings: tuple[PredictionWarning, ...]
    ) -> Answer:
        """A small body may ask for many scores."""
        async with self._turn(key), self._working:
            return await _answered(question, read, warnings)

    def _turn(self, key: str) -> asyncio.Lock:
        return self._keys.setdefault(key, asyncio.Lock())


async def _between_others(steps: Generator[None, None, T]) -> T:
    """What the steps return; each runs in a turn of the event loop."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: T = end.value
            return result
        await asyncio.sleep(0)


async def _answered(
    question: Question, read: Read, warnings: tuple[PredictionWarning, ...]
) -> Answer:
    """Raises Invalid."""
    loaded, encoder, rows = question.loaded, read.encoder, read.rows
    per_input = encoder.scores_per_input(len(question.loaded.labels))
    if rows * per_input > SCORES_LIMIT:
        detail = (
            f"expected at most {SCORES_LIMIT} scores in an answer, got {rows} inputs with "
            f"{per_input} each: send fewer inputs a request"
        )
        raise invalid("too_many_scores", detail, read.place.at)
    written: list[bytes] = []
    step = max(1, SMALL_SCORES // per_input)
    first = 0
    for part in chain.from_iterable(map(cut_items, read.parts)):
        probabilities = await loaded.batcher.run_alone(part)
        question.tally.answered(probabilities)
        for at in range(0, len(part), step):
            some = probabilities[at : at + step]
            check_finite(some, read.place, first + at)
            written.append(encoder.piece(loaded, some))
            await asyncio.sleep(0)
        first += len(part)
    question.tally.warned(warnings)
    return encoder.answer(AnsweredRequest(question.name, loaded, rows, written, warnings))
