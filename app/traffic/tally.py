"""Counts of what is asked, on the hot path: a few additions per request, and of one in many its
answers."""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from app.traffic.latency import BINS, bin_of

Answers = NDArray[np.float32]  # (n, outputs), as a packaged graph answers

T = TypeVar("T")
OK = 200
KEPT = 256  # requests between two looks of the recorder, of which the answers are kept
KEPT_ITEMS = 32  # of one such at most, or of a part of it: a large one is not a day's picture


class Told(Protocol):
    """A warning about the inputs of a request."""

    @property
    def code(self) -> str: ...


class Key(NamedTuple):
    """A model under a name. `name`: of a deployment of the project."""

    project: str
    name: str
    model_id: str


@dataclass(frozen=True)
class Increment:
    """Counts since the last look. `warned`: requests by a warning's code; `answers`: of some
    requests."""

    requests: int
    items: int
    errors: Mapping[int, int]
    latency: Mapping[int, int]
    warned: Mapping[str, int]
    answers: list[Answers]


class Tally:
    """Sums since the process began to count. The event loop alone adds, one thread alone takes."""

    def __init__(self) -> None:
        self._requests = self._items = 0
        self._errors: dict[int, int] = {}
        self._latency = [0] * BINS
        self._warned: dict[str, int] = {}
        self._answers: deque[Answers] = deque(maxlen=KEPT)
        self._every = 1  # so many requests one whose answers are kept
        self._before = Increment(0, 0, {}, {}, {}, [])

    def warned(self, warnings: Iterable[Told]) -> None:
        """Counts what was said of a request's inputs."""
        for warning in warnings:
            self._warned[warning.code] = self._warned.get(warning.code, 0) + 1

    def answered(self, answers: Answers) -> None:
        """Counts items that the model has answered, of a request or a part of it; and keeps the
        answers of one request in so many that it costs nothing."""
        items = len(answers)
        self._items += items
        if self._requests % self._every:
            return
        if items > KEPT_ITEMS:  # from all over it; copied, so that the rest can go
            answers = answers[:: -(-items // KEPT_ITEMS)].copy()
        self._answers.append(answers)

    def ended(self, status: int, seconds: float) -> None:
        """Counts a request at its end."""
        self._requests += 1
        if status == OK:
            self._latency[bin_of(seconds)] += 1
        else:
            self._errors[status] = self._errors.get(status, 0) + 1

    @property
    def has_more(self) -> bool:
        """Tells whether requests have ended since the last look."""
        return self._requests > self._before.requests

    def take(self) -> Increment:
        """Returns what has come since it was called last."""
        requests, items = self._requests, self._items
        errors, warned = self._errors.copy(), self._warned.copy()
        latency = {place: count for place, count in enumerate(self._latency.copy()) if count}
        answers = [self._answers.popleft() for _ in range(len(self._answers))]
        before = self._before
        self._before = Increment(requests, items, errors, latency, warned, [])
        taken = Increment(
            requests - before.requests,
            items - before.items,
            _more(errors, before.errors),
            _more(latency, before.latency),
            _more(warned, before.warned),
            answers,
        )
        self._every = max(1, taken.requests // KEPT)
        return taken


class Tallies:
    """A tally for each model under each name, of one process."""

    def __init__(self) -> None:
        self._tallies: dict[tuple[str, str, str], Tally] = {}

    def of(self, project: str, name: str, model_id: str) -> Tally:
        """Returns the one that counts requests to the model under the name; for the event loop."""
        tally = self._tallies.get((project, name, model_id))
        if tally is None:
            tally = self._tallies[Key(project, name, model_id)] = Tally()
        return tally

    def all(self) -> list[tuple[Key, Tally]]:
        return [(Key(*key), tally) for key, tally in self._tallies.copy().items()]

    def forget(self, key: Key) -> None:
        """Forgets a model that is not asked any more."""
        self._tallies.pop(key, None)


def _more(now: Mapping[T, int], before: Mapping[T, int]) -> dict[T, int]:
    return {key: count - old for key, count in now.items() if count > (old := before.get(key, 0))}
