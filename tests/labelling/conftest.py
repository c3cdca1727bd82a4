"""Jobs that have ended with a network, none of which was trained: its weights are random ones."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from app.access.authentication import DEFAULT_PROJECT
from app.database import Database
from app.datasets.schemas import Schema
from app.inputs.image import ImageInputs
from app.jobs import repository
from app.main import create_app
from app.models import repository as models
from app.models.schemas import Signature
from app.settings import Settings
from app.spec.spec import JobSpec, ResolvedSpec
from app.storage import Storage
from app.tables.datasets import DatasetRow
from app.tables.jobs import JobRow
from app.tasks import Task
from app.tasks.classification import Classification
from app.tasks.multi_label import MultiLabel
from app.tasks.regression import Regression
from tests.serving import serve
from tests.trials.jobs import SMALL, accepted
from tests.trials.stored import add_stored
from worker.backbones.network import Architecture, Network
from worker.labelling import simulation
from worker.machine.context import WorkerContext

CLASSES, LABELLED, UNLABELLED, TEST = ("a", "b", "c"), 60, 24, 12
Add = Callable[..., str]


@pytest.fixture
def settings(settings: Settings, database: Database) -> Settings:
    url = database.engine.url.render_as_string(hide_password=False)
    return settings.model_copy(update={"database_url": url, "broker_url": "memory://"})


@pytest.fixture
def context(
    database: Database, settings: Settings, storage: Storage, tmp_path: Path
) -> WorkerContext:
    slots = tmp_path / "slots"
    slots.mkdir()
    return WorkerContext(settings, database, storage, slots, is_draining=lambda: False)


@pytest.fixture
def few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Simulations of 4 draws: what they tell is not the point, that they do is."""
    monkeypatch.setattr(simulation, "CHOOSING_DRAWS", 1)
    monkeypatch.setattr(simulation, "DRAWS", 3)


@pytest.fixture
def client(settings: Settings) -> Any:
    with serve(create_app(settings)) as client:
        yield client


def labels(kind: str, shown: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, Task]:
    """`shown` (n,): which row of a picture is bright; labels of a task of that kind."""
    if kind == "regression":
        return np.where(known, 10.0 * shown, np.nan).astype(np.float32), Regression(mean=10, std=8)
    if kind == "multi_label":
        some = np.stack([shown == 0, shown > 0], axis=1).astype(np.int32)
        return np.where(known[:, None], some, -1), MultiLabel(labels=("first", "others"))
    return np.where(known, shown, -1).astype(np.int32), Classification(classes=CLASSES)


@pytest.fixture
def add(context: WorkerContext, tmp_path: Path) -> Add:
    """`add(seed, labelled, unlabelled, kind="classification", tested=True, channels=1)`: pictures
    with one bright row, those without a label among the others; `tested`: whether test items have
    a label."""

    def stored(
        seed: int,
        labelled: int = LABELLED,
        unlabelled: int = UNLABELLED,
        kind: str = "classification",
        tested: bool = True,
        channels: int = 1,
    ) -> str:
        rng, arrays, counts = np.random.default_rng(seed), dict[str, np.ndarray](), {}
        task: Task = Classification(classes=CLASSES)
        for split, items in (("train", labelled + unlabelled), ("test", TEST)):
            shown = np.arange(items) % 3
            x = rng.integers(0, 120, (items, 8, 8, channels), dtype=np.uint8)
            x[np.arange(items), shown] += 90
            known = np.full(items, tested and labelled > 0)
            if split == "train":
                known = rng.permutation(np.arange(items) < labelled)
            y, task = labels(kind, shown, known)
            of_class = (y == np.arange(3)[:, None]).sum(axis=1) if y.ndim == 1 else y
            counts[split] = (
                tuple(int(c) for c in of_class) if kind == "classification" else (int(known.sum()),)
            )
            arrays |= {f"x_{split}": x, f"y_{split}": y}
        schema = Schema(
            inputs=ImageInputs(shape=(8, 8, channels), dtype="uint8", value_range=(0, 255)),
            task=task,
            splits={"train": labelled + unlabelled, "test": TEST},
            class_counts=counts,
        )
        return add_stored(context, tmp_path, f"rows {seed}", arrays, schema, DEFAULT_PROJECT)

    return stored


@pytest.fixture
def ended(context: WorkerContext, tmp_path: Path) -> Add:
    """`ended(source, target, arm="fine_tune", …)`: a job that has ended with a model."""

    def job(source: str, target: str, arm: str = "fine_tune", **of_target: Any) -> str:
        spec = JobSpec.model_validate(
            {
                **SMALL,
                "strategies": [arm],
                "sources": [{"dataset": source}],
                "target": {"dataset": target, **of_target},
                "evaluation": {"seeds": 1},
            }
        )
        with context.database.write() as session:
            job = accepted(session, context, DEFAULT_PROJECT, spec)
            dataset = session.get_one(DatasetRow, target)
            resolved, schema = (
                ResolvedSpec.model_validate(job.spec),
                Schema.model_validate(dataset.schema),
            )
            network = Network(Architecture.of(resolved.model, resolved.seen(schema)))
            network.initialise(0)
            network.save_weights(tmp_path / "weights.npz")
            weights = context.storage.put(tmp_path / "weights.npz")
            trials = repository.trials(session, job.id)
            for trial in trials:
                trial.status, trial.weights = "succeeded", weights
            winner = next(trial for trial in trials if trial.arm == arm)
            model = models.add(
                session,
                DEFAULT_PROJECT,
                "winner",
                job.id,
                winner.id,
                {"onnx": weights, "weights": weights},
                Signature(inputs=resolved.seen(schema).inputs, task=schema.task),
                {"arm": arm},
            )
            job.status, job.stage, job.model_id = "succeeded", "ended", model.id
            return job.id

    return job


def job_row(database: Database, job_id: str) -> JobRow:
    with database.read() as session:
        return session.get_one(JobRow, job_id)


def ask(client: httpx.Client, job_id: str, **body: Any) -> httpx.Response:
    return client.post(f"/v1/jobs/{job_id}/next_labels", json=body)
