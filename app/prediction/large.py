"""Requests that take long: one of a key at a time, in steps, and small ones go between the steps.

A step is a fraction of a millisecond in the event loop, or numpy's and ONNX Runtime's work in a
thread, which leaves Python to the others. Nothing is made of a whole request at once: its inputs
are converted, run and answered part by part.
"""

import asyncio
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, TypeVar
from weakref import WeakValueDictionary

from starlette.types import Receive

from app.errors import invalid
from app.prediction.answers import answer, outputs_of
from app.prediction.bodies import Begun, rest
from app.prediction.decoders import read_in_steps
from app.prediction.inputs import Asked, Read, cut, numbered
from app.prediction.schemas import PredictionWarning
from app.prediction.served import Loaded

SMALL_SCORES = 2**10  # of an answer that is made at once
SCORES_LIMIT = 2**18
_checks = ThreadPoolExecutor(1, "large-bodies")
T = TypeVar("T")


class Question(NamedTuple):
    """All of a request but its body."""

    name: str
    loaded: Loaded
    media_type: str
    is_raw: bool


class LargeRequests:
    """One a process, used from one event loop."""

    def __init__(self) -> None:
        self._keys: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._working = asyncio.Lock()  # first come, first served: of each key at most one waits

    async def read_and_answer(
        self, key: str, question: Question, begun: Begun, receive: Receive, limit: int
    ) -> bytes:
        """`begun`: what of the body is here; the rest is asked for when the key has its turn."""
        async with self._turn(key):
            body = await rest(begun, receive, limit)
            async with self._working:
                shape = question.loaded.session.shape
                read = await _between_others(read_in_steps(question.media_type, body, shape))
                loop = asyncio.get_running_loop()
                asked, warning = await loop.run_in_executor(_checks, _checked, question, read)
                return await _answered(question, asked, warning)

    async def answer(
        self, key: str, question: Question, asked: Asked, warning: PredictionWarning | None
    ) -> bytes:
        """A small body may ask for many scores."""
        async with self._turn(key), self._working:
            return await _answered(question, asked, warning)

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


def _checked(question: Question, read: Read) -> tuple[Asked, PredictionWarning | None]:
    """Raises Invalid."""
    if question.is_raw:
        read = read._replace(raw_scores=True)
    asked = Asked.of(read, len(question.loaded.labels))
    trained_on = question.loaded.trained_on
    return asked, trained_on.check(asked) if trained_on else None


async def _answered(question: Question, asked: Asked, warning: PredictionWarning | None) -> bytes:
    """Raises Invalid."""
    if asked.scores > SCORES_LIMIT:
        detail = (
            f"expected at most {SCORES_LIMIT} scores in an answer, got {asked.rows} inputs with "
            f"{asked.top_k or 1} each: send fewer inputs a request"
        )
        raise invalid("too_many_scores", detail, "#/inputs")
    loaded, outputs = question.loaded, []
    rows = max(1, SMALL_SCORES // (asked.top_k or 1))
    pieces = [piece for part in asked.parts for piece in cut(part)]
    for first, part in numbered(pieces):
        probabilities = await loaded.batcher.run_alone(part)
        for at in range(0, len(part), rows):
            some = probabilities[at : at + rows]
            outputs.append(outputs_of(loaded, some, asked, first + at))
            await asyncio.sleep(0)
    return answer(question.name, loaded, asked, outputs, warning)
