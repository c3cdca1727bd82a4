"""What was deleted is gone: looked for in every byte of the data folder, and in the store."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import httpx
import numpy as np
import pytest

from app import leases
from app.database import Database
from app.jobs import lifecycle
from app.main import create_app
from app.migrate import upgrade
from app.models import repository as models
from app.settings import Settings
from app.storage import Storage
from app.tables.datasets import DatasetRow
from app.tables.jobs import JobRow
from app.usage.sweep import sweep
from tests.intake.archives import arrays, npz_bytes
from tests.jobs.factories import trials_of
from tests.schemas import signature
from tests.serving import serve
from worker.intake.intake import ingest

WORD = "Marked-And-Never-To-Be-Seen-Again"
PIXELS = sha256(WORD.encode()).digest() * 2  # an 8 x 8 image that is in no other data


@pytest.fixture(params=["folder", pytest.param("s3", marks=pytest.mark.slow)])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "folder":
        return ""
    request.getfixturevalue("s3")
    return f"s3://ktl-test/{tmp_path.name}"


@pytest.fixture
def settings(tmp_path: Path, store_url: str) -> Settings:
    """With a grace period that is over before it begins: time does not pass in a test."""
    said = Settings(data_dir=tmp_path / "data", storage_url=store_url, broker_url="memory://")
    return said.model_copy(update={"gc_grace_seconds": -5})


@contextmanager
def service(settings: Settings) -> Iterator[tuple[httpx.Client, Database, Storage]]:
    upgrade(settings.database)
    database = Database(settings.database)
    sweep(database, settings)  # as the API's thread does at its start; here it must be over
    with serve(create_app(settings)) as client:
        yield client, database, Storage(settings.storage, settings.cache_dir)
    database.dispose()


def found(settings: Settings, hashes: set[str]) -> list[str]:
    """Files with the word, the picture or one of the contents; the names of files count as well."""
    places = []
    contents = {str(path): path.read_bytes() for path in settings.home.rglob("*") if path.is_file()}
    if settings.storage_url:
        filesystem = Storage(settings.storage, settings.cache_dir)._filesystem
        for path in filesystem.find(settings.storage):
            contents[f"s3://{path}"] = filesystem.cat_file(path)
    for place, content in contents.items():
        if WORD.encode() in place.encode() + content or PIXELS in content:
            places.append(place)
        if sha256(content).hexdigest() in hashes:
            places.append(place)
    return places


def upload(client: httpx.Client, content: bytes, **spec: object) -> str:
    answer = client.post(
        "/v1/datasets",
        files={
            "spec": (None, json.dumps({"name": f"{WORD} {len(content)}", **spec})),
            "file": (f"{WORD}.npz", content),
        },
        headers={"Idempotency-Key": os.urandom(8).hex()},
    )
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def take_in(database: Database, storage: Storage, settings: Settings, dataset_id: str) -> None:
    with database.write() as session:
        mine = DatasetRow.id == dataset_id
        row = leases.claim(session, DatasetRow, mine, [DatasetRow.id], "w", 60)
    assert row
    ingest(database, storage, settings, row)


def test_all_that_was_deleted_is_gone(settings: Settings, tmp_path: Path) -> None:
    labels = [f"{WORD} {kind}" for kind in "abc"]
    images = np.random.default_rng(0).integers(0, 256, (18, 8, 8), dtype=np.uint8)
    images[3] = np.frombuffer(PIXELS, np.uint8).reshape(8, 8)
    good = npz_bytes(
        x_train=images[:12],
        y_train=np.arange(12) % 3,
        x_test=images[12:],
        y_test=np.arange(6) % 3,
        class_names=np.array(labels),
    )
    bad = npz_bytes(**arrays(x_train=images[:12], y_train=np.array([WORD] * 12)))
    with service(settings) as (client, database, storage):
        ready, kept = upload(client, good), upload(client, good, keep_upload=True)
        refused, waiting = upload(client, bad), upload(client, bad + b" ")
        for dataset_id in (ready, kept, refused):
            take_in(database, storage, settings, dataset_id)
        shown = client.get(f"/v1/datasets/{ready}").json()
        assert shown["schema"]["task"]["classes"] == labels, shown
        assert client.get(f"/v1/datasets/{refused}").json()["status"] == "failed"
        client.get(f"/v1/datasets/{ready}/preview")  # from S3 into the cache

        spec = {
            "name": WORD,
            "sources": [{"dataset": ready}],
            "target": {"dataset": kept},
            "model": {"backbone": "mlp"},
            "tags": {"about": WORD},
        }
        answer = client.post("/v1/jobs", json=spec, headers={"Idempotency-Key": "job"})
        assert answer.status_code == 202, answer.text
        job_id = answer.json()["id"]
        results = tmp_path / "results.npz"
        results.write_bytes(PIXELS)
        with database.write() as session:
            trial = session.merge(trials_of(database, job_id)[0])
            trial.predictions = trial.weights = storage.put(results)
            trial.checkpoint = storage.write(f"checkpoints/{trial.id}/t-1.npz", results)
            session.get_one(JobRow, job_id).report = {"reason": WORD}
            lifecycle.cancel(session, job_id)
            model = models.add(
                session,
                "default",
                WORD,
                job_id,
                trial.id,
                {"onnx": trial.weights, "weights": trial.weights},
                signature((8, 8, 1), labels),
                {"arm": WORD},
            ).id
        storage.local(trial.checkpoint)
        hashes = {sha256(content).hexdigest() for content in (good, bad, bad + b" ", PIXELS)}
        assert len(found(settings, hashes)) > 6

        for path in (
            f"/v1/models/{model}",
            *(f"/v1/datasets/{dataset_id}" for dataset_id in (kept, ready, refused, waiting)),
            f"/v1/jobs/{job_id}",
        ):
            assert client.delete(path).status_code == 204, path
        again = client.post("/v1/jobs", json=spec, headers={"Idempotency-Key": "job"})
        assert (again.status_code, again.json()["code"]) == (409, "already_deleted")
        assert client.get("/v1/usage").json()["bytes"]["total"] == 0

    database = Database(settings.database)
    freed = sweep(database, settings)
    assert freed.rows == 5
    assert found(settings, hashes) == []
    database.dispose()


def test_a_dataset_that_is_deleted_while_it_is_taken_in_leaves_nothing(
    settings: Settings, tmp_path: Path
) -> None:
    with service(settings) as (client, database, storage):
        dataset_id = upload(client, npz_bytes(**arrays()))
        with database.write() as session:
            mine = DatasetRow.id == dataset_id
            row = leases.claim(session, DatasetRow, mine, [DatasetRow.id], "w", 60)
        assert row
        assert client.delete(f"/v1/datasets/{dataset_id}").status_code == 204
        with pytest.raises(leases.Fenced):
            ingest(database, storage, settings, row)
        sweep(database, settings)
        with database.read() as session:
            assert session.get(DatasetRow, dataset_id) is None
        assert not list(storage_files(settings, "sha256", "uploads"))


def storage_files(settings: Settings, *folders: str) -> Iterator[str]:
    filesystem = Storage(settings.storage, settings.cache_dir)._filesystem
    root = settings.storage.removeprefix("s3://")
    for folder in folders:
        yield from filesystem.find(f"{root}/{folder}")


def test_a_refused_upload_is_kept_no_longer_and_an_accepted_one_neither(
    settings: Settings,
) -> None:
    with service(settings) as (client, database, storage):
        kept = upload(client, npz_bytes(**arrays(), extra=np.zeros(3)), keep_upload=True)
        good, bad = upload(client, npz_bytes(**arrays())), upload(client, b"no archive at all")
        for dataset_id in (good, bad, kept):
            take_in(database, storage, settings, dataset_id)
        with database.read() as session:
            files = [session.get_one(DatasetRow, each).files for each in (good, bad, kept)]
        assert [len(each) for each in files] == [0, 0, 1]
        assert list(storage_files(settings, "uploads")) == [storage._path(files[2][0]["ref"])]
        assert sweep(database, settings).files == []
        assert storage.local(files[2][0]["ref"]).exists()
