"""Random harm to a whole service at moments while it trains, and whether it keeps its promises.

`python -m tests.system.chaos --database sqlite --kills 50 --jobs 6 --seed 1` starts `ktl up` with
a real broker (and a real PostgreSQL), keeps it busy with small jobs, disturbs it, lets every job
end, and reads the books. The seed decides what is done and in which order, not what the machine
does meanwhile. Ends with 1, and says why, where a promise was broken.
"""

import argparse
import json
import random
import secrets
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from app.errors import FailureCode
from tests.postgresql import postgresql_server
from tests.system.books import Books
from tests.system.crowd import Crowd
from tests.system.disturbances import KINDS, Ground, deal
from tests.system.outcome import Outcome
from tests.system.service import running
from tests.system.storms import STORMS, NotHere, small_disk

LEASE_SECONDS = 3.0
MOST_MISSES = 100  # in a row
ENVIRONMENT = {
    "KTL_LEASE_SECONDS": str(LEASE_SECONDS),
    "KTL_RECOVERY_INTERVAL_SECONDS": "0.5",
    "KTL_REPUBLISH_AFTER_SECONDS": "1",
    "KTL_MAX_ATTEMPTS": "100",
    "KTL_CHECKPOINT_INTERVAL_SECONDS": "0.05",
    "KTL_TRAINING_SLOTS": "2",  # while one trial's child is stopped, another can take the trial
}
# What a storm may fail a job with. Whatever else is done, jobs succeed.
STORM_REASONS = {
    "disk full": {FailureCode.DISK_FULL, FailureCode.STORAGE_FAILED},
    "store read-only": {FailureCode.STORAGE_FAILED},
}
# Of trials whose dependency, or whose job, has failed.
FOLLOWING = {FailureCode.DEPENDENCY_FAILED, FailureCode.CANCELLED}


@contextmanager
def database(kind: str, folder: Path) -> Iterator[str]:
    """The URL of an empty one, on a server of its own."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'data' / 'ktl.db'}"
        return
    with postgresql_server() as url:
        yield url


@dataclass
class Run:
    """One service, what is done to it and by whom."""

    url: str
    ground: Ground
    crowd: Crowd
    outcome: Outcome
    ends: float  # the disturbances, done or not
    began: float = field(default_factory=time.monotonic)
    processes: set[psutil.Process] = field(default_factory=set)  # all that there ever were

    def disturb(self, kills: int, jobs: int, storm_seconds: float) -> None:
        dice, done = self.ground.dice, self.outcome.done
        kinds, misses = deal(kills, dice), 0
        storms = [*STORMS] if storm_seconds else []
        while (kinds or self.crowd.submitted < jobs) and time.monotonic() < self.ends:
            self.crowd.until(self.crowd.training, "no trial trains")
            self.look()
            if not kinds or done.total() / kills > self.crowd.submitted / jobs:
                time.sleep(0.2)  # the jobs share the kills
            elif storms and done.total() >= kills * (len(STORMS) + 1 - len(storms)) // 4:
                self.weather(storms.pop(0), storm_seconds)
            elif misses > MOST_MISSES:
                raise AssertionError(f"expected something for this to happen to: {kinds[-1]}")
            else:
                time.sleep(dice.uniform(0, 0.4))
                if not KINDS[kinds[-1]](self.ground):
                    misses += 1
                    continue
                self.say(kinds[-1])
                done[kinds.pop()] += 1
                misses = 0

    def weather(self, name: str, seconds: float) -> None:
        """A storm, while people go on asking for jobs."""
        self.say(name)

        def last() -> None:
            with STORMS[name](self.ground):
                time.sleep(seconds)

        with ThreadPoolExecutor(1) as pool:
            storm = pool.submit(last)
            while not storm.done():
                self.crowd.keep_busy()
                time.sleep(2)  # each of these jobs fails at once, and is retried in the calm
        try:
            storm.result()
            self.outcome.storms[name] = f"{seconds:g} s"
        except NotHere as reason:
            self.outcome.storms[name] = f"left out: {reason}"

    def calm(self) -> None:
        """Afterwards everything ends, what failed can be retried, and a fresh job succeeds."""
        outcome, crowd = self.outcome, self.crowd
        self.say("calm")
        reasons = {reason for name in outcome.storms for reason in STORM_REASONS.get(name, ())}
        outcome.failures.update(job.error.code for job in crowd.settle() if job.error)
        outcome.complaints += Books.of(self.url).complaints(reasons | FOLLOWING if reasons else ())
        self.say(f"{crowd.retry_failed()} jobs are retried")
        fresh = crowd.submit("convnet")
        if (status := {job.id: job.status for job in crowd.settle()}[fresh]) != "succeeded":
            outcome.complaints.append(f"in the calm {fresh} was {status}")
        books = Books.of(self.url)
        outcome.complaints += books.complaints(())
        names = Counter(job.name for job in books.jobs)
        outcome.complaints += [
            f"{name} was accepted {n} times" for name, n in names.items() if n > 1
        ]
        outcome.jobs.update(job.status for job in books.jobs)
        outcome.trials.update(trial.status for trial in books.trials)
        outcome.attempts.update(books.attempts().values())
        self.look()

    def look(self) -> None:
        service = psutil.Process(self.ground.service.process.pid)
        self.processes.update(service.children(recursive=True))

    def say(self, what: str) -> None:
        print(f"{time.monotonic() - self.began:6.1f} s  {what}", flush=True)


def run(
    url: str, folder: Path, seed: int, *, kills: int, jobs: int, storms: float = 0, seconds: float
) -> Outcome:
    """Disturbs a service in `folder` (which has a folder `data`) so many times, while at least so
    many jobs are submitted, or for so many seconds. `storms`: the seconds of each."""
    dice, outcome, ends = random.Random(seed), Outcome(seed), time.monotonic() + seconds
    with running(folder, KTL_DATABASE_URL=url, **ENVIRONMENT) as service:
        ground = Ground(service, url, folder / "data" / "store", dice, LEASE_SECONDS)
        run = Run(url, ground, Crowd(service, dice, folder), outcome, ends)
        try:
            run.disturb(kills, jobs, storms)
        finally:
            ground.thaw()
        run.calm()
    outcome.seconds = round(time.monotonic() - run.began)
    _, left = psutil.wait_procs(run.processes, timeout=5)
    outcome.complaints += [f"a process is left: {process}" for process in left]
    outcome.steered, outcome.refused = run.crowd.steered, run.crowd.refused
    wrong = [said for said in outcome.refused if said.startswith("500")]
    outcome.complaints += [f"the API answered {said}" for said in wrong]
    outcome.complaints = [*dict.fromkeys(outcome.complaints)]
    outcome.fenced = service.log.read_text(errors="replace").count('"trial_lost"')
    return outcome


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--jobs", type=int, default=6, help="at least so many")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**32))
    parser.add_argument("--storms", type=float, default=20.0, help="seconds of each; 0: none")
    parser.add_argument("--minutes", type=float, default=30.0, help="of disturbances, at most")
    asked = parser.parse_args()
    print(f"seed {asked.seed}", flush=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended before its time"))
    with tempfile.TemporaryDirectory(prefix="ktl-chaos-") as name:
        folder = Path(name)
        with small_disk(folder / "data"), database(asked.database, folder) as url:
            outcome = run(
                url,
                folder,
                asked.seed,
                kills=asked.kills,
                jobs=asked.jobs,
                storms=asked.storms,
                seconds=60 * asked.minutes,
            )
    print(outcome.table())
    print(json.dumps({"chaos": asked.database, **vars(outcome)}))
    sys.exit(bool(outcome.complaints))


if __name__ == "__main__":
    main()
