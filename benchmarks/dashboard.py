"""Whether the dashboard stays quick with a long history and one very large job.

    python -m benchmarks.dashboard [MINUTES]          (3)

`ktl api` on SQLite with 1,000 jobs of 11 trials, and one that runs: 50 arms, 20 seeds, 500 epochs,
a million events of training and validation, to which 200 a second are added while its page is open
in Chromium (where there is one, with playwright). Told are: the milliseconds until a page shows its
rows, from the click on; how late a timer of 50 ms is in the large job's page, which is what
somebody who clicks there waits for at most; and the tab's heap after a garbage collection, each
half minute. Ends with 1 where one of them is not as wanted. Two minutes more, to fill the database.
"""

import json
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import insert, update

from app.database import Database, now
from app.identifiers import new_id
from app.migrate import upgrade
from app.tables.jobs import EventRow, JobRow, TrialRow
from benchmarks.growth import EPOCH_VALUES, ROWS_A_JOB, SPEC, History, serving
from tests.web.browser import browser

JOBS, ARMS, SEEDS, EPOCHS = 1_000, 50, 20, 500
A_TRANSACTION, LIVE_A_SECOND = 20_000, 200
WANTED_MS, WANTED_MB_A_MINUTE = 100.0, 1.0
TIMER_MS, LOOK_SECONDS = 50, 30.0
LATENESS = """(pause) => {
  window.late = [];
  let due = performance.now() + pause;
  setInterval(() => {
    const now = performance.now();
    window.late.push(Math.max(0, now - due));
    due = now + pause;
  }, pause);
}"""


class LargeJob:
    """A job of a million events, to which more can be added."""

    def __init__(self, database: Database) -> None:
        self._database, self.id, self._number = database, new_id("job"), 0
        self._trials = [
            (new_id("trial"), f"arm_{arm}", seed) for arm in range(ARMS) for seed in range(SEEDS)
        ]
        self._epochs = [0] * len(self._trials)
        moment = now()
        with database.write() as session:
            session.add(
                JobRow(
                    id=self.id,
                    project="default",
                    name="a very large job",
                    status="running",
                    stage="training",
                    spec=SPEC.model_dump(mode="json"),
                    source_ids=["ds_source"],
                    target_id="ds_target",
                    started_at=moment,
                )
            )
            session.flush()
            trials = [
                {"id": trial, "job_id": self.id, "position": place, "role": "transfer", "arm": arm}
                | {"seed": seed, "status": "running", "progress": 0.5, "started_at": moment}
                for place, (trial, arm, seed) in enumerate(self._trials)
            ]
            session.execute(insert(TrialRow), trials)
        while self._number < len(self._trials) * EPOCHS * 2:
            self.add(A_TRANSACTION)

    def add(self, count: int) -> None:
        """One epoch after the other, of one trial after the other, as workers would."""
        rows: list[dict[str, Any]] = []
        while len(rows) < count:
            place = (self._number // 2) % len(self._trials)
            trial, arm, seed = self._trials[place]
            self._epochs[place] += 1
            told = {"trial": trial, "arm": arm, "seed": seed, "phase": "finetune"}
            for split in ("train", "validation"):
                self._number += 1
                data = {**told, "epoch": self._epochs[place], "split": split, **EPOCH_VALUES}
                data["accuracy"] = 1 - 1 / (1 + self._epochs[place] / 50) - place / 5000
                rows.append(
                    {"job_id": self.id, "number": self._number, "kind": "epoch", "data": data}
                )
        with self._database.write() as session:
            session.execute(insert(EventRow), rows)
            one = update(JobRow).where(JobRow.id == self.id).values(event_count=self._number)
            session.execute(one)


@contextmanager
def growing(job: LargeJob) -> Iterator[None]:
    stopping = threading.Event()

    def grow() -> None:
        while not stopping.wait(0.25):
            job.add(LIVE_A_SECOND // 4)

    thread = threading.Thread(target=grow)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()


def until_shown(page: Any, what: str, act: Any) -> float:
    began = time.perf_counter()
    act()
    page.locator(what).first.wait_for()
    return 1000 * (time.perf_counter() - began)


def lists(page: Any, url: str) -> dict[str, float]:
    """Opens the list of jobs and asks for more of them until all are shown."""
    page.goto(f"{url}/#/settings")
    page.locator("h1").wait_for()
    rows = "tbody tr:nth-child({})"
    figures = {
        "jobs_ms": until_shown(
            page, rows.format(50), lambda: page.evaluate("() => { location.hash = '/jobs'; }")
        )
    }
    each = []
    for shown in range(100, JOBS + 1, 50):
        more = page.get_by_role("button", name="More")
        each.append(until_shown(page, rows.format(shown), more.click))
    figures["more_jobs_ms"], figures["most_jobs_ms"] = float(np.median(each)), max(each)
    return figures


def large(page: Any, url: str, job: LargeJob, minutes: float) -> dict[str, float]:
    """Has the large job's page open while it grows."""
    opened = until_shown(page, "canvas.curves", lambda: page.goto(f"{url}/#/jobs/{job.id}"))
    page.evaluate(LATENESS, TIMER_MS)
    tab = page.context.new_cdp_session(page)
    heap: list[tuple[float, float]] = []
    began = time.monotonic()
    while time.monotonic() - began < 60 * minutes:
        page.wait_for_timeout(1000 * LOOK_SECONDS)
        tab.send("HeapProfiler.collectGarbage")
        used = tab.send("Runtime.getHeapUsage")["usedSize"] / 2**20
        heap.append(((time.monotonic() - began) / 60, used))
        print(f"  {heap[-1][0]:.1f} min: heap {used:.1f} MB", flush=True)
    late = page.evaluate("() => window.late")
    half = heap[len(heap) // 2 :]
    slope = float(np.polyfit(*zip(*half, strict=True), 1)[0]) if len(half) > 1 else 0.0
    return {
        "large_job_ms": opened,
        "late_p50_ms": float(np.percentile(late, 50)),
        "late_p99_ms": float(np.percentile(late, 99)),
        "late_most_ms": max(late),
        "heap_mb": half[-1][1],
        "heap_mb_a_minute": slope,
    }


def main(minutes: float) -> int:
    with tempfile.TemporaryDirectory(prefix="ktl-") as name, browser() as opened:
        url = f"sqlite:///{name}/ktl.db"
        upgrade(url)
        database = Database(url)
        History(database).fill_to(JOBS * ROWS_A_JOB)
        job = LargeJob(database)
        with serving(url, Path(name)) as connection, growing(job):
            page = opened.new_page(viewport={"width": 1200, "height": 900})
            served = f"http://127.0.0.1:{connection.port}"
            figures = lists(page, served) | large(page, served, job, minutes)
        database.dispose()
    for figure, value in figures.items():
        print(f"{figure:20}{value:10.1f}")
    print(json.dumps({"benchmark": "dashboard", "ratios": {}, "figures": figures}))
    is_late = max(figures["more_jobs_ms"], figures["late_p99_ms"]) > WANTED_MS
    return int(is_late or figures["heap_mb_a_minute"] > WANTED_MB_A_MINUTE)


if __name__ == "__main__":
    sys.exit(main(float((sys.argv[1:] or ["3"])[0])))
