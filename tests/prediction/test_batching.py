"""Requests that wait together run together, and none spoils another's answer."""

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any

import numpy as np
import pytest

from app.prediction.batching import Batcher
from app.prediction.sessions import Session


class Doubling:
    """An engine: answers the double, notes the size of each run, cannot take negative numbers."""

    def __init__(self) -> None:
        self.runs: list[int] = []

    def run(self, _: Any, feeds: dict[str, np.ndarray]) -> list[np.ndarray]:
        (inputs,) = feeds.values()
        self.runs.append(len(inputs))
        if (inputs < 0).any():
            raise RuntimeError("negative")
        return [inputs * 2]


def batcher(engine: Doubling, inline_rows: int = 0) -> Batcher:
    return Batcher(Session(engine, (1,), chunk_rows=8, inline_rows=inline_rows))


def rows(*values: float) -> np.ndarray:
    return np.array(values, np.float32).reshape(-1, 1)


def gathered(*asked: Coroutine[Any, Any, Any]) -> list[Any]:
    async def together() -> list[Any]:
        return await asyncio.gather(*asked, return_exceptions=True)

    return asyncio.run(together())


def test_what_has_arrived_runs_together() -> None:
    engine = Doubling()
    many = batcher(engine)
    answers = gathered(*(many.run(rows(value, value + 0.5)) for value in range(10)))
    for value, answer in enumerate(answers):
        np.testing.assert_array_equal(answer, rows(2 * value, 2 * value + 1))
    assert sorted(engine.runs) == [4, 8, 8]  # no more than fits


def test_a_failing_request_does_not_hurt_its_neighbours() -> None:
    engine = Doubling()
    many = batcher(engine)
    first, bad, last = gathered(many.run(rows(1)), many.run(rows(-1)), many.run(rows(3)))
    np.testing.assert_array_equal(first, rows(2))
    np.testing.assert_array_equal(last, rows(6))
    assert isinstance(bad, RuntimeError)
    assert engine.runs == [3, 1, 1, 1]


def test_requests_of_cancelled_clients_are_not_run() -> None:
    engine = Doubling()
    many = batcher(engine)

    async def scenario() -> Any:
        gone = asyncio.ensure_future(many.run(rows(5)))
        stays = asyncio.ensure_future(many.run(rows(1)))
        await asyncio.sleep(0)
        gone.cancel()
        answer = await stays
        with pytest.raises(asyncio.CancelledError):
            await gone
        return answer

    np.testing.assert_array_equal(asyncio.run(scenario()), rows(2))
    np.testing.assert_array_equal(gathered(many.run(rows(4)))[0], rows(8))  # goes on afterwards


def test_quick_models_run_at_once_and_large_requests_in_chunks() -> None:
    engine = Doubling()
    quick = batcher(engine, inline_rows=2)
    (small,) = gathered(quick.run(rows(1, 2)))
    np.testing.assert_array_equal(small, rows(2, 4))
    (large,) = gathered(quick.run_alone(np.ones((20, 1), np.float32)))
    assert large.shape == (20, 1)
    assert engine.runs == [2, 8, 8, 4]


def test_quick_models_run_together_what_comes_together() -> None:
    engine = Doubling()
    quick = batcher(engine, inline_rows=4)
    answers = gathered(*(quick.run(rows(value)) for value in range(10)))
    for value, answer in enumerate(answers):
        np.testing.assert_array_equal(answer, rows(2 * value))
    assert engine.runs == [4, 4, 2]


def test_whoever_is_alone_does_not_wait_for_others_until_they_come_again() -> None:
    engine = Doubling()
    quick = batcher(engine, inline_rows=4)

    async def turns_taken() -> int:
        turns, asked = 0, asyncio.ensure_future(quick.run(rows(1)))
        while not asked.done():
            await asyncio.sleep(0)
            turns += 1
        return turns

    async def scenario() -> tuple[list[int], list[int]]:
        alone = [await turns_taken() for _ in range(64)]
        engine.runs.clear()
        for _ in range(8):
            await asyncio.gather(*(quick.run(rows(value)) for value in range(4)))
        return alone, list(engine.runs)

    alone, together = asyncio.run(scenario())
    assert min(alone[:8]) > 1
    assert alone[32:].count(1) == 30  # of 32, two looked whether others came along
    assert together[-1] == 4


def test_one_that_fails_alone_fails_with_its_own_error() -> None:
    (failed,) = gathered(batcher(Doubling(), inline_rows=4).run(rows(-1)))
    assert isinstance(failed, RuntimeError)


class Held(Doubling):
    """Answers more than one row only when it may."""

    def __init__(self) -> None:
        super().__init__()
        self.may_answer = threading.Event()

    def run(self, _: Any, feeds: dict[str, np.ndarray]) -> list[np.ndarray]:
        if len(feeds["inputs"]) > 1:
            self.may_answer.wait(30)
        return super().run(_, feeds)


def test_a_small_request_waits_for_no_larger_one() -> None:
    engine = Held()
    quick = batcher(engine, inline_rows=1)

    async def scenario() -> Any:
        larger = [asyncio.ensure_future(quick.run(rows(1, 2, 3))) for _ in range(50)]
        await asyncio.sleep(0)
        small = await quick.run(rows(5))
        assert not any(one.done() for one in larger)
        engine.may_answer.set()
        await asyncio.gather(*larger)
        return small

    np.testing.assert_array_equal(asyncio.run(scenario()), rows(10))
