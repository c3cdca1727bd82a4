"""Jobs that no worker could train are refused before they start, with what would help."""

import re
from typing import Any

import httpx
import pytest

from app.database import Database
from app.workers import repository as workers
from tests.jobs.requests import dataset, problem

MIB = 2**20
WIDEST = 65_536


@pytest.fixture
def declare(database: Database) -> Any:
    def say(slot_bytes: int) -> None:
        with database.write() as session:
            workers.declare(session, "one", 1, slot_bytes)

    return say


def refused(client: httpx.Client, body: dict[str, Any], pointer: str) -> str:
    """By both, alike; its detail."""
    details = set()
    for path in ("/v1/jobs:validate", "/v1/jobs"):
        found = problem(client.post(path, json=body), 422, "network_too_large")
        assert found["errors"][0]["pointer"] == pointer
        details.add(found["detail"])
    (detail,) = details
    return str(detail)


ABSURD = {
    "hidden": ({"backbone": "mlp", "params": {"hidden": [WIDEST] * 16}}, "#/model"),
    "one layer": ({"backbone": "mlp", "params": {"hidden": [WIDEST, WIDEST]}}, "#/model"),
    "bottleneck": (
        {"backbone": "mlp", "params": {"hidden": [WIDEST]}, "bottleneck": WIDEST},
        "#/model",
    ),
    "images for an mlp": ({"backbone": "mlp", "image_size": [WIDEST, WIDEST]}, "#/model"),
    "images for a convnet": ({"backbone": "convnet", "image_size": [WIDEST, WIDEST]}, "#/model"),
    "images for a deep convnet": (
        {
            "backbone": "convnet",
            "image_size": [WIDEST, WIDEST],
            "params": {"filters": [1] * 8, "dense": 1},
        },
        "#/model/image_size",
    ),
    "filters": (
        {"backbone": "convnet", "params": {"filters": [WIDEST, WIDEST]}},
        "#/model",
    ),
    "images for mobilenet": (
        {"backbone": "mobilenet", "image_size": [WIDEST, WIDEST]},
        "#/model/image_size",
    ),
    "images for auto": ({"image_size": [WIDEST, WIDEST]}, "#/model"),
}


@pytest.mark.parametrize(("model", "pointer"), ABSURD.values(), ids=ABSURD)
def test_absurd_networks_without_any_worker(
    client: httpx.Client, body: dict[str, Any], model: dict[str, Any], pointer: str
) -> None:
    assert "lower " in refused(client, body | {"model": model}, pointer)


@pytest.mark.parametrize("ensemble", ["average", "distill"])
def test_ensembles_larger_than_a_model_can_be(
    client: httpx.Client, body: dict[str, Any], ensemble: str
) -> None:
    body["model"] = {"backbone": "mlp", "params": {"hidden": [8192, 8192]}}
    body["evaluation"] = {"seeds": 8}
    body["deploy"] = {"name": "wide", "when": "always", "ensemble": ensemble}
    found = problem(client.post("/v1/jobs", json=body), 422, "ensemble_too_large")
    assert found["errors"][0]["pointer"] == "#/deploy/ensemble"
    assert "lower evaluation.seeds to 7, leave `ensemble` out" in found["detail"]
    assert "leave `ensemble` out, and one network is served" in found["detail"]
    del body["deploy"]["ensemble"]
    assert client.post("/v1/jobs:validate", json=body).status_code == 200


def test_an_ensemble_that_a_worker_cannot_package(
    client: httpx.Client, body: dict[str, Any], declare: Any
) -> None:
    body["model"] = {"backbone": "mlp", "params": {"hidden": [2048, 2048]}}
    body["evaluation"] = {"seeds": 40}
    declare(1200 * MIB)
    assert client.post("/v1/jobs:validate", json=body).status_code == 200
    body["deploy"] = {"name": "wide", "when": "always", "ensemble": "average"}
    found = problem(client.post("/v1/jobs:validate", json=body), 422, "ensemble_too_large")
    assert found["errors"][0]["pointer"] == "#/deploy/ensemble"
    assert "in `packaging`" in found["detail"]


def test_what_learns_from_all_seeds_needs_more_than_one_of_them(
    client: httpx.Client, body: dict[str, Any]
) -> None:
    body["model"] = {"backbone": "mlp", "params": {"hidden": [2048, 2048]}}
    body["evaluation"] = {"seeds": 5}
    needs = {}
    for ensemble in ("none", "distill"):
        body["deploy"] = {"name": "wide", "when": "always", "ensemble": ensemble}
        found = client.post("/v1/jobs:validate", json=body).json()
        needs[ensemble] = found["estimate"]["memory_bytes"]
    parameters = found["estimate"]["parameters"]
    assert needs["distill"] - needs["none"] > 4 * 5 * parameters


def test_absurd_discriminators(client: httpx.Client, body: dict[str, Any]) -> None:
    body["target"]["use_labels"] = False
    params = {"hidden": WIDEST}
    body["strategies"] = ["mcc", {"name": "dann", "params": params}]
    assert "`hidden` of dann" in refused(client, body, "#/strategies/1/params/hidden")


def test_what_workers_have_is_the_measure_and_the_estimate_stands_in_the_job(
    client: httpx.Client, body: dict[str, Any], declare: Any
) -> None:
    body["model"] = {"backbone": "mlp", "params": {"hidden": [2048, 2048]}}
    plan = client.post("/v1/jobs:validate", json=body).json()["estimate"]
    # 64 inputs, two layers, two classes
    assert plan["parameters"] == 65 * 2048 + 2049 * 2048 + 2049 * 2
    declare(plan["memory_bytes"] // 2)
    detail = refused(client, body, "#/model/params")
    assert "model.params.hidden" in detail
    declare(plan["memory_bytes"])
    job = client.post("/v1/jobs", json=body).json()
    assert job["estimate"] == plan
    assert client.get(f"/v1/jobs/{job['id']}").json()["estimate"] == plan


def test_predictions_of_thousands_of_trials(
    client: httpx.Client, body: dict[str, Any], database: Database, declare: Any
) -> None:
    """10,000 test items, 3,400 trials and 2 classes: 0.4 GB, and half as much again."""
    declare(800 * MIB)
    many = {
        "splits": {"train": 40, "test": 10_000},
        "class_counts": {"train": (20, 20), "test": (5000,) * 2},
    }
    body["target"]["dataset"] = dataset(database, **many)
    body["evaluation"] = {"seeds": 100, "learning_curve": [*range(1, 17)]}
    assert "`report`" in refused(client, body, "#/evaluation")
    body["evaluation"] = {"seeds": 20, "learning_curve": [*range(1, 17)]}
    assert client.post("/v1/jobs:validate", json=body).status_code == 200


def test_a_batch_that_would_fit_is_named_and_fits(
    client: httpx.Client, body: dict[str, Any], declare: Any
) -> None:
    declare(1200 * MIB)
    body["model"] = {"backbone": "convnet", "image_size": [128, 128]}
    body["training"] = {"batch_size": 1024}
    body["target"]["use_labels"] = False
    body["strategies"] = ["dann"]
    detail = refused(client, body, "#/training/batch_size")
    found = re.search(r"batch_size \(with (\d+) it fits\)", detail)
    assert found
    body["training"] = {"batch_size": int(found.group(1))}
    assert client.post("/v1/jobs", json=body).status_code == 202
