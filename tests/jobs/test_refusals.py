"""Specs that cannot run: each problem says where, what was expected and what came."""

from typing import Any

import httpx
import pytest

from app.database import Database
from app.errors import FailureCode, WorkFailure
from app.identifiers import new_id
from app.tables.datasets import DatasetRow
from tests.jobs.factories import add_dataset
from tests.jobs.requests import dataset, problem, spec

CHANGES: list[tuple[dict[str, Any], str, str, str]] = [
    ({"epochs": 3}, "unknown_field", "#/epochs", "epochs"),
    ({"training": {"epoch": 3}}, "unknown_field", "#/training/epoch", "epoch"),
    ({"strategies": ["magic"]}, "unknown_choice", "#/strategies/0", "lp_ft"),
    ({"model": {"backbone": "resnet"}}, "unknown_choice", "#/model", "convnet"),
    ({"evaluation": {"seeds": 0}}, "invalid_value", "#/evaluation/seeds", "1"),
    ({"training": {"learning_rate": "fast"}}, "invalid_value", "#/training/learning_rate", ""),
    ({"deploy": {"name": "No Name"}}, "invalid_value", "#/deploy/name", ""),
    ({"imbalance": "oversampling"}, "unknown_choice", "#/imbalance", "logit_adjustment"),
    ({"imbalance": ["none", "oversampling"]}, "unknown_choice", "#/imbalance/1", "focal"),
    ({"imbalance": ["focal"]}, "nothing_to_compare", "#/imbalance", "two or more"),
    ({"imbalance": ["focal", "focal"]}, "nothing_to_compare", "#/imbalance", "different"),
    ({"label_noise": ["gce"]}, "unknown_choice", "#/label_noise", "drop_suspects"),
    (
        {"imbalance": "focal", "label_noise": "gce"},
        "contradicting_losses",
        "#/imbalance",
        "class_weights",
    ),
    (
        {"label_noise": "gce", "training": {"label_smoothing": 0.1}},
        "contradicting_losses",
        "#/training/label_smoothing",
        "gce",
    ),
    ({"budget_seconds": 0}, "invalid_value", "#/budget_seconds", "0"),
    (
        {"evaluation": {"learning_curve": [5, 0]}},
        "invalid_value",
        "#/evaluation/learning_curve/1",
        "1",
    ),
    (
        {"evaluation": {"learning_curve": [5, 21]}},
        "too_few_labels",
        "#/evaluation/learning_curve/1",
        "at most 20",
    ),
    (
        {"evaluation": {"seeds": 2, "pretrain_seeds": 3}},
        "too_many_pretrain_seeds",
        "#/evaluation/pretrain_seeds",
        "got 3",
    ),
    (
        {"model": {"backbone": "convnet", "params": {"filters": [8, 8, 8, 8]}}},
        "too_many_layers",
        "#/model/params/filters",
        "got 4",
    ),
]


@pytest.mark.parametrize(("change", "code", "pointer", "text"), CHANGES)
def test_a_spec_that_cannot_run_is_refused_with_the_place(
    client: httpx.Client,
    body: dict[str, Any],
    change: dict[str, Any],
    code: str,
    pointer: str,
    text: str,
) -> None:
    for path in ("/v1/jobs", "/v1/jobs:validate"):
        found = problem(client.post(path, json={**body, **change}), 422, code)
        assert found["errors"][0]["pointer"].startswith(pointer)
        assert text in str(found["errors"])
    assert client.get("/v1/jobs").json()["data"] == []


@pytest.mark.parametrize("count", [21, 10**30])
def test_more_labels_than_there_are(client: httpx.Client, body: dict[str, Any], count: int) -> None:
    target = {**body["target"], "labels_per_class": count}
    answer = client.post("/v1/jobs", json={**body, "target": target})
    assert answer.status_code in {400, 422}
    if count == 21:
        found = problem(answer, 422, "too_few_labels")
        assert found["errors"][0]["pointer"] == "#/target/labels_per_class"
        assert "at most 20" in found["detail"]


def test_choices_that_no_label_could_compare(client: httpx.Client, body: dict[str, Any]) -> None:
    target = {**body["target"], "use_labels": False}
    asked = {**body, "target": target, "strategies": ["coral"], "imbalance": ["none", "focal"]}
    found = problem(client.post("/v1/jobs:validate", json=asked), 422, "labels_missing")
    assert [each["pointer"] for each in found["errors"]] == ["#/imbalance"]


@pytest.mark.parametrize(
    ("changes", "code", "text"),
    [
        ({"shape": (8, 8, 3)}, "shape_mismatch", "got 3 channels"),
        (
            {"classes": ("a",), "class_counts": {"train": (40,), "test": (20,)}},
            "one_class",
            "got 1",
        ),
        ({"splits": {"train": 40, "test": 0}}, "empty_split", "`test`"),
    ],
)
def test_a_target_that_does_not_fit(
    client: httpx.Client, database: Database, changes: dict[str, Any], code: str, text: str
) -> None:
    body = spec(dataset(database), dataset(database, **changes))
    found = problem(client.post("/v1/jobs", json=body), 422, code)
    assert found["errors"][0]["pointer"] == "#/target/dataset"
    assert text in found["detail"]


def test_a_dataset_that_is_not_there(client: httpx.Client, database: Database) -> None:
    mine, deleted = dataset(database), dataset(database)
    assert client.delete(f"/v1/datasets/{deleted}").status_code == 204
    foreign = add_dataset(database, project="other")
    for target in (foreign, deleted, new_id("ds"), "catalog:nothing", "nonsense"):
        found = problem(client.post("/v1/jobs", json=spec(mine, target)), 422, "unknown_dataset")
        assert found["errors"][0]["pointer"] == "#/target/dataset"


def test_a_dataset_that_is_not_ready(client: httpx.Client, database: Database) -> None:
    mine, raw, bad = (dataset(database, status) for status in ("ready", "ingesting", "failed"))
    answer = client.post("/v1/jobs", json=spec(raw, mine))
    found = problem(answer, 409, "dataset_not_ready")
    assert found["errors"][0]["pointer"] == "#/sources/0/dataset"
    assert answer.headers["Retry-After"]
    with database.write() as session:
        reason = WorkFailure(FailureCode.DATASET_INVALID, "3 NaN in x_train", reason="not_a_number")
        session.get_one(DatasetRow, bad).error = reason.as_json()
    found = problem(client.post("/v1/jobs", json=spec(mine, bad)), 422, "dataset_failed")
    assert found["errors"][0]["pointer"] == "#/target/dataset"
    assert "3 NaN in x_train" in found["detail"]


def test_a_body_that_cannot_be_read(client: httpx.Client) -> None:
    headers = {"Content-Type": "application/json"}
    problem(client.post("/v1/jobs", content=b'{"a": ', headers=headers), 400, "invalid_json")
    headers = {"Content-Type": "text/plain"}
    answer = client.post("/v1/jobs", content=b"{}", headers=headers)
    problem(answer, 415, "unsupported_media_type")


def test_items_without_labels_that_are_not_there_or_have_no_use(
    client: httpx.Client, body: dict[str, Any]
) -> None:
    """20 labelled items of each of 2 classes, and no other."""
    target = {**body["target"], "use_unlabelled": True}
    answer = client.post("/v1/jobs", json={**body, "target": target, "strategies": ["adamatch"]})
    (found,) = problem(answer, 422, "no_unlabelled_items")["errors"]
    assert found["pointer"] == "#/target/use_unlabelled"
    assert "each of the target's 40 has one" in found["detail"]
    target["labels_per_class"] = 5
    answer = client.post("/v1/jobs", json={**body, "target": target, "strategies": ["lp_ft"]})
    (found,) = problem(answer, 422, "unlabelled_not_used")["errors"]
    assert found["pointer"] == "#/target/use_unlabelled"
    assert "there are coral, linear_coral, dann, cdan, mcc, shot, adamatch" in found["detail"]
    answer = client.post("/v1/jobs", json={**body, "target": target, "strategies": ["adamatch"]})
    assert answer.status_code == 202, answer.text
    assert answer.json()["spec"]["target"]["use_unlabelled"]
