# Made from ktl/_async by docs/generate; changes belong there.
"""Jobs, from their submission to their report."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from time import sleep
from typing import Any

from .. import answers
from ..errors import ApiError, Unreachable
from ..events import Event, events_of
from ..places import path_to
from ..shown import ReportPage
from .transport import Transport
from .waiting import is_away, settled

ENDED = frozenset({"succeeded", "failed", "cancelled"})
RANKED = frozenset({"succeeded", "failed"})
REFRESH_SECONDS = 0.5  # between looks at the job while its events arrive
POLL_SECONDS = 1.0
REPORT_SECONDS = 30.0  # no worker may be there to make it
SILENCE_SECONDS = 45.0  # the API sends a comment every 15 s


class Jobs:
    """Jobs of the key's project. `job_id` may be the name of one, where it alone has it; a name
    that several have is refused (409 `ambiguous_name`).

    >>> spec = {
    ...     "sources": [{"dataset": "catalog:mnist_5k"}],
    ...     "target": {"dataset": "catalog:digits", "labels_per_class": 5},
    ...     "model": {"backbone": "mlp", "image_size": [16, 16]},
    ...     "strategies": ["lp_ft"],
    ... }
    >>> plan = client.jobs.validate(spec)  # what would happen; nothing is started
    >>> [trial.role for trial in plan.trials][:3]
    ['pretrain', 'search', 'search']
    >>> job = client.jobs.submit(spec)
    >>> job.status
    'queued'
    >>> client.jobs.cancel(job.id).status
    'cancelled'
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def submit(self, spec: Mapping[str, Any], idempotency_key: str | None = None) -> answers.Job:
        """Starts a job. A connection that fails on the way never makes a second one."""
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        return self._transport.begin(
            answers.Job, "/v1/jobs", json=spec, headers=headers, repeatable=True
        )

    def validate(self, spec: Mapping[str, Any]) -> answers.Validation:
        """Returns the plan, with nothing started."""
        return self._transport.ask(
            answers.Validation, "POST", "/v1/jobs/validate", json=spec, repeatable=True
        )

    def get(self, job_id: str) -> answers.Job:
        """Returns one job as it is now."""
        return self._transport.ask(answers.Job, "GET", path_to("jobs", job_id))

    def list(self, status: str | None = None) -> Iterator[answers.Job]:
        """Every job, newest first; or those of one status."""
        return self._transport.pages(answers.Job, "/v1/jobs", status=status)

    def cancel(self, job_id: str) -> answers.Job:
        """Ends a job; what has finished by then is still reported."""
        return self._steer(job_id, "cancel")

    def pause(self, job_id: str) -> answers.Job:
        """Lets a job rest."""
        return self._steer(job_id, "pause")

    def resume(self, job_id: str) -> answers.Job:
        """Goes on with a paused job, where it stopped."""
        return self._steer(job_id, "resume")

    def retry(self, job_id: str) -> answers.Job:
        """Runs again what failed; what succeeded stays."""
        return self._steer(job_id, "retry")

    def delete(self, job_id: str) -> None:
        """Deletes a job that has ended, and what it stored."""
        self._transport.call("DELETE", path_to("jobs", job_id))

    def trial(self, job_id: str, trial_id: str) -> answers.Trial:
        """Returns one trial of a job."""
        return self._transport.ask(
            answers.Trial, "GET", path_to("jobs", job_id, "trials", trial_id)
        )

    def trials(self, job_id: str) -> Sequence[answers.Trial]:
        """Returns all trials of a job."""
        return [
            each for each in self._transport.pages(answers.Trial, path_to("jobs", job_id, "trials"))
        ]

    def metrics(self, job_id: str, arm: str | None = None) -> answers.Metrics:
        """Metrics of all trials; pages are fetched one after the other."""
        path = path_to("jobs", job_id, "metrics")
        params: dict[str, Any] = {"limit": 100} | ({"arm": arm} if arm else {})
        found = page = self._transport.ask(answers.Metrics, "GET", path, params=params)
        while page.has_more:
            page = self._transport.ask(
                answers.Metrics, "GET", path, params=params | {"after": page.next}
            )
            found.trials.extend(page.trials)
        found |= {"has_more": False, "next": None}
        return found

    def metrics_csv(self, job_id: str, arm: str | None = None) -> str:
        """Returns every epoch's metrics as CSV."""
        path, params = path_to("jobs", job_id, "metrics"), {"arm": arm} if arm else {}
        headers = {"Accept": "text/csv"}
        return (self._transport.call("GET", path, params=params, headers=headers)).text

    def report(self, job_id: str) -> answers.Report:
        """Returns the evidence. A notebook shows it as a table."""
        return self._transport.ask(answers.Report, "GET", path_to("jobs", job_id, "report"))

    def report_page(self, job_id: str) -> ReportPage:
        """Returns the report as a page of HTML that stands alone. A notebook shows it."""
        path, headers = path_to("jobs", job_id, "report"), {"Accept": "text/html"}
        return ReportPage((self._transport.call("GET", path, headers=headers)).text)

    def predictions(self, job_id: str, target: str | Path) -> Path:
        """Writes a zip of what the report is made from at `target`, whole or not at all."""
        return self._transport.download(path_to("jobs", job_id, "predictions"), target)

    def next_labels(
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
        begun = self._transport.ask(answers.NextLabels, "POST", path, json=body, repeatable=True)
        path = path_to("jobs", begun.job, "next_labels")
        return settled(
            lambda: self._transport.ask(answers.NextLabels, "GET", path), RANKED, patience_seconds
        )

    def events(
        self, job_id: str, after: str | None = None, progress: bool = False
    ) -> Iterator[Event]:
        """Tells the job's story from the start, or after the event of that number; ends with the
        job. `progress`: with events that say how far it is, which have no number."""
        headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": after} if after else {})
        path = path_to("jobs", job_id, "events")
        how: dict[str, Any] = {"params": {"progress": True}} if progress else {}
        how |= {"headers": headers, "timeout": SILENCE_SECONDS}
        with self._transport.stream(path, **how) as response:
            for event in events_of(response):
                yield event

    def wait(
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
                job, heard = self.get(job_id), time.monotonic()
                job_id = job.id  # another may have the name soon
            except (Unreachable, ApiError) as error:
                if not is_away(error) or time.monotonic() - heard > patience_seconds:
                    raise
            else:
                tell(job, None)
                with suppress(Unreachable, ApiError):
                    if job.status not in ENDED:
                        for event in self.events(job_id, last, progress=True):
                            if event.kind != "epoch" or time.monotonic() - heard > REFRESH_SECONDS:
                                job, heard = self.get(job_id), time.monotonic()
                            tell(job, event if event.number else None)
                            last = event.number or last
                            if job.status in ENDED:
                                break
                if job.status in ENDED:
                    ended = ended or heard
                    if job.stage == "ended" or heard - ended > REPORT_SECONDS:
                        return job
            sleep(POLL_SECONDS)

    def _steer(self, job_id: str, verb: str) -> answers.Job:
        # The same call again answers the same, so it may be repeated.
        return self._transport.ask(
            answers.Job, "POST", path_to("jobs", job_id, verb), repeatable=True
        )
