"""Trains the jobs through the service's doors and hands out what came of them, as plain arrays.

Of all that is here for the bits, this module alone names things inside the service: when those
move, this follows them, and neither the jobs nor what is stored of them changes.

`python -m tests.bits.trained OUT JOB...` trains the jobs and writes their trials' marks as JSON.
"""

import json
import sys
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import numpy as np
from numpy.typing import NDArray

from app.database import Database
from app.jobs import repository
from app.main import create_app
from app.migrate import upgrade
from app.settings import Settings
from app.storage import Storage
from app.tables.jobs import TrialRow
from tests.bits.jobs import JOBS, Job
from tests.bits.marks import marks_of
from tests.bits.pictures import PAIRS, UPLOADS, digest_of_all
from tests.serving import serve
from worker.machine.compile_cache import programs_folder
from worker.machine.context import WorkerContext
from worker.machine.device import configure_tensorflow
from worker.process import runner

THREADS = 1  # more of them change the bits of convolutions
COMPUTING = ("keras", "numpy", "scipy", "scikit-learn", "optuna")  # TensorFlow is named already
OUTPUTS = {
    "logits_test": "test",
    "logits_validation": "validation",
    "logits_changed": "changed",
    "logits_train": "train",
    "logits_train_mode": "train mode",
    "after_source": "source",
}


@dataclass(frozen=True)
class Trained:
    """What a trial left."""

    weights: list[NDArray[np.float32]]
    outputs: dict[str, NDArray[np.generic]]
    facts: dict[str, Any]  # of a search or a scoring


def trained(jobs: dict[str, Job], folder: Path) -> dict[str, Trained]:
    """Runs the jobs in `folder`: `JOB: ARM, seed N` -> what the trial left."""
    settings = Settings(data_dir=folder / "ktl", broker_url="memory://")
    upgrade(settings.database)
    database = Database(settings.database)
    storage = Storage(settings.storage, settings.cache_dir)
    context = WorkerContext(settings, database, storage, folder, is_draining=lambda: False)
    configure_tensorflow(THREADS)
    found: dict[str, Trained] = {}
    with serve(create_app(settings)) as client:
        datasets: dict[str, str] = {}
        for name, content in (UPLOADS | PAIRS).items():
            parts = [("spec", (None, json.dumps({"name": name}))), ("file", ("a.npz", content))]
            datasets[name] = _accepted(client.post("/v1/datasets", files=parts))
            runner.ingest(context, datasets[name], "bits")
        for name, job in jobs.items():
            job_id = _accepted(client.post("/v1/jobs", json=_named(job, datasets)))
            runner.train(context, "bits")
            with database.read() as session:
                rows = repository.trials(session, job_id)
            found |= {f"{name}: {_name(row)}": _left_by(row, storage) for row in rows}
    database.dispose()
    return found


def _named(job: Job, datasets: dict[str, str]) -> Job:
    sources = [{"dataset": datasets[source["dataset"]]} for source in job["sources"]]
    target = {**job["target"], "dataset": datasets[job["target"]["dataset"]]}
    return {**job, "sources": sources, "target": target}


def _accepted(answer: httpx.Response) -> str:
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def _name(row: TrialRow) -> str:
    search = "search of " if row.role == "search" else ""
    labels = f", {row.labels_per_class} labels" if row.labels_per_class else ""
    return f"{search}{row.arm}, seed {row.seed}{labels}"


def _left_by(row: TrialRow, storage: Storage) -> Trained:
    assert row.status == "succeeded", (row.arm, row.error)
    weights, outputs = (_arrays(storage, ref) for ref in (row.weights, row.predictions))
    return Trained(
        list(weights.values()),
        {name: outputs[key] for key, name in OUTPUTS.items() if key in outputs},
        row.outcome or {},
    )


def _arrays(storage: Storage, ref: str | None) -> dict[str, NDArray[Any]]:
    if ref is None:
        return {}
    with np.load(storage.local(ref)) as stored:
        return dict(stored)


def machine() -> str:
    """Names all that the bits of a training on one thread depend on beside the code."""
    releases = [f"{name}-{version(name)}" for name in COMPUTING]
    return " ".join([programs_folder(Path()).name, *releases])


if __name__ == "__main__":
    out, *names = sys.argv[1:]
    with TemporaryDirectory(prefix="ktl-bits-") as scratch:
        trials = trained({name: JOBS[name] for name in names}, Path(scratch))
    marks = {
        name: marks_of(each.weights, each.outputs, each.facts) for name, each in trials.items()
    }
    told = {"machine": machine(), "pictures": digest_of_all(), "trials": marks}
    Path(out).write_text(json.dumps(told))
