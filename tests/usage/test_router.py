from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from app.database import Database
from app.main import create_app
from app.models import repository as models
from app.settings import Settings
from app.storage import Storage
from app.tables.jobs import JobRow, TrialRow
from tests.datasets.conftest import client, settings
from tests.jobs.factories import ready_job, trials_of
from tests.schemas import SIGNATURE
from tests.usage.test_sweep import change

__all__ = ["client", "settings"]


def test_bytes_by_kind_and_counts(
    client: httpx.Client, database: Database, storage: Storage, tmp_path: Path
) -> None:
    job_id = ready_job(database, project="default")
    ready_job(database, project="another")
    sizes = {"x": 1000, "onnx": 200, "weights": 30, "predictions": 14, "checkpoint": 15}
    refs = {}
    for name, size in sizes.items():
        path = tmp_path / f"{name}.npz"
        path.write_bytes(name.encode() + b"-" * (size - len(name)))
        refs[name] = storage.put(path)
    with database.read() as session:
        target = session.get_one(JobRow, job_id).target_id
    change(database, target, project="default", arrays={"x": refs["x"], "again": refs["x"]})
    with database.write() as session:
        files = {"onnx": refs["onnx"], "weights": refs["weights"]}
        models.add(session, "default", "m", None, None, files, SIGNATURE, {})
    change(
        database,
        trials_of(database, job_id)[0].id,
        TrialRow,
        status="running",
        weights=refs["weights"],
        predictions=refs["predictions"],
        checkpoint=refs["checkpoint"],
    )
    usage = client.get("/v1/usage").json()
    assert usage["bytes"] == {
        "datasets": 1000,
        "models": 230,  # with the weights, which are a trial's as well
        "features": 0,
        "weights": 0,
        "predictions": 14,
        "checkpoints": 15,
        "total": 1259,
    }
    assert (usage["datasets"], usage["jobs"], usage["running_trials"]) == (1, 1, 1)
    assert usage["limits"]["bytes"] is None
    assert usage["disk"]["free_bytes"] > 0


@pytest.fixture
def s3_client(s3: Storage, settings: Settings, database: Database) -> Iterator[httpx.Client]:
    from tests.serving import serve

    there = settings.model_copy(update={"storage_url": "s3://ktl-test/usage"})
    with serve(create_app(there)) as client:
        yield client


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("count", [3, 30])
def test_sizes_on_s3(
    s3: Storage,
    s3_client: httpx.Client,
    settings: Settings,
    database: Database,
    tmp_path: Path,
    count: int,
) -> None:
    """Asked one by one where they are few, read from a list where they are many."""
    storage = Storage("s3://ktl-test/usage", settings.cache_dir)
    refs = {}
    for number in range(count):
        path = tmp_path / "content.npy"
        path.write_bytes(b"%03d" % number)
        refs[str(number)] = storage.put(path)
    with database.write() as session:
        models.add(session, "default", "m", None, None, refs, SIGNATURE, {})
    usage = s3_client.get("/v1/usage").json()
    assert usage["bytes"]["models"] == 3 * count
    assert usage["disk"] is None
