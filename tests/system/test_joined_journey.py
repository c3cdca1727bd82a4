"""Photos and rows together, from a zip with metadata to answers over HTTP; a worker's child is
called in process."""

import io
import json
import zipfile
from base64 import b64encode
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from tests.system.jobs import ended
from worker.machine.context import WorkerContext
from worker.process import runner

pytestmark = pytest.mark.slow

SIDE = 12


def picture(bright: float, seed: int, side: int = SIDE) -> bytes:
    rng = np.random.default_rng(seed)
    values = np.clip(255 * bright + rng.normal(0, 20, (side, side, 3)), 0, 255).astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(values).save(stream, "PNG")
    return stream.getvalue()


def zipped(items: int, seed: int) -> bytes:
    """Houses that are dear where the photo is bright and the area large; some lack either."""
    rng = np.random.default_rng(seed)
    stream = io.BytesIO()
    lines = ["file_name,area,city,price"]
    with zipfile.ZipFile(stream, "w") as archive:
        for number in range(items):
            bright, area = rng.random(2)
            file = "" if number % 7 == 3 else f"front/{number}.png"
            if file:
                archive.writestr(file, picture(bright, number))
            row = ",," if number % 7 == 5 else f",{area:.3f},{'AB'[number % 2]}"
            lines.append(f"{file}{row},{'dear' if bright + area > 1 else 'cheap'}")
        archive.writestr("metadata.csv", "\n".join(lines))
    return stream.getvalue()


def uploaded(
    client: httpx.Client, context: WorkerContext, name: str, data: bytes
) -> dict[str, Any]:
    spec = {"name": name, "modality": "joined", "target": {"column": "price"}}
    answer = client.post(
        "/v1/datasets",
        files={"file": (f"{name}.zip", data)},
        data={"spec": json.dumps(spec)},
    )
    assert answer.status_code == 202, answer.text
    runner.ingest(context, answer.json()["id"], "worker")
    found: dict[str, Any] = client.get(f"/v1/datasets/{answer.json()['id']}").json()
    assert found["status"] == "ready", found["error"]
    return found


def test_from_a_zip_with_metadata_to_answers(client: httpx.Client, context: WorkerContext) -> None:
    source = uploaded(client, context, "town", zipped(160, 1))
    target = uploaded(client, context, "village", zipped(160, 2))
    parts = {part["name"]: part["inputs"] for part in target["schema"]["inputs"]["parts"]}
    assert [parts[name]["modality"] for name in ("image", "row")] == ["image", "table"]
    assert parts["image"]["shape"] == [SIDE, SIDE, 3]
    assert sum(target["profile"]["parts"]["image"]["missing"].values()) == 23
    shown = client.get(f"/v1/datasets/{target['id']}/preview?split=train&limit=40").json()["data"]
    lacking = [item["parts"] for item in shown if None in item["parts"].values()]
    assert any(item["image"] is None for item in lacking)
    derived = client.post(
        "/v1/datasets",
        json={"name": "half", "from": target["id"], "where": {"city": ["A"]}},
    )
    assert derived.status_code == 202, derived.text
    runner.ingest(context, derived.json()["id"], "worker")
    half = client.get(f"/v1/datasets/{derived.json()['id']}").json()
    assert half["status"] == "ready", half["error"]
    assert half["schema"]["inputs"]["modality"] == "joined"

    job = {
        "sources": [{"dataset": source["id"]}],
        "target": {"dataset": target["id"], "labels_per_class": 30},
        "strategies": ["fine_tune"],
        "model": {"params": {"image": {"filters": [8], "dense": 16}}},
        "training": {
            "epochs": 25,
            "pretrain_epochs": 15,
            "min_steps": 0,
            "early_stopping": None,
            "augmentation": None,
        },
        "evaluation": {"seeds": 1},
        "deploy": {"name": "houses", "when": "always"},
    }
    job["model"]["backbone"] = "fusion"  # type: ignore[index]
    job_id = ended(client, context, job)["id"]
    page = client.get(f"/v1/jobs/{job_id}/report", headers={"accept": "text/html"})
    assert page.status_code == 200
    assert "Part by part of each item" in page.text
    report = client.get(f"/v1/jobs/{job_id}/report").json()
    parts = report["parts"]["scratch"]["parts"]
    assert parts["image"]["missing"] == target["profile"]["parts"]["image"]["missing"]["test"]
    for each in parts.values():
        assert 0 <= each["alone"]["mean"] <= 1
    check_answers(client)
    check_refused(client)


def check_answers(client: httpx.Client) -> None:
    bright, dark = picture(0.95, 7), picture(0.05, 8)
    pixels = np.asarray(Image.open(io.BytesIO(bright))).tolist()
    row = {"area": 0.9, "city": "A"}
    asked: list[dict[str, Any]] = [
        {"image": {"b64": b64encode(bright).decode()}, "row": row},
        {"image": pixels, "row": row},
        {"image": {"b64": b64encode(dark).decode()}, "row": {"area": 0.1, "city": None}},
        {"image": None, "row": row},
        {"row": row},
        {"image": pixels},
    ]
    answer = client.post("/v1/deployments/houses/predict", json={"inputs": asked, "top_k": 2})
    assert answer.status_code == 200, answer.text
    said = answer.json()
    assert said["outputs"][0] == said["outputs"][1]
    assert said["outputs"][3] == said["outputs"][4]
    assert [each["label"] for each in said["outputs"][:3]] == ["dear", "dear", "cheap"]
    warned = {(each["pointer"], each["count"]) for each in said["warnings"]}
    assert warned == {("#/inputs/3", 2), ("#/inputs/5", 1)}
    assert {each["code"] for each in said["warnings"]} == {"missing_part"}
    large = [{"image": {"b64": b64encode(picture(0.5, 9, 400)).decode()}, "row": row}]  # 0.6 MB
    for path, name in (
        ("deployments/houses/predict", "inputs"),
        ("models/houses:predict", "instances"),
    ):
        answer = client.post(f"/v1/{path}", json={name: large})
        assert answer.status_code == 200, answer.text
    whole = client.post("/v1/models/houses:predict", json={"instances": asked})
    assert whole.status_code == 200, whole.text
    expected = np.array(whole.json()["predictions"])

    metadata = client.get("/v2/models/houses").json()["inputs"]
    assert [each["name"] for each in metadata] == ["image.image", "row.area", "row.city"]
    both = np.array([pixels, pixels], np.float32)
    both[1] = np.nan
    tensors: list[dict[str, Any]] = [
        {"name": "row.area", "shape": [2], "datatype": "FP32", "data": [0.9, 0.9]},
        {"name": "row.city", "shape": [2, 1], "datatype": "BYTES", "data": [["A"], ["A"]]},
        {
            "name": "image.image",
            "shape": list(both.shape),
            "datatype": "FP32",
            "parameters": {"binary_data_size": both.nbytes},
        },
    ]
    head = json.dumps({"inputs": tensors}).encode()
    answer = client.post(
        "/v2/models/houses/infer",
        content=head + both.tobytes(),
        headers={"Inference-Header-Content-Length": str(len(head))},
    )
    assert answer.status_code == 200, answer.text
    found = np.reshape(answer.json()["outputs"][0]["data"], (2, 2))
    np.testing.assert_allclose(found, expected[[1, 3]], atol=1e-5)
    assert answer.json()["parameters"]["warning_code"] == "missing_part"
    row_alone = client.post("/v2/models/houses/infer", json={"inputs": tensors[:2]})
    assert row_alone.status_code == 200, row_alone.text
    picture_alone = {"name": "image.image", "shape": [1, SIDE, SIDE, 3], "datatype": "UINT8"}
    answer = client.post(
        "/v2/models/houses/infer", json={"inputs": [picture_alone | {"data": [pixels]}]}
    )
    assert answer.status_code == 200, answer.text
    np.testing.assert_allclose(answer.json()["outputs"][0]["data"], expected[5], atol=1e-5)


def check_refused(client: httpx.Client) -> None:
    row = {"area": 0.9, "city": "A"}
    for inputs, code, pointer in (
        ([{"row": row}, {}], "no_part", "#/inputs/1"),
        ([{"image": None, "row": None}], "no_part", "#/inputs/0"),
        ([{"row": {"area": None, "city": None}}], "no_part", "#/inputs/0"),
        ([{"garden": 5, "row": row}], "unknown_part", "#/inputs/0/garden"),
        ([5], "not_an_item", "#/inputs/0"),
        ([{"row": {"area": 0.9}}], "missing_column", "#/inputs/0/row/city"),
        ([{"row": row, "image": [[1]]}], "wrong_shape", "#/inputs/0/image"),
        ([{"row": row, "image": {"b64": "?"}}], "not_base64", "#/inputs/0/image/b64"),
        ([{"row": row, "image": {"b64": "aGk="}}], "unreadable_picture", "#/inputs/0/image"),
        ([{"row": row, "image": {"url": "x"}}], "not_a_picture", "#/inputs/0/image"),
    ):
        answer = client.post("/v1/deployments/houses/predict", json={"inputs": inputs})
        problem = answer.json()
        assert (answer.status_code, problem["code"]) == (422, code), problem
        assert problem["errors"][0]["pointer"] == pointer
    tensor = {"name": "row.area", "shape": [1], "datatype": "FP32", "data": [0.5]}
    for tensors, status in (
        ([tensor], 400),
        ([tensor | {"name": "row.garden"}], 400),
        ([{"name": "image.image", "shape": [1, 2], "datatype": "FP32", "data": [1, 2]}], 422),
    ):
        answer = client.post("/v2/models/houses/infer", json={"inputs": tensors})
        assert answer.status_code == status, answer.text
    answer = client.post("/v1/models/houses:predict", json={"inputs": {"row": [row]}})
    assert answer.status_code == 422
