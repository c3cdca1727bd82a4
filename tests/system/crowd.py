"""Jobs that keep a service busy: submitted, cancelled, paused and resumed by the dice."""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from app.client import ApiError, Unreachable
from app.jobs.schemas import JobOut, TrialOut
from app.tables.jobs import ENDED
from tests.system.service import Service, images, job_spec

CONVNET = {"backbone": "convnet", "params": {"filters": [8], "dense": 16}}
# Small in data, long in epochs: a trial has checkpoints, and is over in a second or two.
VARIANTS: dict[str, dict[str, Any]] = {
    "fine_tune": {},
    "convnet": {
        "model": CONVNET,
        "training": {"epochs": 30, "batch_size": 16, "min_steps": 0, "augmentation": None},
    },
    "probes": {"strategies": ["lp_ft", "linear_probe"], "evaluation": {"seeds": 1}},
    "both_domains": {"strategies": ["multi_task"], "evaluation": {"seeds": 2}},
    "search": {"strategies": ["auto"], "evaluation": {"seeds": 4}},
}
MOST_AT_ONCE = 3
STEERED = 0.03  # of the moments in which enough is under way
STILL_SECONDS = 120.0  # a service in which nothing has moved for so long is stuck

Answer = TypeVar("Answer")


class Crowd:
    def __init__(self, service: Service, dice: random.Random, folder: Path) -> None:
        self._service, self._client, self._dice = service, service.client, dice
        self.steered: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()  # answers of an API that something is done to
        self.submitted = 0
        upload = folder / "patterns.npz"
        upload.write_bytes(images(classes=4, per_class=100, seed=1))
        dataset = self._client.datasets.wait(self._client.datasets.upload([upload]).id)
        self._dataset = dataset.id

    def submit(self, variant: str) -> str:
        """The id of a new job of the variant."""
        training = {"epochs": 60, "batch_size": 16, "min_steps": 0, "augmentation": None}
        changes = {"training": training, "evaluation": {"seeds": 2}, **VARIANTS[variant]}
        self.submitted += 1
        seed = self.submitted % 2  # equal jobs, and still some pretraining that is not taken over
        spec = job_spec(
            self._dataset,
            self._dataset,
            name=f"chaos {self.submitted}",
            tags={"equals": f"{variant} {seed}"},
            seed=seed,
            **changes,
        )
        return self._client.jobs.submit(spec).id

    def jobs(self) -> list[JobOut]:
        return [*self._client.jobs.list()]

    def keep_busy(self) -> None:
        """A job more where few are under way; now and then one is cancelled, paused, resumed."""
        with self.forgiven():
            under_way = [job for job in self.jobs() if job.status not in ENDED]
            paused = [job for job in under_way if job.status == "paused"]
            if len(under_way) < MOST_AT_ONCE:
                self.submit(self._dice.choice([*VARIANTS]))
            elif self._dice.random() < STEERED:
                does = "resume" if paused else self._dice.choice(["cancel", "pause"])
                job = self._dice.choice(paused or under_way)
                getattr(self._client.jobs, does)(job.id)
                self.steered[does] += 1

    def training(self) -> list[TrialOut]:
        """Trials that have trained a part of their steps, while the service is kept busy."""
        self.keep_busy()
        with self.forgiven():
            running = [job for job in self.jobs() if job.trials.get("running")]
            trials = [trial for job in running for trial in self._client.jobs.trials(job.id)]
            return [t for t in trials if t.status == "running" and 0 < t.progress < 1]
        return []

    def settle(self) -> list[JobOut]:
        """All jobs, once they have ended. Paused ones are resumed. AssertionError where nothing
        moves any more."""
        return self.until(self._settled, "jobs do not end")

    def retry_failed(self) -> int:
        """How many there were."""
        failed = [*self._client.jobs.list(status="failed")]
        for job in failed:
            self._client.jobs.retry(job.id)
        return len(failed)

    def until(self, holds: Callable[[], Answer | None], otherwise: str) -> Answer:
        """What `holds` answers, as soon as it answers something, however long that takes, as long
        as the service moves."""
        seen, moved = self._picture(), time.monotonic()
        while not (answer := holds()):
            time.sleep(0.1)
            if (now := self._picture()) != seen:
                seen, moved = now, time.monotonic()
            elif time.monotonic() - moved > STILL_SECONDS:
                lines = [" ".join(map(str, line)) for line in seen]
                raise AssertionError("\n".join([f"{otherwise}; nothing moves:", *lines]))
        return answer

    def _settled(self) -> list[JobOut] | None:
        with self.forgiven():
            jobs = self.jobs()
            for job in jobs:
                if job.status == "paused":
                    self._client.jobs.resume(job.id)
            return jobs if all(job.stage == "ended" for job in jobs) else None
        return None

    def _picture(self) -> list[tuple[Any, ...]]:
        with self.forgiven():
            return [(j.id, j.status, j.stage, j.progress, j.trials, j.error) for j in self.jobs()]
        return []

    @contextmanager
    def forgiven(self) -> Iterator[None]:
        """An API that was just killed does not answer; one that answers may refuse."""
        try:
            yield
        except Unreachable:
            self.refused["unreachable"] += 1
        except ApiError as problem:
            self.refused[f"{problem.status} {problem.code}"] += 1
