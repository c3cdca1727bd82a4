"""What a job between two tables is told before it starts: over HTTP."""

from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from app.database import Database
from app.datasets.schemas import Schema
from app.inputs.columns import CategoryColumn, Column, NumberColumn
from app.inputs.table import TableInputs
from app.models import repository as models
from app.models.schemas import Signature
from app.storage import Storage
from app.tables.datasets import DatasetRow
from app.tables.jobs import JobRow
from app.tasks.classification import Classification
from tests.jobs.factories import add_dataset
from tests.jobs.requests import LOCAL, dataset, problem, spec, submit

TASK = Classification(classes=("well", "ill"))


def number(name: str, high: float = 10, unit: str = "") -> NumberColumn:
    return NumberColumn(name=name, unit=unit, edges=(0.0, high))


def category(name: str, *values: str) -> CategoryColumn:
    return CategoryColumn(name=name, values=values)


def add_table(database: Database, *columns: Column, sketch: str | None = None) -> str:
    schema = Schema(
        inputs=TableInputs(columns=columns),
        task=TASK,
        splits={"train": 40, "test": 20},
        class_counts={"train": (20, 20), "test": (10, 10)},
    )
    dataset_id = add_dataset(database, "ready", LOCAL)
    with database.write() as session:
        row = session.get_one(DatasetRow, dataset_id)
        row.schema = schema.model_dump(mode="json")
        row.arrays = {"sketch": sketch} if sketch else {}
    return dataset_id


def sketch(storage: Storage, folder: Path, *columns: Any) -> str:
    path = folder / "sketch.npy"
    np.save(path, np.stack(columns, 1).astype(np.float32))
    return storage.put(path)


def test_what_is_matched_and_what_is_proposed(
    client: httpx.Client, database: Database, storage: Storage, tmp_path: Path
) -> None:
    half = np.repeat([0, 1], 20)
    source = add_table(
        database,
        category("Sex", "f", "m"),
        number("cholesterol"),
        number("left"),
        number("ward"),
        sketch=sketch(storage, tmp_path, half, np.arange(40), half, half),
    )
    target = add_table(
        database,
        number("chol"),
        category("ward", "a", "b"),
        category("sex", "m", "f"),
        number("extra"),
        sketch=sketch(storage, tmp_path, np.arange(40), half, 0 * half, np.arange(40) - 90),
    )
    body = spec(source, target)
    answer = client.post("/v1/jobs:validate", json=body)
    assert answer.status_code == 200, answer.text
    plan = answer.json()
    [columns] = plan["columns"]
    [shared] = columns["shared"]
    assert (shared["name"], shared["source_name"], shared["kind"]) == ("sex", "Sex", "category")
    assert (shared["measure"], shared["distance"]) == ("total_variation", 0.5)
    assert columns["target_only"] == ["chol", "ward", "extra"]
    assert columns["source_only"] == ["cholesterol", "left", "ward"]
    assert [(each["name"], each["source_name"]) for each in columns["unlike"]] == [("ward", "ward")]
    [similar] = columns["similar"]
    assert (similar["name"], similar["source_name"]) == ("chol", "cholesterol")
    assert "names are alike and their values are distributed alike" in similar["reason"]
    assert plan["domain_distance"][0]["proxy_a_distance"] is not None
    assert not {"inputs", "columns"} & plan["spec"].keys()

    body["sources"][0]["columns"] = {"chol": "cholesterol", "extra": None}
    [columns] = client.post("/v1/jobs:validate", json=body).json()["columns"]
    assert {each["name"]: each["confirmed"] for each in columns["shared"]} == {
        "chol": True,
        "sex": False,
    }
    assert columns["similar"] == []

    job = client.post("/v1/jobs", json=body)
    assert job.status_code == 202, job.text
    assert "columns" not in job.json()["spec"]
    assert job.json()["spec"]["sources"][0]["columns"] == {"chol": "cholesterol", "extra": None}
    with database.read() as session:
        stored = session.get_one(JobRow, job.json()["id"]).spec
    assert [column["name"] for column in stored["inputs"]["columns"]] == [
        *("chol", "ward", "sex", "extra"),
    ]


def test_tables_without_sketches_have_no_distances(
    client: httpx.Client, database: Database
) -> None:
    body = spec(add_table(database, number("a")), add_table(database, number("a"), number("b")))
    plan = client.post("/v1/jobs:validate", json=body).json()
    assert plan["columns"][0]["shared"][0]["distance"] is None
    assert plan["domain_distance"] == [None]


def test_no_shared_column(client: httpx.Client, database: Database) -> None:
    body = spec(
        add_table(database, *(number(f"s{'x' * k}") for k in range(12))),
        add_table(database, category("t", "secret"), number("u")),
    )
    found = problem(client.post("/v1/jobs", json=body), 422, "no_shared_column")
    assert "the target has `t`, `u`, the source `s`, `sx`" in found["detail"]
    assert "and 2 more" in found["detail"]
    assert "`columns`" in found["detail"]
    assert "secret" not in found["detail"]
    assert found["errors"][0]["pointer"] == "#/sources/0/dataset"


@pytest.mark.parametrize(
    ("columns", "code", "pointer"),
    [
        ({"no/ne": "a"}, "unknown_column", "no~1ne"),
        ({"a": "none"}, "unknown_column", "a"),
        ({"a": "b", "b": "b"}, "repeated_column", "b"),
        ({"a": "c"}, "columns_differ", "a"),
    ],
)
def test_what_a_job_cannot_say_of_columns(
    client: httpx.Client, database: Database, columns: dict[str, str], code: str, pointer: str
) -> None:
    inputs = number("a"), number("b"), category("c", "x")
    body = spec(add_table(database, *inputs), add_table(database, *inputs))
    body["sources"][0]["columns"] = columns
    found = problem(client.post("/v1/jobs", json=body), 422, code)
    assert pointer in {each["pointer"].rpartition("/")[2] for each in found["errors"]}


def test_columns_are_for_tables(client: httpx.Client, database: Database) -> None:
    body = spec(dataset(database), dataset(database))
    body["sources"][0]["columns"] = {"a": "b"}
    problem(client.post("/v1/jobs", json=body), 422, "not_a_table")
    mixed = spec(dataset(database), add_table(database, number("a")))
    found = problem(client.post("/v1/jobs", json=mixed), 422, "shape_mismatch")
    assert "expected image as in the source, got table" in found["detail"]


def test_what_hides_columns_learns_what_missing_ones_mean(
    client: httpx.Client, database: Database
) -> None:
    pictures = spec(dataset(database), dataset(database), training={"hidden_columns": 0.5})
    found = problem(client.post("/v1/jobs", json=pictures), 422, "not_a_table")
    assert found["errors"][0]["pointer"] == "#/training/hidden_columns"
    plain = number("a").model_copy(update={"misses": False})
    body = spec(add_table(database, plain), add_table(database, plain))
    for share, misses in ((0.0, False), (0.5, True)):
        body["training"] = {"hidden_columns": share}
        job_id = submit(client, body)
        with database.read() as session:
            (column,) = session.get_one(JobRow, job_id).spec["inputs"]["columns"]
        assert column["misses"] is misses


def test_pictures_words_stay_out_of_tables(client: httpx.Client, database: Database) -> None:
    table = add_table(database, number("a")), add_table(database, number("a"))
    sized = spec(*table, model={"backbone": "mlp", "image_size": [8, 8]})
    found = problem(client.post("/v1/jobs", json=sized), 422, "not_a_picture")
    assert found["errors"][0]["pointer"] == "#/model/image_size"
    resolved = client.post("/v1/jobs:validate", json=spec(*table)).json()["spec"]
    assert resolved["model"]["image_size"] is None


def test_a_model_that_sees_numbers_otherwise(client: httpx.Client, database: Database) -> None:
    """Of more than 1,000 numbers each is one, of fewer in parts."""
    learnt = TableInputs(columns=tuple(number(f"x{place}") for place in range(1_001)))
    model = add_model(database, learnt)
    target = add_table(database, number("x0"), number("x1"))
    body = spec(target, target, sources=[{"model": model}], strategies=["fine_tune"])
    body["model"] = {"backbone": "auto"}
    found = problem(client.post("/v1/jobs", json=body), 422, "weights_do_not_fit")
    assert "one of 1001 columns for a table of 2" in found["detail"]
    wide = add_table(database, *(number(f"x{place}") for place in range(1_002)))
    body["target"]["dataset"] = wide
    plan = client.post("/v1/jobs:validate", json=body)
    assert plan.status_code == 200, plan.text
    body["sources"] = [{"dataset": target}]
    plan = client.post("/v1/jobs:validate", json=body)
    assert plan.status_code == 200, plan.text


def add_model(database: Database, learnt: TableInputs) -> str:
    network = {"backbone": "mlp", "params": {"hidden": [8]}, "image_size": None}
    with database.write() as session:
        return models.add(
            session,
            LOCAL,
            "m",
            None,
            trial_id=None,
            files={"weights": "w"},
            signature=Signature(inputs=learnt, task=TASK),
            card={"network": network},
        ).id


def test_a_model_that_would_lose_columns_without_labels(
    client: httpx.Client, database: Database
) -> None:
    learnt = TableInputs(columns=(number("a"), number("b")))
    model = add_model(database, learnt)
    target = add_table(database, number("A"), number("new"))
    body = spec(target, target, sources=[{"model": model}], strategies=["shot"])
    body["model"] = {"backbone": "auto"}
    body["target"]["use_labels"] = False
    found = problem(client.post("/v1/jobs", json=body), 422, "columns_lost")
    assert "takes the place of `b`" in found["detail"]
    body["target"]["use_labels"], body["strategies"] = True, ["fine_tune"]
    plan = client.post("/v1/jobs:validate", json=body)
    assert plan.status_code == 200, plan.text
    [columns] = plan.json()["columns"]
    assert (columns["target_only"], columns["source_only"]) == (["new"], ["b"])
