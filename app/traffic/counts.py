"""Counts of a stretch of time, as they are stored and added up."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Self

import numpy as np
from pydantic import BaseModel

from app.tasks import Task
from app.traffic.tally import Answers, Increment

FIRST_ITEMS = 500  # to hold later ones against, of a model whose answers on a test are not known
TESTED = "test_answers"  # in a model's card


class AnswersSeen(BaseModel):
    """Answers, counted: `items` of them, by their place in the task's `answer_kinds`; `confidence`
    is the sum of the items' largest probabilities."""

    items: int = 0
    kinds: dict[int, int] = {}
    confidence: float = 0.0

    @classmethod
    def of(cls, task: Task, answers: Iterable[Answers]) -> Self:
        """`answers`: of a packaged graph, (n, outputs) each."""
        given = [each for each in answers if each.shape[1] == task.outputs]
        if not given:
            return cls()
        whole = np.concatenate(given)
        places, counts = np.unique(task.kinds_of(whole), return_counts=True)
        confidence = task.confidence_of(whole)
        return cls(
            items=len(whole),
            kinds=dict(zip(places.tolist(), counts.tolist(), strict=True)),
            confidence=0.0 if confidence is None else float(confidence.sum(dtype=np.float64)),
        )

    def __add__(self, other: Self) -> Self:
        return type(self)(
            items=self.items + other.items,
            kinds=Counter(self.kinds) + Counter(other.kinds),
            confidence=self.confidence + other.confidence,
        )


def answers_on_test(card: Mapping[str, Any]) -> AnswersSeen | None:
    """Returns a packaged model's answers on the items that it was tested on; None of models of
    earlier releases, and of those that were trained elsewhere."""
    return AnswersSeen.model_validate(card[TESTED]) if TESTED in card else None


class Counts(BaseModel):
    """`errors`: requests by status, `latency`: answered ones by app.traffic.latency's bins,
    `warned`: by a warning's code. `answers`: of some of the requests."""

    requests: int = 0
    items: int = 0
    errors: dict[int, int] = {}
    latency: dict[int, int] = {}
    warned: dict[str, int] = {}
    answers: AnswersSeen = AnswersSeen()

    @classmethod
    def of(cls, taken: Increment, answers: AnswersSeen) -> Self:
        return cls(
            requests=taken.requests,
            items=taken.items,
            errors=dict(taken.errors),
            latency=dict(taken.latency),
            warned=dict(taken.warned),
            answers=answers,
        )

    def __add__(self, other: Self) -> Self:
        return type(self)(
            requests=self.requests + other.requests,
            items=self.items + other.items,
            errors=Counter(self.errors) + Counter(other.errors),
            latency=Counter(self.latency) + Counter(other.latency),
            warned=Counter(self.warned) + Counter(other.warned),
            answers=self.answers + other.answers,
        )
