"""The metrics of a job's epochs, page by page: a job may have millions of them."""

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from app.database import Database
from app.jobs import epoch_repository, repository
from app.jobs.schemas import MetricsOut, TrialMetrics
from app.pages import Page
from app.spec.epoch_metrics import names_of
from app.tables.jobs import JobRow
from app.tasks import TASKS, TaskKind

MOST_EPOCHS = 20_000  # rows a page, beyond its first trial's
BLOCK = Page(limit=100)  # trials that are written as CSV at once, at most
PLACE = ("trial", "arm", "seed", "labels_per_class", "phase", "epoch", "split")


def metrics_page(
    session: Session, job_id: str, arm: str | None, since: datetime | None, page: Page
) -> MetricsOut:
    found = repository.trials_page(session, job_id, arm, page.limit, page.after)
    rows, has_more, following = found
    counts = epoch_repository.count(session, [row.id for row in rows])
    if kept := _affordable([counts.get(row.id, 0) for row in rows]):
        rows, has_more, following = rows[:kept], True, rows[kept - 1].id
    epochs = epoch_repository.of_trials(session, [row.id for row in rows], since)
    trials = [
        TrialMetrics(
            id=row.id,
            arm=row.arm,
            seed=row.seed,
            labels_per_class=row.labels_per_class,
            status=row.status,
            epochs=epochs[row.id],
            test=row.test,
        )
        for row in rows
    ]
    return MetricsOut(job_id=job_id, trials=trials, has_more=has_more, next=following)


def _fields(session: Session, job_id: str) -> tuple[str, ...]:
    """What is known of each epoch of the job's task."""
    kind: TaskKind = session.get_one(JobRow, job_id).spec.get("task") or "classification"
    return names_of(TASKS[kind].per_epoch)


def _affordable(epochs: Sequence[int]) -> int | None:
    """How many of the page's trials go into it; None for all of them."""
    total = 0
    for place, count in enumerate(epochs):
        total += count
        if place and total > MOST_EPOCHS:
            return place
    return None


def csv_of(
    database: Database, job_id: str, arm: str | None, since: datetime | None
) -> Iterator[str]:
    """Blocks of lines. Each is read by a session of its own, so that a reader who is slow keeps no
    connection."""
    text, page = io.StringIO(), BLOCK
    writer = csv.writer(text)
    with database.read() as session:
        fields = _fields(session, job_id)
    writer.writerow([*PLACE, *fields])
    while True:
        with database.read() as session:
            found = metrics_page(session, job_id, arm, since, page)
        for trial in found.trials:
            start = [trial.id, trial.arm, trial.seed, trial.labels_per_class]
            for epoch in trial.epochs:
                place = [epoch["phase"], epoch["epoch"], epoch["split"]]
                writer.writerow([*start, *place, *(epoch.get(name) for name in fields)])
        yield text.getvalue()
        text.seek(0)
        text.truncate()
        if not found.has_more:
            return
        page = Page(BLOCK.limit, found.next)
