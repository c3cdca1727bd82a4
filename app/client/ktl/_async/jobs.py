"""Jobs, from their submission to their report."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from anyio import sleep

from .. import answers
from ..errors import ApiError, Unreachable
from ..events import Event, async_events_of
from ..places import path_to
from ..shown import ReportPage
from .transport import AsyncTransport
from .waiting import is_away, settled

ENDED = frozenset({"succeeded", "failed", "cancelled"})
RANKED = frozenset({"succeeded", "failed"})
REFRESH_SECONDS = 0.5  # between looks at the job while its events arrive
POLL_SECONDS = 1.0
REPORT_SECONDS = 30.0  # no worker may be there to make it
SILENCE_SECONDS = 45.0  # the API sends a comment every 15 s


class AsyncJobs:
    """Jobs of the key's project. `job_id` may be the name of one, where it alone has it; a name
    that several have is refused (409 `ambiguous_name`).

    >>> spec = {
    ...     "sources": [{"dataset": "catalog:mnist_5k"}],
    ...     "target": {"dataset": "catalog:digits", "labels_per_class": 5},
    ...     "model": {"backbone": "mlp", "image_size": [16, 16]},
    ...     "strategies": ["lp_ft"],
    ... }
    >>> plan = await client.jobs.validate(spec)  # what would happen; nothing is started
    >>> [trial.role for trial in plan.trials][:3]
    ['pretrain', 'search', 'search']
    >>> job = await client.jobs.submit(spec)
    >>> job.status
    'queued'
    >>> (await client.jobs.cancel(job.id)).status
    'cancelled'
    """

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    async def submit(
        self, spec: Mapping[str, Any], idempotency_key: str | None = None
    ) -> answers.Job:
        """Starts a job. A connection that fails on the way never makes a second one."""
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        return await self._transport.begin(
            answers.Job, "/v1/jobs", json=spec, headers=headers, repeatable=True
        )

    async def validate(self, spec: Mapping[str, Any]) -> answers.Validation:
        """Returns the plan, with nothing started."""
        return await self._transport.ask(
            answers.Validation, "POST", "/v1/jobs/validate", json=spec, repeatable=True
        )

    async def get(self, job_id: str) -> answers.Job:
        """Returns one job as it is now."""
        return await self._transport.ask(answers.Job, "GET", path_to("jobs", job_id))

    def list(self, status: str | None = None) -> AsyncIterator[answers.Job]:
        """Every job, newest first; or those of one status."""
        return self._transport.pages(answers.Job, "/v1/jobs", status=status)

    async def cancel(self, job_id: str) -> answers.Job:
        """Ends a job; what has finished by then is still reported."""
        return await self._steer(job_id, "cancel")

    async def pause(self, job_id: str) -> answers.Job:
        """Lets a job rest."""
        return await self._steer(job_id, "pause")

    async def resume(self, job_id: str) -> answers.Job:
        """Goes on with a paused job, where it stopped."""
        return await self._steer(job_id, "resume")

    async def retry(self, job_id: str) -> answers.Job:
        """Runs again what failed; what succeeded stays."""
        return await self._steer(job_id, "retry")

    async def delete(self, job_id: str) -> None:
        """Deletes a job that has ended, and what it stored."""
        await self._transport.call("DELETE", path_to("jobs", job_id))

    async def trial(self, job_id: str, trial_id: str) -> answers.Trial:
        """Returns one trial of a job."""
        return await self._transport.ask(
            answers.Trial, "GET", path_to("jobs", job_id, "trials", trial_id)
        )

    async def trials(self, job_id: str) -> Sequence[answers.Trial]:
        """Returns all trials of a job."""
        return [
            each
            async for each in self._transport.pages(
                answers.Trial, path_to("jobs", job_id, "trials")
            )
        ]

    async def metrics(self, job_id: str, arm: str | None = None) -> answers.Metrics:
        """Metrics of all trials; pages are fetched one after the other."""
        path = path_to("jobs", job_id, "metrics")
        params: dict[str, Any] = {"limit": 100} | ({"arm": arm} if arm else {})
        found = page = await self._transport.ask(answers.Metrics, "GET", path, params=params)
        while page.has_more:
            page = await self._transport.ask(
                answers.Metrics, "GET", path, params=params | {"after": page.next}
            )
            found.trials.extend(page.trials)
        found |= {"has_more": False, "next": None}
        return found

    async def metrics_csv(self, job_id: str, arm: str | None = None) -> str:
        """Returns every epoch's metrics as CSV."""
        path, params = path_to("jobs", job_id, "metrics"), {"arm": arm} if arm else {}
        headers = {"Accept": "text/csv"}
        return (await self._transport.call("GET", path, params=params, headers=headers)).text

    async def report(self, job_id: str) -> answers.Report:
        """Returns the evidence. A notebook shows it as a table."""
        return await self._transport.ask(answers.Report, "GET", path_to("jobs", job_id, "report"))

    async def report_page(self, job_id: str) -> ReportPage:
        """Returns the report as a page of HTML that stands alone. A notebook shows it."""
        path, headers = path_to("jobs", job_id, "report"), {"Accept": "text/html"}
        return ReportPage((await self._transport.call("GET", path, headers=headers)).text)

    async def predictions(self, job_id: str, target: str | Path) -> Path:
        """Writes a zip of what the report is made from at `target`, whole or not at all."""
        return await self._transport.download(path_to("jobs", job_id, "predictions"), target)

    async def next_labels(
        self,
        job_id: str,
        items: int = 50,
        origin: str | None = None,
        patience_seconds: float = 60.0,
    ) -> answers.NextLabels:
        """Has unlabelled items ranked by what their labels would bring, those of the dataset
        `origin` or of the job's target, and waits until that has succeeded or failed. Waits for an
        API that restarts."""
        path, body = path_to("jobs", job_id, "next_labels"), {"items": items, "from": origin}
        begun = await self._transport.ask(
            answers.NextLabels, "POST", path, json=body, repeatable=True
        )
        path = path_to("jobs", begun.job, "next_labels")
        return await settled(
            lambda: self._transport.ask(answers.NextLabels, "GET", path), RANKED, patience_seconds
        )

    async def events(
        self, job_id: str, after: str | None = None, progress: bool = False
    ) -> AsyncIterator[Event]:
        """Tells the job's story from the start, or after the event of that number; ends with the
        job. `progress`: with events that say how far it is, which have no number."""
        headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": after} if after else {})
        path = path_to("jobs", job_id, "events")
        how: dict[str, Any] = {"params": {"progress": True}} if progress else {}
        how |= {"headers": headers, "timeout": SILENCE_SECONDS}
        async with self._transport.stream(path, **how) as response:
            async for event in async_events_of(response):
                yield event

    async def wait(
        self,
        job_id: str,
        on_change: Callable[[answers.Job, Event | None], None] | None = None,
        patience_seconds: float = 60.0,
    ) -> answers.Job:
        """Waits until the job has ended; returns it. `on_change` gets the job, and the event if
        any. A cancelled one's report is waited for, half a minute at most.

        Follows the events, and asks again and again where they cannot be had. An API that is away
        (it restarts) is waited for, `patience_seconds` at most; then Unreachable or ApiError.
        """
        tell = on_change or (lambda job, event: None)
        last: str | None = None
        heard = time.monotonic()
        ended: float | None = None
        while True:
            try:
                job, heard = await self.get(job_id), time.monotonic()
                job_id = job.id  # another may have the name soon
            except (Unreachable, ApiError) as error:
                if not is_away(error) or time.monotonic() - heard > patience_seconds:
                    raise
            else:
                tell(job, None)
                with suppress(Unreachable, ApiError):
                    if job.status not in ENDED:
                        async for event in self.events(job_id, last, progress=True):
                            if event.kind != "epoch" or time.monotonic() - heard > REFRESH_SECONDS:
                                job, heard = await self.get(job_id), time.monotonic()
                            tell(job, event if event.number else None)
                            last = event.number or last
                            if job.status in ENDED:
                                break
                if job.status in ENDED:
                    ended = ended or heard
                    if job.stage == "ended" or heard - ended > REPORT_SECONDS:
                        return job
            await sleep(POLL_SECONDS)

    async def _steer(self, job_id: str, verb: str) -> answers.Job:
        # The same call again answers the same, so it may be repeated.
        return await self._transport.ask(
            answers.Job, "POST", path_to("jobs", job_id, verb), repeatable=True
        )
