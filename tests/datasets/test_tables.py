"""A table over HTTP: uploaded, taken in, shown, deleted."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.database import Database
from app.settings import Settings
from app.storage import Storage
from app.tables.datasets import DatasetRow
from app.usage.sweep import sweep
from tests.intake.tables import csv_text
from tests.intake.test_intake import claim
from worker.intake.intake import ingest

Upload = Callable[..., dict[str, Any]]


@pytest.fixture
def upload(
    client: httpx.Client, database: Database, storage: Storage, settings: Settings
) -> Upload:
    """Posts a file and takes it in; returns what GET says of it then."""

    def posted(text: str = csv_text(), **spec: Any) -> dict[str, Any]:
        body = {"spec": (None, json.dumps({"name": "t", **spec})), "file": ("t.csv", text.encode())}
        answer = client.post("/v1/datasets", files=body)
        assert answer.status_code == 202, answer.text
        ingest(database, storage, settings, claim(database, answer.json()["id"]))
        found: dict[str, Any] = client.get(answer.headers["Location"]).json()
        return found

    return posted


def test_what_is_shown(upload: Upload, client: httpx.Client) -> None:
    city = {"kind": "category", "role": "group", "unit": ""}
    dataset = upload(
        columns={"city": city}, target={"column": "label"}, split={"group": "city"}, missing=["?"]
    )
    assert dataset["status"] == "ready"
    assert [each["name"] for each in dataset["schema"]["columns"]] == ["height", "city", "label"]
    assert dataset["schema"]["columns"][1] == {
        "name": "city",
        "kind": "category",
        "role": "group",
        "unit": "",
        "reason": "the spec says so; its rows are never cut apart",
    }
    assert dataset["schema"]["inputs"]["modality"] == "table"
    assert dataset["profile"]["target"] == {"columns": ["label"], "reason": "the spec says so"}
    items = client.get(f"/v1/datasets/{dataset['id']}/preview").json()["data"]
    assert {items[0]["label"], items[1]["label"]} == {"a", "b"}


def test_a_refusal_names_the_line(upload: Upload) -> None:
    dataset = upload(csv_text() + "1.2,secret\n")
    assert dataset["status"] == "failed"
    assert dataset["error"]["code"] == "ragged_rows"
    assert dataset["error"]["param"] == "#/file/t.csv"
    assert "line 22" in dataset["error"]["message"]
    assert "secret" not in str(dataset["error"])


@pytest.mark.parametrize(
    ("spec", "pointer"),
    [
        ({"columns": {"age": "numeric"}}, "#/spec/columns/age"),
        ({"target": {"colum": "x"}}, "#/spec/target/colum"),
        ({"target": {"column": "x", "columns": ["y"]}}, "#/spec/target"),
        ({"target": {"task": "regression"}, "task": "classification"}, "#/spec"),
        ({"split": {"column": "x", "where": {"y": ["z"]}}}, "#/spec/split"),
        ({"csv": {"delimiter": ";;"}}, "#/spec/csv/delimiter"),
        ({"missing": "?"}, "#/spec/missing"),
    ],
)
def test_specs_that_say_too_much(client: httpx.Client, spec: dict, pointer: str) -> None:
    body = {"spec": (None, json.dumps({"name": "t", **spec})), "file": ("t.csv", b"a\n1\n")}
    answer = client.post("/v1/datasets", files=body)
    assert answer.status_code == 422
    assert any(each["pointer"].startswith(pointer) for each in answer.json()["errors"])


def test_arrays_have_no_columns(
    client: httpx.Client, database: Database, storage: Storage, settings: Settings, tmp_path: Path
) -> None:
    from tests.intake.archives import arrays, npz_bytes

    body = {
        "spec": (None, json.dumps({"name": "t", "columns": {"a": "number"}})),
        "file": ("t.npz", npz_bytes(**arrays())),
    }
    answer = client.post("/v1/datasets", files=body)
    ingest(database, storage, settings, claim(database, answer.json()["id"]))
    error = client.get(answer.headers["Location"]).json()["error"]
    assert (error["code"], error["param"]) == ("not_a_table", "#/spec/columns")


def test_the_rows_file_goes_with_its_dataset(
    upload: Upload, client: httpx.Client, database: Database, storage: Storage, settings: Settings
) -> None:
    dataset = upload()
    with database.read() as session:
        arrays = session.get_one(DatasetRow, dataset["id"]).arrays
    assert {"rows", "x_train", "x_test", "y_train", "y_test", "sketch"} == set(arrays)
    sweep(database, settings)
    assert storage.local(arrays["rows"]).is_file()
    used = client.get("/v1/usage").json()
    assert used["bytes"]["datasets"] >= storage.local(arrays["rows"]).stat().st_size
    assert client.delete(f"/v1/datasets/{dataset['id']}").status_code == 204
    with database.read() as session:
        assert session.get_one(DatasetRow, dataset["id"]).deleted_at
