"""Photos and rows whose photos go through a pretrained network: from a zip to answers over HTTP."""

import json
from base64 import b64encode
from typing import Any

import httpx
import numpy as np
import onnxruntime
import pytest
from sqlalchemy import select

from app.tables.datasets import DatasetRow
from app.tables.jobs import JobRow
from app.tables.models import ModelRow
from app.tables.next_labels import NextLabelsRow
from tests.backbones.weights import file_of
from tests.system.jobs import ended
from tests.system.test_joined_journey import picture, uploaded, zipped
from worker.machine.context import WorkerContext
from worker.process import runner

pytestmark = pytest.mark.slow

HOW: dict[str, Any] = {
    "model": {
        "backbone": "fusion",
        "image_size": [32, 32],
        "params": {"photos": {"backbone": "auto", "dropout": 0.0}, "table": {"hidden": [8]}},
    },
    "training": {
        "epochs": 40,
        "batch_size": 16,
        "pretrain_epochs": 5,
        "min_steps": 0,
        "augmentation": {"strength": "weak"},
    },
    "evaluation": {"seeds": 2},
    "strategies": ["fine_tune"],
}


@pytest.fixture(autouse=True)
def _installed() -> None:
    file_of("efficientnet_lite0")


def run(client: httpx.Client, context: WorkerContext, **job: Any) -> dict[str, Any]:
    return ended(client, context, HOW | job)


def test_from_a_zip_to_answers(client: httpx.Client, context: WorkerContext) -> None:
    source = uploaded(client, context, "town", zipped(120, 1))
    target = uploaded(client, context, "village", zipped(80, 2))
    job = run(
        client,
        context,
        sources=[{"dataset": source["id"]}],
        target={"dataset": target["id"], "labels_per_class": 20},
        deploy={"name": "houses", "when": "always"},
    )
    chosen = {each["field"]: each["chosen"] for each in job["selection"]}
    assert chosen["model.params.photos.backbone"] == "efficientnet_lite0"
    story = client.get(f"/v1/jobs/{job['id']}/events").text
    told = [
        json.loads(line.removeprefix("data: ")) for line in story.splitlines() if "encoder" in line
    ]
    assert {each["encoder"] for each in told} == {"efficientnet_lite0:imagenet"}
    assert len({each["trial"] for each in told}) == 2  # that saw source and target first
    kept = sorted(context.storage.cache.glob("photo-features/*.npy"))
    assert len(kept) == 3  # of the source train, of the target both, once for all trials

    model = client.get(f"/v1/models/{job['models'][0]}").json()
    (photo,) = (p for p in model["signature"]["inputs"]["parts"] if p["name"] == "image")
    assert photo["inputs"]["modality"] == "image"  # as it is sent
    row, bright, dark = (
        {"area": 0.9, "city": "A"},
        *({"b64": b64encode(picture(light, 7)).decode()} for light in (0.95, 0.05)),
    )
    asked = [{"image": bright, "row": row}, {"image": dark, "row": row}, {"image": bright}]
    answer = client.post("/v1/models/houses:predict", json={"instances": [*asked, {"row": row}]})
    assert answer.status_code == 200, answer.text
    scores = answer.json()["predictions"]
    assert scores[0] != scores[1]
    assert scores[3] not in scores[:3]
    explained = client.post("/v1/deployments/houses/explain", json={"inputs": [asked[0]]})
    assert explained.status_code == 200, explained.text

    path = f"/v1/jobs/{job['id']}/next_labels"
    ranked = client.post(path, json={"items": 3, "from": target["id"]})
    assert ranked.status_code == 202, ranked.text
    with context.database.read() as session:
        ranking = session.scalars(select(NextLabelsRow)).one()
    runner.rank_unlabelled(context, ranking.id, "worker")
    found = client.get(path).json()
    assert (found["status"], found["error"]) == ("succeeded", None)

    again = run(
        client,
        context,
        sources=[{"model": job["models"][0]}],
        target={"dataset": target["id"]},
        model={"backbone": "auto"},
        strategies=["linear_probe"],
    )
    assert again["spec"]["model"]["params"]["photos"]["backbone"] == "efficientnet_lite0"


def test_answers_are_those_of_training(client: httpx.Client, context: WorkerContext) -> None:
    """What the packaged graph says of test pictures is as right as what the trial has said of their
    features."""
    target = uploaded(client, context, "village", zipped(80, 2))
    source = uploaded(client, context, "town", zipped(40, 3))
    job = run(
        client, context, sources=[{"dataset": source["id"]}], target={"dataset": target["id"]}
    )
    with context.database.read() as session:
        model = session.get_one(ModelRow, session.get_one(JobRow, job["id"]).model_id)
        arrays = session.get_one(DatasetRow, target["id"]).arrays
    assert model.card["packaging_difference"] < 1e-3
    graph = onnxruntime.InferenceSession(context.storage.local(model.files["onnx"]))
    names = {"image.image", "image.present", "row.row"}
    assert {each.name for each in graph.get_inputs()} == names
    given = {
        each.name: np.load(context.storage.local(arrays[f"x_test.{each.name}"])).astype(
            np.float32 if each.type == "tensor(float)" else np.uint8
        )
        for each in graph.get_inputs()
    }
    (said,) = graph.run(None, given)
    y = np.load(context.storage.local(arrays["y_test"]))
    assert model.card["test"]["accuracy"] == pytest.approx((said.argmax(1) == y).mean())
    assert len(np.unique(said.argmax(1))) == 2
