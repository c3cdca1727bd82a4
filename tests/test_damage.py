"""Stored files that rot, over HTTP and on both databases: told, marked, and healed."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from app.damage import heal
from app.database import Database
from app.deployments import repository as deployments
from app.identifiers import new_id
from app.prediction.served import NotLoaded, ServedModels
from app.settings import Settings
from app.tables.datasets import DatasetRow
from app.tables.jobs import TrialRow
from app.tables.models import ModelRow
from tests.jobs.factories import SCHEMA, finish, must_claim, ready_job
from tests.prediction.site import Site, problem, run_site


@pytest.fixture
def site(settings: Settings, database: Database, database_url: str) -> Iterator[Site]:
    changed = {"database_url": database_url, "broker_url": "memory://"}
    with run_site(settings.model_copy(update=changed), database) as site:
        yield site


def add_dataset(site: Site, folder: Path, seed: int = 0) -> str:
    """Of SCHEMA; equal seeds have equal files."""
    arrays, rng = {}, np.random.default_rng(seed)
    for split, items in SCHEMA.splits.items():
        images = rng.integers(0, 256, (items, *SCHEMA.inputs.shape), dtype=np.uint8)
        for axis, array in (("x", images), ("y", np.arange(items, dtype=np.int32) % 2)):
            np.save(folder / "array.npy", array)
            arrays[f"{axis}_{split}"] = site.storage.put(folder / "array.npy")
    row = DatasetRow(
        id=new_id("ds"),
        project="default",
        name="letters",
        origin="upload",
        spec={},
        status="ready",
        arrays=arrays,
        schema=SCHEMA.model_dump(mode="json"),
    )
    with site.database.write() as session:
        session.add(row)
    return row.id


def path_of(site: Site, dataset: str, array: str) -> Path:
    with site.database.read() as session:
        return site.storage.local(session.get_one(DatasetRow, dataset).arrays[array])


def zero(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:128].ljust(path.stat().st_size, b"\0"))


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-10])


@pytest.mark.parametrize("harm", [zero, cut, Path.unlink])
def test_a_damaged_dataset(site: Site, tmp_path: Path, harm: Callable[[Path], None]) -> None:
    dataset, other = add_dataset(site, tmp_path), add_dataset(site, tmp_path, seed=1)
    harm(path_of(site, dataset, "x_train"))
    code = "artifact_missing" if harm is Path.unlink else "artifact_damaged"
    preview = f"/v1/datasets/{dataset}/preview"
    told = problem(site.client.get(preview), 409, code)["detail"]
    assert f"x_train of the dataset {dataset} (letters)" in told
    assert "upload the same data again" in told
    shown = site.client.get(f"/v1/datasets/{dataset}").json()
    assert (shown["status"], shown["error"]["code"]) == ("damaged", code)
    assert shown["error"]["message"] == told
    assert [each["id"] for each in site.client.get("/v1/datasets?status=damaged").json()["data"]]

    body = {"sources": [{"dataset": other}], "target": {"dataset": dataset}}
    refused = problem(site.client.post("/v1/jobs", json=body), 409, code)
    assert refused["errors"][0]["pointer"] == "#/target/dataset"
    heal(site.database, site.storage)
    assert site.client.get(f"/v1/datasets/{dataset}").json()["status"] == "damaged"

    add_dataset(site, tmp_path)  # the same content
    heal(site.database, site.storage)
    shown = site.client.get(f"/v1/datasets/{dataset}").json()
    assert (shown["status"], shown["error"]) == ("ready", None)
    assert site.client.get(preview).status_code == 200
    assert site.client.post("/v1/jobs", json=body).status_code == 202


def test_a_damaged_sketch_stops_a_job_at_the_door(site: Site, tmp_path: Path) -> None:
    source, target = add_dataset(site, tmp_path), add_dataset(site, tmp_path, seed=1)
    np.save(tmp_path / "sketch.npy", np.random.default_rng(0).random((40, 64), np.float32))
    ref = site.storage.put(tmp_path / "sketch.npy")
    with site.database.write() as session:
        for dataset in (source, target):
            row = session.get_one(DatasetRow, dataset)
            row.arrays = {**row.arrays, "sketch": ref}
    zero(site.storage.local(ref))
    body = {"sources": [{"dataset": source}], "target": {"dataset": target}}
    problem(site.client.post("/v1/jobs:validate", json=body), 409, "artifact_damaged")
    marked = site.client.get("/v1/datasets?status=damaged").json()["data"]
    assert {each["id"] for each in marked} == {source, target}  # they share the file


def test_a_damaged_model_is_never_downloaded(site: Site) -> None:
    model = site.add_model()
    with site.database.read() as session:
        path = site.storage.local(session.get_one(ModelRow, model).files["keras"])
    content = path.read_bytes()
    cut(path)
    url = f"/v1/models/{model}/download"
    told = problem(site.client.get(f"{url}?format=keras"), 409, "artifact_damaged")["detail"]
    assert f"the file `keras` of the model {model}" in told
    assert site.client.get(url).status_code == 200  # the other file is whole
    shown = site.client.get(f"/v1/models/{model}").json()
    assert (shown["status"], shown["error"]["message"]) == ("damaged", told)
    body = {"sources": [{"model": model}], "target": {"dataset": "catalog:digits"}}
    refused = problem(site.client.post("/v1/jobs", json=body), 409, "artifact_damaged")
    assert refused["errors"][0]["pointer"] == "#/sources/0/model"
    path.write_bytes(content)
    heal(site.database, site.storage)
    shown = site.client.get(f"/v1/models/{model}").json()
    assert (shown["status"], shown["error"]) == ("ready", None)
    assert site.client.get(f"{url}?format=keras").content == content


@pytest.mark.parametrize("kind", ["onnx", "golden"])
def test_a_damaged_model_is_not_served_until_it_is_whole(site: Site, kind: str) -> None:
    model = site.add_model()
    with site.database.read() as session:
        path = site.storage.local(session.get_one(ModelRow, model).files[kind])
    content = path.read_bytes()
    zero(path)
    put = site.client.put("/v1/deployments/pets", json={"model": model})
    problem(put, 409, "artifact_damaged")
    with site.database.write() as session:
        deployments.point(session, "default", "pets", model)
    served = ServedModels(site.database, site.storage)  # as a process that has just started
    served.refresh()
    found = served._models["default", "pets"]
    assert isinstance(found, NotLoaded)
    assert found.status == "failed"
    assert "artifact_damaged" in found.reason
    served.refresh()
    assert served._models["default", "pets"] == found
    path.write_bytes(content)
    served.refresh()
    assert not isinstance(served._models["default", "pets"], NotLoaded)


def test_predictions_that_are_damaged_are_told_before_the_archive_begins(
    site: Site, tmp_path: Path
) -> None:
    job = ready_job(site.database, project="default")
    trial = must_claim(site.database)
    np.savez(tmp_path / "predictions.npz", y_test=np.arange(3))
    ref = site.storage.put(tmp_path / "predictions.npz")
    finish(site.database, trial, weights="w", predictions=ref, content_key="k")
    url = f"/v1/jobs/{job}/predictions"
    assert site.client.get(url).status_code == 200
    cut(site.storage.local(ref))
    problem(site.client.get(url), 409, "artifact_damaged")
    with site.database.read() as session:
        row = session.get_one(TrialRow, trial.id)
    assert (row.status, row.content_key) == ("failed", None)  # a retry makes it anew
    assert row.error
    assert row.error["code"] == "artifact_damaged"
