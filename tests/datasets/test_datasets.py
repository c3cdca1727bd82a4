"""The routes that name, list, show, preview and delete."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from typer.testing import CliRunner

from app.access import repository as keys
from app.access.authentication import DEFAULT_PROJECT
from app.cli.datasets import app as cli
from app.client import Client
from app.database import Database
from app.datasets import repository
from app.settings import Settings
from app.storage import Storage
from app.tables.datasets import DatasetRow
from app.tables.jobs import JobRow
from tests.intake.archives import arrays, npz_bytes
from tests.intake.test_intake import add_upload, claim
from worker.intake.intake import ingest


@pytest.fixture
def add(
    database: Database, storage: Storage, settings: Settings, tmp_path: Path
) -> Callable[..., str]:
    """Takes in a dataset; `changed` are its arrays."""

    def taken_in(**changed: Any) -> str:
        held = arrays(class_names=np.array(["ant", "bee", "cat"]), **changed)
        dataset_id = add_upload(database, storage, tmp_path, npz_bytes(**held))
        ingest(database, storage, settings, claim(database, dataset_id))
        with database.write() as session:
            session.get_one(DatasetRow, dataset_id).project = DEFAULT_PROJECT
        return dataset_id

    return taken_in


@pytest.fixture
def dataset_id(add: Callable[..., str]) -> str:
    return add()


def test_the_catalogue_lists_what_can_be_named(client: httpx.Client) -> None:
    entries = {entry["name"]: entry for entry in client.get("/v1/catalog/datasets").json()["data"]}
    assert list(entries) == ["mnist_5k", "digits", "mnist", "fashion_mnist", "emnist_letters"]
    assert entries["digits"]["download_bytes"] == 0
    assert entries["emnist_letters"]["schema"]["splits"] == {"train": 124_800, "test": 20_800}


def test_one_name_gives_one_dataset(client: httpx.Client) -> None:
    first = client.post("/v1/datasets", json={"from": "catalog:digits"})
    assert first.status_code == 202
    assert first.json()["name"] == "digits"
    assert first.json()["origin"] == "catalog:digits"
    again = client.post("/v1/datasets", json={"from": "catalog:digits", "name": "mine"})
    assert again.json() == first.json()


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        ({"from": "catalog:imagenet"}, "unknown_dataset", "#/from"),
        ({"from": "https://example.org"}, "missing_field", "#/name"),
        ({"from": "https://example.org", "name": "a"}, "nothing_chosen", "#/from"),
        ({"from": "catalog:digits", "test_fraction": 0.5}, "unknown_field", "#/test_fraction"),
        ({"name": "a"}, "missing_field", "#/from"),
        ([], "invalid_value", "#"),
    ],
)
def test_an_unknown_origin_is_refused(
    client: httpx.Client, body: object, code: str, pointer: str
) -> None:
    answer = client.post("/v1/datasets", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert answer.json()["errors"][0]["pointer"] == pointer


def test_an_unknown_name_is_told_the_known_ones(client: httpx.Client) -> None:
    answer = client.post("/v1/datasets", json={"from": "catalog:imagenet"})
    assert "catalog:mnist_5k, catalog:digits" in answer.json()["detail"]


def test_shows_schema_and_profile(client: httpx.Client, dataset_id: str) -> None:
    answer = client.get(f"/v1/datasets/{dataset_id}")
    dataset = answer.json()
    assert dataset["status"] == "ready"
    assert dataset["schema"]["task"]["classes"] == ["ant", "bee", "cat"]
    assert dataset["profile"]["duplicates"]["across_splits"] == 0
    assert len(dataset["content_hash"]) == 64
    assert "Retry-After" not in answer.headers
    seen = {"If-None-Match": answer.headers["ETag"]}
    assert client.get(f"/v1/datasets/{dataset_id}", headers=seen).status_code == 304


def test_lists_by_pages_and_status(client: httpx.Client, dataset_id: str) -> None:
    catalogued = client.post("/v1/datasets", json={"from": "catalog:digits"}).json()["id"]
    page = client.get("/v1/datasets?limit=1").json()
    assert [dataset["id"] for dataset in page["data"]] == [catalogued]
    assert page["has_more"]
    page = client.get(f"/v1/datasets?limit=1&after={page['next']}").json()
    assert [dataset["id"] for dataset in page["data"]] == [dataset_id]
    assert not page["has_more"]
    assert page["data"][0]["schema"]
    ready = client.get("/v1/datasets?status=ready").json()["data"]
    assert [dataset["id"] for dataset in ready] == [dataset_id]


def test_previews_raw_values(client: httpx.Client, dataset_id: str) -> None:
    path = f"/v1/datasets/{dataset_id}/preview"
    preview = client.get(f"{path}?split=test&offset=4&limit=50").json()
    assert (preview["total"], preview["offset"]) == (6, 4)
    assert [(item["index"], item["label"]) for item in preview["data"]] == [(4, "bee"), (5, "cat")]
    assert preview["data"][0]["image"] == arrays()["x_test"][4][..., None].tolist()
    assert client.get(f"{path}?offset=100").json()["data"] == []
    for query in ("limit=51", "limit=0", "offset=-1", "split=validation"):
        assert client.get(f"{path}?{query}").status_code == 422


def test_a_split_without_labels_has_items_without(
    client: httpx.Client, add: Callable[..., str]
) -> None:
    path = f"/v1/datasets/{add(y_train=None)}"
    shown = client.get(path).json()
    assert shown["status"] == "ready"
    assert shown["schema"]["task"]["classes"] == ["ant", "bee", "cat"]
    assert shown["schema"]["class_counts"] == {"train": [0, 0, 0], "test": [2, 2, 2]}
    assert shown["profile"]["class_balance"]["train"] is None

    def labels(split: str) -> list[str | None]:
        preview = client.get(f"{path}/preview?split={split}&limit=2").json()
        return [item["label"] for item in preview["data"]]

    assert labels("train") == [None, None]
    assert labels("test") == ["ant", "bee"]
    with Client(str(client.base_url)) as typed:
        assert [item.label for item in typed.datasets.preview(shown["id"], "train").data] == (
            [None] * 10
        )


def test_a_dataset_without_any_label_has_no_classes(
    client: httpx.Client, add: Callable[..., str]
) -> None:
    path = f"/v1/datasets/{add(y_train=None, x_test=None, y_test=None)}"
    schema = client.get(path).json()["schema"]
    assert schema["task"]["classes"] == []
    assert schema["splits"] == {"train": 10, "test": 2}
    assert schema["class_counts"] == {"train": [], "test": []}
    items = client.get(f"{path}/preview?split=test").json()["data"]
    assert [item["label"] for item in items] == [None, None]


def test_the_command_line_tells_what_has_no_labels(
    client: httpx.Client,
    add: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KTL_URL", str(client.base_url))
    known, bare = add(y_train=None), add(y_train=None, y_test=None)
    run = partial(CliRunner().invoke, cli)
    assert "12 unlabelled to train on, 6 to test on" in run(["show", known]).output
    assert "12 unlabelled to train on, 6 unlabelled to test on" in run(["show", bare]).output
    listed = run(["list"])
    assert listed.exit_code == 0
    rows = {row.split()[-1]: row.split()[3:-1] for row in listed.output.splitlines()}
    assert rows[known] == ["3", "classes", "12", "unlabelled", "6"]
    assert rows[bare] == ["none", "12", "unlabelled", "6", "unlabelled"]


def test_there_is_no_preview_before_the_data_are_there(client: httpx.Client) -> None:
    dataset = client.post("/v1/datasets", json={"from": "catalog:digits"}).json()
    answer = client.get(f"/v1/datasets/{dataset['id']}/preview")
    assert (answer.status_code, answer.json()["code"]) == (409, "dataset_not_ready")
    assert answer.headers["Retry-After"] == "1"


@pytest.mark.parametrize("role", ["source", "target"])
def test_is_kept_while_a_job_needs_it(
    client: httpx.Client, database: Database, dataset_id: str, role: str
) -> None:
    other = client.post("/v1/datasets", json={"from": "catalog:digits"}).json()["id"]
    source, target = (dataset_id, other) if role == "source" else (other, dataset_id)
    with database.write() as session:
        job = JobRow(
            id="job_1",
            project=DEFAULT_PROJECT,
            name="n",
            spec={},
            source_ids=[source],
            target_id=target,
            status="paused",
        )
        session.add(job)
    answer = client.delete(f"/v1/datasets/{dataset_id}")
    assert (answer.status_code, answer.json()["code"]) == (409, "dataset_in_use")
    assert "job_1" in answer.json()["detail"]
    with database.write() as session:
        session.get_one(JobRow, "job_1").status = "cancelled"
    assert client.delete(f"/v1/datasets/{dataset_id}").status_code == 204
    for answer in (
        client.delete(f"/v1/datasets/{dataset_id}"),
        client.get(f"/v1/datasets/{dataset_id}"),
        client.get(f"/v1/datasets/{dataset_id}/preview"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "dataset_not_found")
    assert dataset_id not in client.get("/v1/datasets").text


def test_another_projects_dataset_is_not_found(
    client: httpx.Client, database: Database, dataset_id: str
) -> None:
    with database.write() as session:
        _, key = keys.create(session, "theirs", "other", ["read", "write"])
        _, reader = keys.create(session, "ours", DEFAULT_PROJECT, ["read"])
    theirs, ours = ({"Authorization": f"Bearer {secret}"} for secret in (key, reader))
    for method, path in (("GET", ""), ("GET", "/preview"), ("DELETE", "")):
        answer = client.request(method, f"/v1/datasets/{dataset_id}{path}", headers=theirs)
        assert (answer.status_code, answer.json()["code"]) == (404, "dataset_not_found")
    assert client.get("/v1/datasets", headers=theirs).json()["data"] == []
    assert client.get(f"/v1/datasets/{dataset_id}", headers=ours).status_code == 200
    assert client.post("/v1/datasets", content=b"x").status_code == 401
    assert client.post("/v1/datasets", content=b"x", headers=ours).status_code == 403
    with database.read() as session:
        assert repository.find(session, DEFAULT_PROJECT, dataset_id)


def test_the_openapi_shows_both_bodies(client: httpx.Client) -> None:
    described = client.get("/openapi.json").json()
    content = described["paths"]["/v1/datasets"]["post"]["requestBody"]["content"]
    assert content.keys() == {"multipart/form-data", "application/json"}
    assert content["application/json"]["example"] == {"name": "digits", "from": "catalog:mnist_5k"}
    assert content["multipart/form-data"]["example"]["spec"] == {"name": "letters"}
    assert (
        "[, y_train]"
        in content["multipart/form-data"]["schema"]["properties"]["file"]["description"]
    )
    label = described["components"]["schemas"]["PreviewItem"]["properties"]["label"]
    assert {"type": "null"} in label["anyOf"]


def test_if_match_guards_a_deletion(client: httpx.Client, dataset_id: str) -> None:
    path = f"/v1/datasets/{dataset_id}"
    answer = client.delete(path, headers={"If-Match": '"of before"'})
    assert (answer.status_code, answer.json()["code"]) == (412, "version_changed")
    seen = client.get(path).headers["ETag"]
    assert client.delete(path, headers={"If-Match": seen}).status_code == 204
