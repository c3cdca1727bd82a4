"""Audits over HTTP, with a worker's steps between: what is found, and what is refused or lost."""

from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from app import leases
from app.access.authentication import DEFAULT_PROJECT
from app.database import Database
from app.datasets.schemas import Schema
from app.errors import Fenced
from app.inputs.image import ImageInputs
from app.jobs import recovery, work
from app.main import create_app
from app.messages import AuditDataset
from app.settings import Settings
from app.storage import Storage
from app.tables.audits import AuditRow
from app.tables.datasets import DatasetRow
from app.tasks import Task
from app.tasks.classification import Classification
from app.tasks.regression import Regression
from app.usage import repository as usage
from tests.leases import let_pass
from tests.serving import serve
from tests.trials.stored import add_stored
from worker.machine.context import WorkerContext
from worker.process import runner

WRONG_TRAIN, WRONG_TEST, LONE = [3, 17, 30], [5], 89


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
def client(settings: Settings) -> Any:
    with serve(create_app(settings)) as client:
        yield client


def add(
    context: WorkerContext, folder: Path, task: Task | None = None, labelled: bool = True
) -> str:
    """Pictures that are bright above (`up`) or below (`down`), some labels of them the other's, and
    one picture of a third kind, the only item of its class."""
    rng, arrays, counts = np.random.default_rng(0), dict[str, np.ndarray](), dict[str, Any]()
    for split, items, wrong in (("train", 90, WRONG_TRAIN), ("test", 30, WRONG_TEST)):
        y = (np.arange(items) % 2).astype(np.int32)
        x = rng.integers(0, 60, (items, 6, 6, 1)).astype(np.uint8)
        for label, half in enumerate((slice(3), slice(3, 6))):
            x[y == label, half] += 120
        y[wrong] = 1 - y[wrong]
        if split == "train":
            x[LONE], y[LONE] = 255, 2
        y = y if labelled else np.full(items, -1, np.int32)
        counts[split] = tuple(int((y == k).sum()) for k in range(3)) if labelled else ()
        arrays |= {f"x_{split}": x, f"y_{split}": y}
    task = task or Classification(classes=("up", "down", "odd"))
    schema = Schema(
        inputs=ImageInputs(shape=(6, 6, 1), dtype="uint8", value_range=(0, 255)),
        task=task,
        splits={"train": 90, "test": 30},
        class_counts=counts,
    )
    return add_stored(context, folder, "halves", arrays, schema, DEFAULT_PROJECT)


def audit_of(database: Database, dataset_id: str) -> AuditRow:
    with database.read() as session:
        (row,) = (r for r in session.query(AuditRow) if r.dataset_id == dataset_id)
        return row


def test_what_is_wrong_is_found_and_shown(
    client: httpx.Client, context: WorkerContext, database: Database, tmp_path: Path
) -> None:
    dataset_id = add(context, tmp_path)
    path = f"/v1/datasets/{dataset_id}/audit"
    assert client.get(path).json()["code"] == "not_audited"
    begun = client.post(path)
    assert (begun.status_code, begun.headers["location"]) == (202, path)
    assert (begun.json()["status"], begun.json()["suspects"]) == ("queued", None)
    audit = audit_of(database, dataset_id)
    with database.read() as session:
        assert work.waiting(session, 9) == [AuditDataset(audit.id)]

    runner.audit(context, audit.id, "worker")
    found = client.get(path).json()
    assert (found["status"], found["items"], found["error"]) == ("succeeded", 120, None)
    said = {(each["split"], each["index"]): each for each in found["data"]}
    wrong = {*(("train", k) for k in WRONG_TRAIN), *(("test", k) for k in WRONG_TEST)}
    assert set(said) == wrong
    assert found["suspects"] == 4
    assert (said["train", 3]["label"], said["train", 3]["proposed"]) == ("up", "down")
    scores = [each["score"] for each in found["data"]]
    assert scores == sorted(scores, reverse=True)
    assert [each["is_judged"] for each in found["classes"]] == [True, True, False]
    rest = client.get(path, params={"offset": 3, "limit": 5}).json()
    assert (rest["offset"], rest["data"]) == (3, found["data"][3:])

    items = client.get(f"/v1/datasets/{dataset_id}/preview", params={"limit": 4}).json()["data"]
    assert "suspected" not in items[2]
    assert items[3]["suspected"] == {"proposed": "down", "score": said["train", 3]["score"]}
    assert client.post(path).json()["status"] == "succeeded"  # and is not begun again
    with database.read() as session:
        assert work.waiting(session, 9) == []


@pytest.mark.parametrize(
    ("task", "labelled", "code"),
    [
        (Regression(mean=0.0, std=1.0), True, "needs_classification"),
        (Classification(classes=()), False, "no_labels"),
    ],
)
def test_what_has_no_labels_to_judge_is_refused(
    client: httpx.Client,
    context: WorkerContext,
    tmp_path: Path,
    task: Task,
    labelled: bool,
    code: str,
) -> None:
    answer = client.post(f"/v1/datasets/{add(context, tmp_path, task, labelled)}/audit")
    assert (answer.status_code, answer.json()["code"]) == (422, code)


def test_anothers_dataset_is_not_there(
    client: httpx.Client, context: WorkerContext, database: Database, tmp_path: Path
) -> None:
    dataset_id = add(context, tmp_path)
    with database.write() as session:
        session.get_one(DatasetRow, dataset_id).project = "other"
    for answer in (
        client.post(f"/v1/datasets/{dataset_id}/audit"),
        client.get(f"/v1/datasets/{dataset_id}/audit"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "dataset_not_found")


def test_a_lost_worker_costs_an_attempt_and_the_last_one_fails_the_audit(
    client: httpx.Client,
    context: WorkerContext,
    database: Database,
    settings: Settings,
    tmp_path: Path,
) -> None:
    dataset_id = add(context, tmp_path)
    path = f"/v1/datasets/{dataset_id}/audit"
    client.post(path)
    for attempt in range(1, settings.max_attempts + 1):
        row = audit_of(database, dataset_id)
        with database.write() as session:
            mine = (AuditRow.id == row.id) & (AuditRow.status == "queued")
            taken = leases.claim(session, AuditRow, mine, [AuditRow.id], "w", 30, status="running")
        assert taken is not None
        assert taken.attempt == attempt
        let_pass(database, 31)
        recovery.recover(database, settings)
    found = client.get(path).json()
    assert (found["status"], found["error"]["code"]) == ("failed", "worker_lost")
    with pytest.raises(Fenced), database.write() as session:
        leases.write(session, AuditRow, taken.id, taken.token or "", status="succeeded")

    assert client.post(path).json()["status"] == "queued"  # anew
    runner.audit(context, audit_of(database, dataset_id).id, "worker")
    assert client.get(path).json()["status"] == "succeeded"


def test_damaged_rows_are_told_and_a_deleted_dataset_takes_its_audit_along(
    client: httpx.Client,
    context: WorkerContext,
    database: Database,
    storage: Storage,
    tmp_path: Path,
) -> None:
    dataset_id = add(context, tmp_path)
    path = f"/v1/datasets/{dataset_id}/audit"
    client.post(path)
    with database.read() as session:
        ref = session.get_one(DatasetRow, dataset_id).arrays["x_train"]
    storage.local(ref).unlink()
    runner.audit(context, audit_of(database, dataset_id).id, "worker")
    found = client.get(path).json()
    assert (found["status"], found["error"]["code"]) == ("failed", "artifact_missing")
    assert client.delete(f"/v1/datasets/{dataset_id}").status_code == 204
    assert client.get(path).json()["code"] == "dataset_not_found"
    with database.write() as session:
        usage._purge_datasets(session)
        assert session.query(AuditRow).count() == 0
