"""Who explains when: one at a time, and nobody's many before another's one."""

import asyncio

import pytest

from app.errors import Unavailable
from app.prediction.explaining import line as lines
from app.prediction.explaining.line import ExplanationLine


def test_keys_take_turns_and_one_works_at_a_time() -> None:
    order: list[str] = []

    async def work(line: ExplanationLine, key: str) -> None:
        async with line.turn(key):
            order.append(f"+{key}")
            await asyncio.sleep(0)
            order.append(f"-{key}")

    async def run() -> None:
        line = ExplanationLine()
        await asyncio.gather(*(work(line, key) for key in ("a", "a", "a", "a", "b")))

    asyncio.run(run())
    begun = [each[1:] for each in order[::2]]
    assert [f"+{key}" for key in begun] == order[::2]
    assert [f"-{key}" for key in begun] == order[1::2]
    assert begun.index("b") <= 1


def test_who_waits_too_long_is_told_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "WAIT_SECONDS", 0.01)

    async def run() -> None:
        line = ExplanationLine()
        async with line.turn("a"):
            for key in ("a", "b"):
                with pytest.raises(Unavailable, match="expected a turn"):
                    async with line.turn(key):
                        pass
        async with line.turn("a"):  # nothing is held by who has gone
            pass

    asyncio.run(run())
