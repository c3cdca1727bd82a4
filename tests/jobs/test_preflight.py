"""What is known of a job before it is queued: which strategies can run, how far the domains are."""

from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from app.database import Database
from app.identifiers import new_id
from app.models import repository as models
from app.spec.strategy_catalogue import CATALOGUE
from app.storage import Storage
from app.tables.datasets import DatasetRow
from tests.jobs.requests import LOCAL, dataset, problem, spec
from tests.schemas import SIGNATURE


def with_sketch(database: Database, storage: Storage, folder: Path, seed: int) -> str:
    """A dataset of noise, as light as its `seed` is large."""
    rng, path = np.random.default_rng(seed), folder / "sketch.npy"
    np.save(path, (0.1 * rng.random((100, 64)) + 0.4 * seed).astype(np.float32))
    ref, dataset_id = storage.put(path), dataset(database)
    with database.write() as session:
        session.get_one(DatasetRow, dataset_id).arrays = {"sketch": ref}
    return dataset_id


def test_validating_says_how_far_the_domains_are(
    client: httpx.Client, database: Database, storage: Storage, tmp_path: Path
) -> None:
    target, twin, far = (with_sketch(database, storage, tmp_path, seed) for seed in (0, 0, 1))
    body = spec(target, target, sources=[{"dataset": one} for one in (twin, far)])
    body["sources"].append({"dataset": dataset(database)})  # taken in before there were sketches
    same, apart, unknown = client.post("/v1/jobs:validate", json=body).json()["domain_distance"]
    assert same["proxy_a_distance"] == pytest.approx(0, abs=0.4)
    assert apart["proxy_a_distance"] == pytest.approx(2)
    assert apart["mmd"] > same["mmd"]
    assert unknown is None
    found = client.post("/v1/jobs", json={**body, "strategies": ["dann"]})
    detail = problem(found, 422, "labels_unused")["detail"]
    assert f"0 (alike) to 2: {same['proxy_a_distance']:.2f}, 2.00" in detail


def test_validating_says_which_strategies_can_run(client: httpx.Client, database: Database) -> None:
    digits, letters = dataset(database), dataset(database, classes=("x", "y"))
    plan = client.post("/v1/jobs:validate", json=spec(digits, letters)).json()
    reasons = {each["name"]: each["reason"] for each in plan["strategies"]}
    assert set(reasons) == set(CATALOGUE)
    assert [name for name, reason in reasons.items() if reason is None] == [
        *("linear_probe", "fine_tune", "lp_ft", "l2_sp", "co_tuning", "multi_task"),
    ]
    assert reasons["distill"].startswith("expected the same classes in source and target")
    assert reasons["dann"].startswith("expected target.use_labels false")


def test_adaptation_between_digits_and_letters_is_refused(
    client: httpx.Client, database: Database
) -> None:
    target = {"dataset": dataset(database, classes=("x", "y")), "use_labels": False}
    body = spec(dataset(database), "", target=target, strategies=["dann"])
    for path in ("/v1/jobs", "/v1/jobs:validate"):
        found = problem(client.post(path, json=body), 422, "label_space_mismatch")
        assert found["errors"][0]["pointer"] == "#/strategies/0"
        assert found["detail"].startswith("dann: expected the same classes in source and target")
    assert client.get("/v1/jobs").json()["data"] == []


def test_what_is_auto_in_training_is_left_open(client: httpx.Client, body: dict[str, Any]) -> None:
    plan = client.post(
        "/v1/jobs:validate",
        json={**body, "training": {"learning_rate": "auto", "augmentation": None}},
    ).json()
    assert plan["spec"]["space"] == {
        "learning_rate": True,
        "weight_decay": False,
        "epochs": False,
        "augmentation": False,
        "imbalance": [],
    }
    assert plan["spec"]["training"]["learning_rate"] == 0.001
    roles = [trial["role"] for trial in plan["trials"]]
    assert roles == ["pretrain", "search", "search", "baseline", "transfer"]


@pytest.mark.parametrize(
    ("changes", "code", "pointer"),
    [
        ({}, "missing_field", "#/sources"),
        ({"sources": []}, "invalid_value", "#/sources"),
        ({"sources": [{}]}, "invalid_value", "#/sources/0"),
    ],
)
def test_a_job_without_a_source(
    client: httpx.Client, body: dict[str, Any], changes: dict[str, Any], code: str, pointer: str
) -> None:
    del body["sources"]
    found = problem(client.post("/v1/jobs", json={**body, **changes}), 422, code)
    assert found["errors"][0]["pointer"] == pointer


def add_model(database: Database, project: str = LOCAL, **files: str) -> str:
    network = {"backbone": "mlp", "params": {"hidden": [5]}, "image_size": None, "bottleneck": None}
    card = {"network": network}
    with database.write() as session:
        return models.add(session, project, "m", None, None, files, SIGNATURE, card).id


def test_a_source_model(client: httpx.Client, database: Database) -> None:
    body = spec("", dataset(database), sources=[{"model": add_model(database, weights="ref")}])
    del body["model"]
    plan = client.post("/v1/jobs:validate", json=body).json()
    assert [trial["role"] for trial in plan["trials"]] == ["baseline", "transfer"]
    assert plan["spec"]["model"]["params"]["hidden"] == [5]
    assert plan["spec"]["model"]["image_size"] == [8, 8]
    assert plan["domain_distance"] == [None]
    job = client.post("/v1/jobs", json=body).json()
    assert job["sources"] == [body["sources"][0]["model"]]
    other = {**body, "model": {"backbone": "mlp", "params": {"hidden": [6]}}}
    found = problem(client.post("/v1/jobs", json=other), 422, "weights_do_not_fit")
    assert found["errors"][0]["pointer"] == "#/sources/0/model"


def test_a_source_model_of_other_images(client: httpx.Client, database: Database) -> None:
    """The target's are resized to the model's."""
    body = spec("", dataset(database, shape=(16, 16, 1)), sources=[])
    body["sources"] = [{"model": add_model(database, weights="ref")}]
    network = {"backbone": "mlp", "params": {"hidden": [5]}}
    for model in ({"backbone": "auto"}, network, {**network, "image_size": [8, 8]}):
        plan = client.post("/v1/jobs:validate", json={**body, "model": model})
        assert plan.status_code == 200, plan.text
        assert plan.json()["spec"]["model"]["image_size"] == [8, 8]


def test_a_source_model_that_is_not_there(client: httpx.Client, database: Database) -> None:
    target, foreign = dataset(database), add_model(database, "other", weights="ref")
    for model, code in (
        (foreign, "unknown_model"),
        (new_id("mdl"), "unknown_model"),
        (target, "unknown_model"),
        (add_model(database), "model_without_weights"),
    ):
        body = spec("", target, sources=[{"model": model}])
        found = problem(client.post("/v1/jobs", json=body), 422, code)
        assert found["errors"][0]["pointer"] == "#/sources/0/model"
        assert "expected" in found["detail"]
