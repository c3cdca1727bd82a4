"""Audits by what a model's network makes of pictures."""

from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from app.access.authentication import DEFAULT_PROJECT
from app.database import Database
from app.inputs.image import ImageInputs
from app.inputs.text import TextInputs
from app.models import repository as models
from app.models.schemas import Signature
from app.spec.backbones import Mlp
from app.tables.models import ModelRow
from app.tasks.classification import Classification
from tests.audit.test_auditing import (
    WRONG_TEST,
    WRONG_TRAIN,
    add,
    audit_of,
    client,
    context,
    settings,
)
from worker.audit.features import components_of
from worker.backbones.network import Architecture, Network
from worker.machine.context import WorkerContext
from worker.process import runner

__all__ = ["client", "context", "settings"]  # fixtures

one_engine = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

INPUTS = ImageInputs(shape=(6, 6, 1), dtype="uint8", value_range=(0, 255))
TASK = Classification(classes=("left", "right"))


def add_model(context: WorkerContext, folder: Path, **changes: Any) -> str:
    """A network of random weights for pictures like the dataset's."""
    backbone = Mlp.model_validate({"backbone": "mlp", "params": {"hidden": [64]}})
    network = Network(Architecture(backbone, INPUTS, TASK.nameless))
    network.initialise(0)
    network.save_weights(folder / "weights.npz")
    fields: dict[str, Any] = {
        "files": {"weights": context.storage.put(folder / "weights.npz")},
        "signature": Signature(inputs=INPUTS, task=TASK),
        "card": {"network": backbone.model_dump(mode="json"), "arm": "scratch"},
        **changes,
    }
    with context.database.write() as session:
        return models.add(session, DEFAULT_PROJECT, "m", None, None, **fields).id


@one_engine
def test_what_is_wrong_is_found_by_the_models_features_too(
    client: httpx.Client, context: WorkerContext, database: Database, tmp_path: Path
) -> None:
    dataset_id, model_id = add(context, tmp_path), add_model(context, tmp_path)
    path = f"/v1/datasets/{dataset_id}/audit"
    begun = client.post(path, json={"features": model_id})
    assert (begun.status_code, begun.json()["features"]) == (202, model_id)
    runner.audit(context, audit_of(database, dataset_id).id, "worker")
    found = client.get(path).json()
    assert (found["status"], found["features"]) == ("succeeded", model_id)
    wrong = {*(("train", k) for k in WRONG_TRAIN), *(("test", k) for k in WRONG_TEST)}
    said = {(each["split"], each["index"]) for each in found["data"]}
    assert said <= wrong  # by random weights
    assert len(said) >= 3
    again = client.post(path, json={"features": model_id}).json()
    assert (again["status"], again["suspects"]) == ("succeeded", len(said))
    other = client.post(path, json={}).json()  # another question takes its place
    assert (other["status"], other["features"], other["suspects"]) == ("queued", None, None)


@one_engine
def test_a_model_that_was_deleted_since(
    client: httpx.Client, context: WorkerContext, database: Database, tmp_path: Path
) -> None:
    dataset_id, model_id = add(context, tmp_path), add_model(context, tmp_path)
    path = f"/v1/datasets/{dataset_id}/audit"
    client.post(path, json={"features": model_id})
    assert client.delete(f"/v1/models/{model_id}").status_code == 204
    runner.audit(context, audit_of(database, dataset_id).id, "worker")
    found = client.get(path).json()
    assert (found["status"], found["error"]["code"]) == ("failed", "dependency_failed")
    assert "was deleted" in found["error"]["message"]


LARGER = INPUTS.model_copy(update={"shape": (8, 8, 1)})
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a reference": ({"files": {}}, "needs_network"),
    "pictures of another size": (
        {"signature": Signature(inputs=LARGER, task=TASK)},
        "features_do_not_fit",
    ),
    "texts": (
        {"signature": Signature(inputs=TextInputs(length=32), task=TASK)},
        "features_do_not_fit",
    ),
}


@one_engine
@pytest.mark.parametrize(("changes", "code"), REFUSED.values(), ids=REFUSED)
def test_models_without_features_of_such_pictures(
    client: httpx.Client,
    context: WorkerContext,
    tmp_path: Path,
    changes: dict[str, Any],
    code: str,
) -> None:
    dataset_id, model_id = add(context, tmp_path), add_model(context, tmp_path, **changes)
    answer = client.post(f"/v1/datasets/{dataset_id}/audit", json={"features": model_id})
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert answer.json()["errors"][0]["pointer"] == "#/features"
    assert "leave `features` out" in answer.json()["detail"]
    assert client.post(f"/v1/datasets/{dataset_id}/audit").status_code == 202


@one_engine
def test_models_that_are_not_there_or_anothers(
    client: httpx.Client, context: WorkerContext, database: Database, tmp_path: Path
) -> None:
    dataset_id, model_id = add(context, tmp_path), add_model(context, tmp_path)
    path = f"/v1/datasets/{dataset_id}/audit"
    with database.write() as session:
        session.get_one(ModelRow, model_id).project = "other"
    for named in (model_id, "mdl_0", "ds_1"):
        answer = client.post(path, json={"features": named})
        assert (answer.status_code, answer.json()["code"]) == (404, "model_not_found")


def test_items_are_compared_by_directions_of_features() -> None:
    """Twice the features are the same item; 60 numbers become 50 components, distances kept as far
    as those tell."""
    features = np.random.default_rng(0).normal(size=(100, 60)).astype(np.float32)
    features[1] = 2 * features[0]
    few = components_of(features[:, :8])
    np.testing.assert_allclose(np.linalg.norm(few, axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(few[0], few[1], atol=1e-6)
    seen = components_of(features)
    assert seen.shape == (100, 50)
    np.testing.assert_allclose(seen[0], seen[1], atol=1e-5)
