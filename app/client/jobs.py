"""Jobs, from their submission to their report."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

from app.client.api_error import ApiError, Unreachable
from app.client.events import Event, events_of
from app.client.transport import Transport, path_to
from app.jobs.next_labels.schemas import NextLabelsOut
from app.jobs.schemas import JobOut, MetricsOut, TrialOut, ValidationOut
from app.spec.report import Report

OnChange = Callable[[JobOut, Event | None], None]

ENDED = frozenset({"succeeded", "failed", "cancelled"})
REFRESH_SECONDS = 0.5  # between looks at the job while its events arrive
POLL_SECONDS = 1.0
REPORT_SECONDS = 30.0  # no worker may be there to make it
SILENCE_SECONDS = 45.0  # the API sends a comment every 15 s
AWAY = frozenset({502, 503, 504})  # what a proxy or an API that starts says


class Jobs:
    """The project's jobs. `job_id` may be a job's name, where it is the only one of that name; a
    name that several have is refused (409 `ambiguous_name`)."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def submit(self, spec: dict[str, Any], idempotency_key: str | None = None) -> JobOut:
        """A connection that fails on the way never makes a second job."""
        headers = {"Idempotency-Key": idempotency_key or uuid4().hex}
        return self._transport.ask(
            JobOut, "POST", "/v1/jobs", json=spec, headers=headers, repeatable=True
        )

    def validate(self, spec: dict[str, Any]) -> ValidationOut:
        """The plan, with nothing started."""
        return self._transport.ask(
            ValidationOut, "POST", "/v1/jobs/validate", json=spec, repeatable=True
        )

    def get(self, job_id: str) -> JobOut:
        return self._transport.ask(JobOut, "GET", path_to("jobs", job_id))

    def list(self, status: str | None = None) -> Iterator[JobOut]:
        """Newest first."""
        return self._transport.pages(JobOut, "/v1/jobs", status=status)

    def cancel(self, job_id: str) -> JobOut:
        return self._steer(job_id, "cancel")

    def pause(self, job_id: str) -> JobOut:
        return self._steer(job_id, "pause")

    def resume(self, job_id: str) -> JobOut:
        return self._steer(job_id, "resume")

    def retry(self, job_id: str) -> JobOut:
        return self._steer(job_id, "retry")

    def delete(self, job_id: str) -> None:
        self._transport.call("DELETE", path_to("jobs", job_id))

    def trial(self, job_id: str, trial_id: str) -> TrialOut:
        return self._transport.ask(TrialOut, "GET", path_to("jobs", job_id, "trials", trial_id))

    def trials(self, job_id: str) -> Sequence[TrialOut]:
        return [*self._transport.pages(TrialOut, path_to("jobs", job_id, "trials"))]

    def metrics(self, job_id: str, arm: str | None = None) -> MetricsOut:
        """Metrics of all trials; pages are fetched one after the other."""
        path = path_to("jobs", job_id, "metrics")
        params: dict[str, Any] = {"limit": 100} | ({"arm": arm} if arm else {})
        found = page = self._transport.ask(MetricsOut, "GET", path, params=params)
        while page.has_more:
            page = self._transport.ask(
                MetricsOut, "GET", path, params=params | {"after": page.next}
            )
            found.trials.extend(page.trials)
        return found.model_copy(update={"has_more": False, "next": None})

    def metrics_csv(self, job_id: str, arm: str | None = None) -> str:
        path, params = path_to("jobs", job_id, "metrics"), {"arm": arm} if arm else {}
        return self._transport.call("GET", path, params=params, headers={"Accept": "text/csv"}).text

    def report(self, job_id: str) -> Report:
        return self._transport.ask(Report, "GET", path_to("jobs", job_id, "report"))

    def report_page(self, job_id: str) -> str:
        """The report as a page of HTML that stands alone."""
        path, headers = path_to("jobs", job_id, "report"), {"Accept": "text/html"}
        return self._transport.call("GET", path, headers=headers).text

    def predictions(self, job_id: str, target: Path) -> Path:
        """Writes a zip of what the report is made from at `target`, whole or not at all."""
        return self._transport.download(path_to("jobs", job_id, "predictions"), target)

    def next_labels(
        self,
        job_id: str,
        items: int = 50,
        origin: str | None = None,
        patience_seconds: float = 60.0,
    ) -> NextLabelsOut:
        """Has unlabelled items ranked by what their labels would bring, those of the dataset
        `origin` or of the job's target, and waits until that has succeeded or failed. Waits for an
        API that restarts."""
        path, body = path_to("jobs", job_id, "next_labels"), {"items": items, "from": origin}
        begun = self._transport.ask(NextLabelsOut, "POST", path, json=body, repeatable=True)
        path = path_to("jobs", begun.job, "next_labels")
        heard = time.monotonic()
        while True:
            try:
                found, heard = self._transport.ask(NextLabelsOut, "GET", path), time.monotonic()
                if found.status in {"succeeded", "failed"}:
                    return found
            except Unreachable:
                if time.monotonic() - heard > patience_seconds:
                    raise
            time.sleep(POLL_SECONDS)

    def events(
        self, job_id: str, after: str | None = None, progress: bool = False
    ) -> Iterator[Event]:
        """The job's story from the start, or after the event of that number; ends with the job.
        `progress`: with events that say how far it is, which have no number."""
        headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": after} if after else {})
        path = path_to("jobs", job_id, "events")
        how: dict[str, Any] = {"params": {"progress": True}} if progress else {}
        how |= {"headers": headers, "timeout": SILENCE_SECONDS}
        with self._transport.stream(path, **how) as response:
            yield from events_of(response)

    def wait(
        self, job_id: str, on_change: OnChange | None = None, patience_seconds: float = 60.0
    ) -> JobOut:
        """Until the job has ended; returns it. `on_change` gets the job, and the event if any.
        A cancelled one's report is waited for, REPORT_SECONDS at most.

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
                job_id = job.id  # of a name, another job may have it soon
            except (Unreachable, ApiError) as error:
                away = isinstance(error, Unreachable) or error.status in AWAY
                if not away or time.monotonic() - heard > patience_seconds:
                    raise
            else:
                tell(job, None)
                with suppress(Unreachable, ApiError):
                    following = job.status not in ENDED
                    for event in self.events(job_id, last, progress=True) if following else ():
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
            time.sleep(POLL_SECONDS)

    def _steer(self, job_id: str, verb: str) -> JobOut:
        # The same call again answers the same, so it may be repeated.
        return self._transport.ask(JobOut, "POST", path_to("jobs", job_id, verb), repeatable=True)
