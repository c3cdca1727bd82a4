"""Models of texts, asked in every protocol."""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import onnx
import orjson
import pytest
from onnx import TensorProto, helper, numpy_helper

from app.inputs.text import TEXT, TextInputs, coded
from app.models import repository as models
from app.models.schemas import Signature
from app.prediction.bodies import SMALL_BYTES
from app.tasks.classification import Classification
from tests.prediction.site import Site, problem, site_on_sqlite, softmax

INPUTS = TextInputs(length=32)
CLASSES = ("a", "b")
NATIVE = "/v1/deployments/letters/predict"
TEXTS = ["a", "abb 味道很好", "b\x00a\na", "\U0010ffff"]
Ask = Callable[[Site, Sequence[Any]], tuple[httpx.Response, Callable[[Any], Any]]]


def expected(texts: Sequence[str]) -> np.ndarray:
    """How often either letter stands in each text."""
    return softmax(np.array([[text.count("a"), text.count("b")] for text in texts], np.float64))


def write_graph(path: Path) -> None:
    """softmax of how many of the code points are 97, and how many 98."""
    values = {"letters": np.array([[[97, 98]]], np.int32), "last": np.array([2], np.int64)}
    graph = helper.make_graph(
        [
            helper.make_node("Unsqueeze", ["inputs", "last"], ["codes"]),
            helper.make_node("Equal", ["codes", "letters"], ["found"]),
            helper.make_node("Cast", ["found"], ["ones"], to=TensorProto.FLOAT),
            helper.make_node("ReduceSum", ["ones", "places"], ["logits"], keepdims=0),
            helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
        ],
        "letters",
        [helper.make_tensor_value_info("inputs", TensorProto.INT32, ["n", 32])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", 2])],
        [
            *(numpy_helper.from_array(value, name) for name, value in values.items()),
            numpy_helper.from_array(np.array([1], np.int64), "places"),
        ],
    )
    opset = helper.make_opsetid("", 18)
    onnx.save(helper.make_model(graph, opset_imports=[opset], ir_version=10), str(path))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("texts")
    paths = {"onnx": folder / "model.onnx", "golden": folder / "golden.npz"}
    write_graph(paths["onnx"])
    codes = coded(["a", "ab", "c" * 40], 32)
    raw = np.frombuffer(orjson.dumps(INPUTS.raw({TEXT: codes})), np.uint8)
    np.savez(paths["golden"], inputs=codes, probabilities=expected(["a", "ab", "c"]), raw=raw)
    with site_on_sqlite(folder) as site:
        files = {kind: site.storage.put(path) for kind, path in paths.items()}
        signature = Signature(inputs=INPUTS, task=Classification(classes=CLASSES))
        with site.database.write() as session:
            card = {"arm": "scratch"}
            model = models.add(session, "default", "m", None, None, files, signature, card)
        site.deploy("letters", model.id)
        yield site


def post(site: Site, path: str, body: Any) -> httpx.Response:
    headers = {"Content-Type": "application/json"}
    return site.client.post(path, content=json.dumps(body).encode(), headers=headers)


def native(site: Site, texts: Sequence[Any]) -> httpx.Response:
    return post(site, NATIVE, {"inputs": texts, "top_k": 2, "raw_scores": True})


def instances(site: Site, texts: Sequence[Any]) -> httpx.Response:
    return post(site, "/v1/models/letters:predict", {"instances": texts})


def objects(site: Site, texts: Sequence[Any]) -> httpx.Response:
    return post(site, "/v1/models/letters:predict", {"instances": [{"text": t} for t in texts]})


def named(site: Site, texts: Sequence[Any]) -> httpx.Response:
    return post(site, "/v1/models/letters:predict", {"inputs": {"text": texts}})


def tensor(site: Site, texts: Sequence[Any]) -> httpx.Response:
    one = {"name": "text", "shape": [len(texts)], "datatype": "BYTES", "data": texts}
    return post(site, "/v2/models/letters/infer", {"inputs": [one]})


def nested(site: Site, texts: Sequence[Any]) -> httpx.Response:
    data = [[text] for text in texts]
    one = {"name": "text", "shape": [len(texts), 1], "datatype": "BYTES", "data": data}
    return post(site, "/v2/models/letters/infer", {"inputs": [one]})


def binary(site: Site, texts: Sequence[str]) -> httpx.Response:
    data = b"".join(len(t.encode()).to_bytes(4, "little") + t.encode() for t in texts)
    one = {"name": "text", "shape": [len(texts)], "datatype": "BYTES"}
    head = json.dumps({"inputs": [one | {"parameters": {"binary_data_size": len(data)}}]}).encode()
    length = {"Inference-Header-Content-Length": str(len(head))}
    return site.client.post("/v2/models/letters/infer", content=head + data, headers=length)


def scores(answer: dict[str, Any]) -> np.ndarray:
    if "deployment" in answer:
        by_label = [
            {each["label"]: each["score"] for each in o["scores"]} for o in answer["outputs"]
        ]
        return np.array([[each[label] for label in CLASSES] for each in by_label])
    if "model_name" in answer:
        return np.reshape(answer["outputs"][0]["data"], (-1, 2))
    (member,) = {"predictions", "outputs"} & answer.keys()
    return np.array(answer[member])


WAYS = {
    ask.__name__: (ask, at)
    for ask, at in (
        (native, "#/inputs/{}"),
        (instances, "#/instances/{}"),
        (objects, "#/instances/{}/text"),
        (named, "#/inputs/text/{}"),
        (tensor, "#/inputs/0/data/{}"),
        (nested, "#/inputs/0/data/{}"),
        (binary, "#/inputs/0/data/{}"),
    )
}


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> tuple[Any, str]:
    return WAYS[request.param]


@pytest.mark.parametrize("times", [1, 2000])
def test_all_ways_answer_what_the_model_does(site: Site, way: Any, times: int) -> None:
    """Large bodies too, which are read in steps."""
    ask, _ = way
    texts = TEXTS * times
    assert (len(json.dumps(texts)) > SMALL_BYTES) == (times > 1)
    answer = ask(site, texts)
    assert answer.status_code == 200, answer.text
    np.testing.assert_allclose(scores(answer.json()), expected(texts), atol=1e-5)


def test_what_is_cut_is_answered_and_told(site: Site, way: Any) -> None:
    ask, at = way
    answer = ask(site, ["a", "b" * 32, "b" * 33, "c" * 24_000])
    assert answer.status_code == 200, answer.text
    found = answer.json()
    np.testing.assert_allclose(scores(found), expected(["a", "b" * 32, "b" * 31, ""]), atol=1e-5)
    if "model_name" in found:
        told = found["parameters"]
        told = (told["warning_code"], told["warning_pointer"])
    else:
        (warning,) = found["warnings"]
        told = (warning["code"], warning["pointer"])
        assert warning["count"] == 2
    assert told == ("text_cut", at.removesuffix("/text").format(2))


@pytest.mark.parametrize(("text", "code"), [("", "no_text"), (" \x00\n", "no_text")])
def test_texts_without_a_character_are_refused(site: Site, way: Any, text: str, code: str) -> None:
    ask, at = way
    body = problem(ask(site, ["a", text]), 422, code)
    assert body["errors"][0]["pointer"] == at.format(1)


@pytest.mark.parametrize("value", [None, 5, True, ["a"], {"text": 5}, {"word": "a"}])
def test_what_is_no_text_is_refused(site: Site, value: Any) -> None:
    for ask in (native, instances, named):
        body = problem(ask(site, ["a", value]), 422, "not_text")
        assert "/1" in body["errors"][0]["pointer"]
    assert tensor(site, ["a", value]).status_code == 422


def test_half_of_a_pair_is_no_json(site: Site) -> None:
    answer = site.client.post(
        NATIVE, content=b'{"inputs": ["\\ud83d"]}', headers={"Content-Type": "application/json"}
    )
    assert 400 <= answer.status_code < 500
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("tensors", "code"),
    [
        ([{"name": "words", "shape": [1], "datatype": "BYTES", "data": ["a"]}], "unknown_choice"),
        ([{"name": "text", "shape": [1], "datatype": "INT32", "data": [1]}], "not_of_datatype"),
        ([{"name": "text", "shape": [2], "datatype": "BYTES", "data": ["a"]}], "wrong_shape"),
        ([{"name": "text", "shape": [1, 2], "datatype": "BYTES", "data": ["a"]}], "wrong_shape"),
        ([{"name": "text", "shape": [1], "datatype": "BYTES"}], "missing_field"),
        (
            [{"name": "text", "shape": [1], "datatype": "BYTES", "data": ["a"]}] * 2,
            "invalid_value",
        ),
    ],
)
def test_tensors_that_are_none_of_the_models(site: Site, tensors: Any, code: str) -> None:
    problem(post(site, "/v2/models/letters/infer", {"inputs": tensors}), 422, code)


def test_metadata_name_one_tensor_of_bytes(site: Site) -> None:
    found = site.client.get("/v2/models/letters").json()
    assert found["inputs"] == [{"name": "text", "datatype": "BYTES", "shape": [-1]}]


def test_texts_come_as_json_alone(site: Site) -> None:
    headers = {"Content-Type": "application/x-npy"}
    answer = site.client.post(NATIVE, content=b"x", headers=headers)
    assert (
        "this model is asked about texts"
        in problem(answer, 415, "unsupported_media_type")["detail"]
    )
