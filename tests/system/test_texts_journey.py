"""Reviews in two languages, from uploads to answers over HTTP; a worker's child is called in
process."""

import json
from typing import Any

import httpx
import numpy as np
import pytest

from tests.system.jobs import ended
from worker.machine.context import WorkerContext
from worker.process import runner

pytestmark = pytest.mark.slow

WORDS = {
    "en": {
        "good": ["lovely", "friendly", "delicious", "quick"],
        "bad": ["awful", "rude", "cold", "slow"],
        "said": ["the {} food", "a very {} place", "{} staff again", "it was {} today"],
    },
    "zh": {
        "good": ["好吃", "热情", "干净", "很快"],
        "bad": ["难吃", "冷淡", "很脏", "太慢"],
        "said": ["菜{}，下次再来", "服务{}呢", "这家店{}", "今天送餐{}了"],
    },
}


def reviews(language: str, items: int, seed: int) -> list[dict[str, Any]]:
    rng, words = np.random.default_rng(seed), WORDS[language]
    return [
        {
            "text": str(rng.choice(words["said"])).format(rng.choice(words[label])),
            "label": label,
            "shop": str(rng.choice(["north", "south"])),
        }
        for label in ("good", "bad")
        for _ in range(items // 2)
    ]


def uploaded(
    client: httpx.Client, context: WorkerContext, name: str, rows: list[dict[str, Any]]
) -> str:
    content = "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows).encode()
    spec = {"name": name, "modality": "text", "columns": {"shop": {"role": "domain"}}}
    answer = client.post(
        "/v1/datasets",
        files={"file": (f"{name}.jsonl", content)},
        data={"spec": json.dumps(spec)},
    )
    assert answer.status_code == 202, answer.text
    found: str = answer.json()["id"]
    runner.ingest(context, found, "worker")
    return found


def test_from_two_files_to_answers(client: httpx.Client, context: WorkerContext) -> None:
    rows = reviews("en", 120, 1)
    rows[5]["text"] += " and so on" * 9  # so that one language is longer than the other
    rows += [{**row, "text": f"{row['text']} {'indeed ' * 8}"} for row in reviews("en", 40, 3)]
    english = uploaded(client, context, "english", rows)
    chinese = uploaded(client, context, "chinese", reviews("zh", 120, 2))
    schemas = [client.get(f"/v1/datasets/{each}").json()["schema"] for each in (english, chinese)]
    assert [schema["inputs"]["modality"] for schema in schemas] == ["text", "text"]
    assert schemas[0]["inputs"]["length"] > schemas[1]["inputs"]["length"] == 32
    preview = client.get(f"/v1/datasets/{chinese}/preview?split=test&limit=2").json()["data"]
    assert all(isinstance(item["text"], str) for item in preview)
    job = ended(
        client,
        context,
        {
            "sources": [{"dataset": english}],
            "target": {"dataset": chinese, "labels_per_class": 20},
            "strategies": ["fine_tune"],
            "training": {"epochs": 8, "pretrain_epochs": 4, "min_steps": 0, "augmentation": None},
            "evaluation": {"seeds": 1, "slices": ["shop"]},
            "deploy": {"name": "reviews", "when": "always"},
        },
    )
    model = client.get(f"/v1/models/{job['models'][0]}").json()
    assert model["signature"]["inputs"] == {"modality": "text", "length": 96}
    answer = client.post(
        "/v1/deployments/reviews/predict", json={"inputs": ["菜好吃，下次再来", "服务冷淡呢"]}
    )
    assert answer.status_code == 200, answer.text
    assert [each["label"] for each in answer.json()["outputs"]] == ["good", "bad"]
    check_ways(client)
    check_refused(client)


def check_ways(client: httpx.Client) -> None:
    """The Open Inference Protocol, with BYTES in JSON and after it, and TensorFlow Serving's."""
    texts = ["菜好吃，下次再来", "服务\u0000冷淡呢", "好吃" * 300]
    outputs = client.post("/v1/deployments/reviews/predict", json={"inputs": texts}).json()
    [warning] = outputs["warnings"]
    assert (warning["code"], warning["pointer"], warning["count"]) == ("text_cut", "#/inputs/2", 1)
    scores = [each["score"] for each in outputs["outputs"]]
    tensor: dict[str, Any] = {"name": "text", "shape": [3], "datatype": "BYTES"}
    answer = client.post("/v2/models/reviews/infer", json={"inputs": [{**tensor, "data": texts}]})
    assert answer.status_code == 200, answer.text
    first = np.reshape(answer.json()["outputs"][0]["data"], (3, 2))
    data = b"".join(len(each.encode()).to_bytes(4, "little") + each.encode() for each in texts)
    tensor["parameters"] = {"binary_data_size": len(data)}
    head = json.dumps({"inputs": [tensor]}).encode()
    answer = client.post(
        "/v2/models/reviews/infer",
        content=head + data,
        headers={"Inference-Header-Content-Length": str(len(head))},
    )
    assert answer.status_code == 200, answer.text
    assert np.allclose(first, np.reshape(answer.json()["outputs"][0]["data"], (3, 2)))
    for body in (
        {"instances": texts},
        {"instances": [{"text": each} for each in texts]},
        {"inputs": {"text": texts}},
        {"inputs": texts},
    ):
        answer = client.post("/v1/models/reviews:predict", json=body)
        assert answer.status_code == 200, answer.text
        (name,) = {"predictions", "outputs"} & answer.json().keys()
        assert np.allclose(first, answer.json()[name])
    metadata = client.get("/v2/models/reviews").json()
    assert metadata["inputs"] == [{"name": "text", "datatype": "BYTES", "shape": [-1]}]
    temperature = outputs["temperature"]
    if temperature == 1.0:
        assert np.allclose(first.max(axis=1), scores, atol=1e-4)


def check_refused(client: httpx.Client) -> None:
    for inputs, code, pointer in (
        (["fine", None], "not_text", "#/inputs/1"),
        ([""], "no_text", "#/inputs/0"),
        (["fine", " \t\u0000 "], "no_text", "#/inputs/1"),
        ([5], "not_text", "#/inputs/0"),
        ([["fine"]], "not_text", "#/inputs/0"),
        ([{"text": None}], "not_text", "#/inputs/0/text"),
        ([{"words": "fine"}], "not_text", "#/inputs/0"),
    ):
        answer = client.post("/v1/deployments/reviews/predict", json={"inputs": inputs})
        problem = answer.json()
        assert (answer.status_code, problem["code"]) == (422, code)
        assert problem["errors"][0]["pointer"] == pointer
    broken = b'{"inputs": ["\\ud800"]}'
    answer = client.post(
        "/v1/deployments/reviews/predict",
        content=broken,
        headers={"content-type": "application/json"},
    )
    assert answer.status_code == 400, answer.text
