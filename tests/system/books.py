"""What a database must say once all its jobs have ended, whatever was done to the service."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from app.database import Database
from app.errors import FailureCode
from app.tables.datasets import DatasetRow
from app.tables.jobs import ENDED, EpochRow, EventRow, JobRow, TrialRow

EpochKey = tuple[str, str, int]  # phase, split, epoch
Story = dict[str, list[EventRow]]


@dataclass(frozen=True)
class Books:
    """All rows of a database, read when nothing moves any more."""

    jobs: list[JobRow]
    trials: list[TrialRow]
    datasets: list[DatasetRow]
    epochs: dict[str, dict[EpochKey, dict[str, Any]]]  # by trial
    events: Story  # by job, in their order

    @classmethod
    def of(cls, url: str) -> "Books":
        database = Database(url)
        epochs: dict[str, dict[EpochKey, dict[str, Any]]] = defaultdict(dict)
        events: Story = defaultdict(list)
        try:
            with database.read() as session:
                for epoch in session.scalars(select(EpochRow)):
                    key = epoch.phase, epoch.split, epoch.epoch
                    epochs[epoch.trial_id][key] = {**epoch.values, "seconds": None}
                for event in session.scalars(select(EventRow).order_by(EventRow.number)):
                    events[event.job_id].append(event)
                return cls(
                    jobs=[*session.scalars(select(JobRow).order_by(JobRow.id))],
                    trials=[*session.scalars(select(TrialRow).order_by(TrialRow.id))],
                    datasets=[*session.scalars(select(DatasetRow))],
                    epochs=epochs,
                    events=events,
                )
        finally:
            database.dispose()

    def complaints(self, reasons: Iterable[FailureCode]) -> list[str]:
        """All that is wrong. `reasons`: with which something may have failed, by what was done."""
        return [
            *self._ends({str(reason) for reason in reasons}),
            *self._leases(),
            *self._numbers(),
            *self._commits(),
            *self._metrics(),
            *self._differences(),
        ]

    def attempts(self) -> Counter[str]:
        """How often each trial was begun."""
        trials = [e.data for s in self.events.values() for e in s if e.kind == "trial"]
        return Counter(trial["id"] for trial in trials if trial["status"] == "running")

    def _ends(self, reasons: set[str]) -> Iterator[str]:
        for row in (*self.jobs, *self.trials):
            if row.status not in ENDED:
                yield f"{row.id} has not ended: {row.status}"
            if row.status == "succeeded" and row.error:
                yield f"{row.id} has succeeded with an error: {row.error}"
            if row.status == "failed" and (row.error or {}).get("failure") not in reasons:
                yield f"{row.id} has failed without a reason that was given: {row.error}"
        for job in self.jobs:
            if job.stage != "ended":
                yield f"{job.id} ({job.status}) stands in the stage {job.stage}"

    def _leases(self) -> Iterator[str]:
        for row in (*self.jobs, *self.trials, *self.datasets):
            if row.token or row.owner or row.lease_until:
                yield f"{row.id} ({row.status}) is still leased to {row.owner}"

    def _numbers(self) -> Iterator[str]:
        for job in self.jobs:
            numbers = [event.number for event in self.events[job.id]]
            if numbers != [*range(1, job.event_count + 1)]:
                yield f"{job.id} counts {job.event_count} events, its numbers have gaps: {numbers}"

    def _commits(self) -> Iterator[str]:
        """What succeeds does so once."""
        for job in self.jobs:
            done: Counter[str] = Counter()
            for event in self.events[job.id]:
                if event.kind in {"status", "trial"} and event.data["status"] == "succeeded":
                    done[event.data.get("id", job.id)] += 1
            rows = [job, *(trial for trial in self.trials if trial.job_id == job.id)]
            for row in rows:
                if done[row.id] != (row.status == "succeeded"):
                    yield f"{row.id} ({row.status}) has succeeded {done[row.id]} times"

    def _metrics(self) -> Iterator[str]:
        """Every epoch from the first on, told once and in its order, is recorded as it was told. A
        trial that lost its checkpoint warns of it, and begins anew."""
        told: dict[str, list[EpochKey]] = defaultdict(list)
        for story in self.events.values():
            for event in story:
                if event.kind == "warning":
                    told[event.data["trial"]].clear()
                if event.kind == "epoch":
                    key = event.data["phase"], event.data["split"], event.data["epoch"]
                    told[event.data["trial"]].append(key)
        for trial in self.trials:
            recorded, of_trial = set(self.epochs[trial.id]), told[trial.id]
            if sorted(recorded) != sorted(of_trial):
                yield f"{trial.id} has told other epochs than are recorded, or some twice"
            course: dict[tuple[str, str], list[int]] = defaultdict(list)
            for phase, split, epoch in of_trial:
                course[phase, split].append(epoch)
            for where, numbers in course.items():
                if numbers != [*range(1, len(numbers) + 1)]:
                    yield f"{trial.id}: epochs of {where} have gaps or are out of order: {numbers}"
            trains = trial.role not in {"search", "score"} and trial.reused_from is None
            if trial.status == "succeeded" and trains and not recorded:
                yield f"{trial.id} ({trial.role}) has succeeded without a metric"

    def _differences(self) -> Iterator[str]:
        """Jobs that say so are equal, and what their trials have learned is so too."""
        first: dict[tuple[str, int], TrialRow] = {}
        names = {job.id: job.tags.get("equals", job.id) for job in self.jobs}
        for trial in self.trials:
            if trial.status != "succeeded" or trial.reused_from:
                continue
            other = first.setdefault((names[trial.job_id], trial.position), trial)
            if (self.epochs[trial.id], trial.test) != (self.epochs[other.id], other.test):
                yield f"{trial.id} has learned other things than its equal {other.id}"
