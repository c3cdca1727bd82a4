"""The client that is awaited, against the real API."""

import asyncio

import numpy as np
import pytest

from app.cli.supervisor import free_port
from app.client.ktl import ApiError, AsyncClient, Event, Unreachable
from tests.client.jobs import COUNTED


def test_a_jobs_life(api):
    async def live() -> tuple[str, list[str]]:
        seen: list[Event] = []
        async with AsyncClient(api.url, api_key="") as client:
            job = await client.jobs.submit(COUNTED)
            waiting = asyncio.create_task(
                client.jobs.wait(job.id, lambda _, event: seen.append(event) if event else None)
            )
            while not seen:
                await asyncio.sleep(0.01)
            await client.jobs.cancel(job.id)
            ended = await waiting
            assert [each.id async for each in client.jobs.list()] == [job.id]
            assert len(await client.jobs.trials(job.id)) == 16
            return ended.status, [event.data["status"] for event in seen]

    assert asyncio.run(live()) == ("cancelled", ["queued", "cancelled"])


def test_many_requests_at_once(api):
    async def ask() -> list[str]:
        async with AsyncClient(api.url, api_key="") as client:
            sent = (
                client.datasets.upload({"x": np.zeros((20, 4, 4), np.uint8)}, f"number {n}")
                for n in range(5)
            )
            return [dataset.name for dataset in await asyncio.gather(*sent)]

    assert asyncio.run(ask()) == [f"number {n}" for n in range(5)]


def test_refusals_are_raised_where_they_are_awaited(api):
    async def ask() -> None:
        async with AsyncClient(api.url, api_key="") as client:
            with pytest.raises(ApiError, match="404"):
                await client.jobs.get("job_1")
        async with AsyncClient(f"http://127.0.0.1:{free_port()}", api_key="") as nobody:
            with pytest.raises(Unreachable):
                await nobody.jobs.get("job_1")

    asyncio.run(ask())
