"""What a small upload can make every answer say has a bound."""

from pathlib import Path

import httpx
import numpy as np

from app.database import Database
from app.datasets.schemas import DatasetSpec
from app.identifiers import new_id
from app.jobs.presenting import present_job
from app.models import repository as models
from app.tables.datasets import DatasetRow
from tests.intake.archives import npz_bytes
from tests.jobs.factories import job_of, ready_job
from tests.schemas import signature
from worker.intake.ingestion import IngestedDataset, ingest_upload
from worker.intake.raw import IntakeLimits, RawFile

CLASSES = 9000


def taken(folder: Path) -> IngestedDataset:
    """Very many classes with names as long as may be, that look alike, and many arrays."""
    names = np.array([f"{number % 3000:040}{' ' * (number // 3000)}x" for number in range(CLASSES)])
    held = {
        "x": np.zeros((CLASSES, 1, 1), np.uint8),
        "y": np.arange(CLASSES),
        "x_test": np.zeros((2, 1, 1), np.uint8),
        "y_test": np.arange(2),
        "class_names": names,
    }
    ignored = {f"{number:0200}": np.zeros(1) for number in range(900)}
    path = folder / "a.npz"
    path.write_bytes(npz_bytes(**held, **ignored))
    limits = IntakeLimits(items=CLASSES, bytes=2**22)
    return ingest_upload([RawFile("a.npz", path)], DatasetSpec(name="many"), limits, folder)


def test_lists_name_100_classes_of_each_dataset(
    client: httpx.Client, database: Database, tmp_path: Path
) -> None:
    found = taken(tmp_path)
    with database.write() as session:
        session.add_all(
            DatasetRow(
                id=new_id("ds"),
                project="default",
                name="many",
                origin="upload",
                spec={},
                status="ready",
                schema=found.schema.model_dump(mode="json"),
                profile=found.profile,
            )
            for _ in range(10)
        )
        of_model = signature((1, 1, 1), found.schema.classes)
        models.add(session, "default", "many", None, None, {}, of_model, {})
    listed = client.get("/v1/datasets")
    assert len(listed.content) < 400_000
    first = listed.json()["data"][0]
    assert first["schema"]["task"]["classes"] == list(found.schema.classes[:100])
    assert [len(counts) for counts in first["schema"]["class_counts"].values()] == [100, 100]
    assert first["classes_left_off"] == CLASSES - 100
    alone = client.get(f"/v1/datasets/{first['id']}")
    assert len(alone.content) < 600_000
    assert alone.json()["schema"]["task"]["classes"] == list(found.schema.classes)
    assert alone.json()["classes_left_off"] == 0
    (model,) = client.get("/v1/models").json()["data"]
    assert (len(model["signature"]["task"]["classes"]), model["classes_left_off"]) == (
        100,
        CLASSES - 100,
    )
    model = client.get(f"/v1/models/{model['id']}").json()
    assert (len(model["signature"]["task"]["classes"]), model["classes_left_off"]) == (CLASSES, 0)


def test_a_profile_is_short(tmp_path: Path) -> None:
    profile = taken(tmp_path).profile
    assert len(str(profile)) < 40_000
    assert len(profile["ignored_arrays"]) == 20
    assert profile["ignored_arrays_left_off"] == 880
    assert len(profile["class_balance"]["test"]["absent"]) == 20
    assert profile["class_balance"]["test"]["absent_left_off"] == CLASSES - 22
    warnings = " ".join(profile["warnings"])
    assert f"and {CLASSES - 22} more" in warnings
    assert "So do the names of 2990 more groups of classes." in warnings


def test_a_job_names_100_classes(database: Database) -> None:
    job_id = ready_job(database)
    with database.write() as session:
        job = job_of(database, job_id)
        job.spec = {**job.spec, "classes": [str(number) for number in range(5000)]}
        spec = present_job(session, job).spec
    assert (len(spec["classes"]), spec["classes_left_off"]) == (100, 4900)
