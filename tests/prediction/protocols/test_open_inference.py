"""The Open Inference Protocol over HTTP: tensors in JSON and after it, metadata, health."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest

from app.deployments import repository
from tests.prediction.protocols.test_native import images
from tests.prediction.site import LABELS, SHAPE, Site, problem, site_on_sqlite
from tests.prediction.ways import OPEN_INFERENCE as URL
from tests.prediction.ways import TEMPERATURE, expected, tensor

LENGTH = "Inference-Header-Content-Length"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site_on_sqlite(tmp_path_factory.mktemp("open")) as site:
        site.deploy("pets", site.add_model(1, value_range=[0, 255], temperature=TEMPERATURE))
        yield site


def framed(document: dict[str, Any], data: bytes) -> tuple[bytes, dict[str, str]]:
    text = json.dumps(document).encode()
    return text + data, {LENGTH: str(len(text)), "Content-Type": "application/octet-stream"}


def binary(array: np.ndarray, datatype: str, **members: Any) -> tuple[bytes, dict[str, str]]:
    one = tensor(array, datatype)
    del one["data"]
    one["parameters"] = {"binary_data_size": array.nbytes}
    return framed({"inputs": [one], **members}, array.tobytes())


def ask(site: Site, content: bytes, headers: dict[str, str]) -> httpx.Response:
    return site.client.post(URL, content=content, headers=headers)


def test_metadata_say_what_is_taken_and_answered(site: Site) -> None:
    assert site.client.get("/v2").json() == {
        "name": "ktl",
        "version": site.client.get("/openapi.json").json()["info"]["version"],
        "extensions": ["binary_tensor_data"],
    }
    takes = {"name": "image", "datatype": "UINT8", "shape": [-1, *SHAPE]}
    answers = {"name": "probabilities", "datatype": "FP32", "shape": [-1, 3]}
    assert site.client.get("/v2/models/pets").json() == {
        "name": "pets",
        "platform": "onnxruntime_onnx",
        "inputs": [takes],
        "outputs": [answers | {"parameters": {"labels": LABELS}}],
    }


def test_health_is_of_the_process_and_of_its_models(site: Site) -> None:
    assert site.client.get("/v2/health/live").json() == {"live": True}
    assert site.client.get("/v2/health/ready").json() == {"live": True, "ready": True}
    assert site.client.get("/v2/models/pets/ready").json() == {"name": "pets", "ready": True}
    answer = site.client.get("/v2/models/cars/ready")
    assert problem(answer, 404, "deployment_not_found")["error"]


def test_a_model_that_failed_is_not_ready_and_the_server_is(site: Site) -> None:
    wrong = site.add_model(0, trained=1)
    with site.database.write() as session:  # past the gate, as no route would
        repository.point(session, "default", "broken", wrong)
    problem(site.client.get("/v2/models/broken/ready"), 503, "deployment_failed")
    problem(site.client.get("/v2/models/broken"), 503, "deployment_failed")
    assert site.client.get("/v2/health/ready").status_code == 200


def test_an_answer_names_its_request_and_its_model(site: Site) -> None:
    body = {"id": "a-1", "inputs": [tensor(images(2), "UINT8")], "model_name": "pets"}
    answer = site.client.post(URL, json=body | {"outputs": [{"name": "probabilities"}]}).json()
    model = site.client.get("/v1/deployments/pets").json()["model"]
    assert answer["parameters"] == {"model": model, "calibrated": True, "temperature": 2}
    (output,) = answer.pop("outputs")
    assert {**answer, "parameters": 0} == {"model_name": "pets", "id": "a-1", "parameters": 0}
    assert output.pop("data") == pytest.approx(expected(images(2)).reshape(-1), abs=1e-5)
    assert output == {"name": "probabilities", "datatype": "FP32", "shape": [2, 3]}
    assert "id" not in site.client.post(URL, json={"inputs": [tensor(images(1))]}).json()


def test_a_single_channel_may_be_left_out_and_the_body_unnamed(site: Site) -> None:
    content = json.dumps({"inputs": [tensor(images(2)[..., 0])], "outputs": []}).encode()
    for headers in ({}, {"Content-Type": "application/x-www-form-urlencoded"}):
        answer = ask(site, content, headers)
        assert answer.json()["outputs"][0]["shape"] == [2, 3]


DATATYPES = {
    "UINT8": "u1", "UINT16": "<u2", "UINT32": "<u4", "UINT64": "<u8", "INT16": "<i2",
    "INT32": "<i4", "INT64": "<i8", "FP16": "<f2", "FP32": "<f4", "FP64": "<f8",
}  # fmt: skip


@pytest.mark.parametrize("datatype", DATATYPES)
@pytest.mark.parametrize("count", [1, 5000])
def test_binary_data_are_read(site: Site, datatype: str, count: int) -> None:
    array = images(count)
    content, headers = binary(array.astype(DATATYPES[datatype]), datatype)
    answer = ask(site, content, headers)
    assert answer.status_code == 200, answer.text
    data = np.reshape(answer.json()["outputs"][0]["data"], (count, 3))
    np.testing.assert_allclose(data, expected(array), atol=1e-5)


@pytest.mark.parametrize("count", [2, 5000])
@pytest.mark.parametrize(
    "members",
    [
        {"parameters": {"binary_data_output": True}},
        {"outputs": [{"name": "probabilities", "parameters": {"binary_data": True}}]},
    ],
)
def test_binary_data_are_answered_where_they_are_wanted(
    site: Site, members: dict[str, Any], count: int
) -> None:
    array = images(count)
    answer = ask(site, *binary(array, "UINT8", id="7", **members))
    assert answer.headers["content-type"] == "application/octet-stream"
    length = int(answer.headers[LENGTH])
    head = json.loads(answer.content[:length])
    assert head["id"] == "7"
    (output,) = head["outputs"]
    assert output["parameters"] == {"binary_data_size": len(answer.content) - length}
    data = np.frombuffer(answer.content[length:], "<f4").reshape(output["shape"])
    np.testing.assert_allclose(data, expected(array), atol=1e-5)


def test_an_output_overrides_what_is_said_of_all(site: Site) -> None:
    outputs = [{"name": "probabilities", "parameters": {"binary_data": False}}]
    parameters = {"binary_data_output": True, "priority": 1}
    answer = ask(site, *binary(images(1), "UINT8", outputs=outputs, parameters=parameters))
    assert len(answer.json()["outputs"][0]["data"]) == 3


def test_a_wrong_value_of_binary_data_is_pointed_to(site: Site) -> None:
    array = images(5000).astype("<f4")
    for count in (3, 5000):
        array[1, 2, 3, 0] = 256
        body = problem(ask(site, *binary(array[:count], "FP32")), 422, "out_of_range")
        assert body["errors"][0]["pointer"] == "#/inputs/0/data/27"


def changed(**members: Any) -> dict[str, Any]:
    return {"inputs": [tensor(images(2), "UINT8") | members]}


NUMBERS = images(2).reshape(-1).tolist()
BAD: dict[str, tuple[dict[str, Any], str, str]] = {
    "name": (changed(name="x"), "unknown_choice", "#/inputs/0/name"),
    "datatype": (changed(datatype="BYTES"), "unknown_choice", "#/inputs/0/datatype"),
    "batch": (changed(shape=[3, *SHAPE]), "wrong_shape", "#/inputs/0/data"),
    "no batch": (changed(shape=list(SHAPE)), "wrong_shape", "#/inputs/0/shape"),
    "no input": (changed(shape=[0, *SHAPE], data=[]), "wrong_shape", "#/inputs/0/data"),
    "negative": (changed(shape=[-1, *SHAPE]), "wrong_shape", "#/inputs/0/shape"),
    "shape": (changed(shape=[2.5]), "invalid_value", "#/inputs/0/shape/0"),
    "no shape": (changed(shape=[]), "wrong_shape", "#/inputs/0/shape"),
    "too few": (changed(data=NUMBERS[:-1]), "wrong_shape", "#/inputs/0/data"),
    "too many": (changed(data=[*NUMBERS, 1]), "wrong_shape", "#/inputs/0/data"),
    "no data": (changed(data=None), "missing_field", "#/inputs/0/data"),
    "text": (changed(data=[*NUMBERS[:-1], "x"]), "not_a_number", "#/inputs/0/data/31"),
    "nested among flat": (changed(data=[*NUMBERS[:-1], [1]]), "not_a_number", "#/inputs/0/data/31"),
    "no whole number": (
        changed(data=[*NUMBERS[:-1], 1.5]),
        "not_of_datatype",
        "#/inputs/0/data/31",
    ),
    "no byte": (changed(data=[*NUMBERS[:-1], 256]), "not_of_datatype", "#/inputs/0/data/31"),
    "two inputs": ({"inputs": changed()["inputs"] * 2}, "invalid_value", "#/inputs"),
    "unknown": (changed() | {"top_k": 1}, "unknown_field", "#/top_k"),
    "output": (changed() | {"outputs": [{"name": "x"}]}, "unknown_choice", "#/outputs/0/name"),
    "not binary": (
        changed() | {"parameters": {"binary_data_output": 1}},
        "invalid_value",
        "#/parameters/binary_data_output",
    ),
    "classification": (
        changed() | {"outputs": [{"name": "probabilities", "parameters": {"classification": 2}}]},
        "invalid_value",
        "#/outputs/0/parameters",
    ),
    "shared memory": (
        changed(parameters={"shared_memory_region": "x"}),
        "invalid_value",
        "#/inputs/0/parameters",
    ),
}


@pytest.mark.parametrize(("body", "code", "pointer"), BAD.values(), ids=BAD)
def test_bad_json_is_refused_where_it_is_bad(
    site: Site, body: dict[str, Any], code: str, pointer: str
) -> None:
    answer = site.client.post(URL, json=body)
    found = problem(answer, 422, code)
    assert found["errors"][0]["pointer"] == pointer
    assert found["error"] == found["detail"]


def test_numbers_are_held_against_the_datatype_in_large_bodies_too(site: Site) -> None:
    array = images(5000).astype(np.float64)
    array[4000, 1, 2, 0] = 1.5
    for is_flat, at in ((False, "4000/1/2/0"), (True, str(4000 * 16 + 6))):
        body = {"inputs": [tensor(array, "UINT8", is_flat)]}
        found = problem(site.client.post(URL, json=body), 422, "not_of_datatype")
        assert found["errors"][0]["pointer"] == f"#/inputs/0/data/{at}"


@pytest.mark.parametrize("cut", [-1, 1])
def test_another_count_of_numbers_than_stated_is_refused(site: Site, cut: int) -> None:
    """Where the list is read in steps."""
    one = tensor(images(5000), is_flat=True)
    one["data"] = one["data"][:-1] if cut < 0 else [*one["data"], 1]
    found = problem(site.client.post(URL, json={"inputs": [one]}), 422, "wrong_shape")
    assert found["errors"][0]["pointer"] == "#/inputs/0/data"
    assert f"got {5000 * 16 + cut}" in found["detail"]


@pytest.mark.parametrize("length", ["-1", "x", "1e3", "", "99999999999999999", "70000", "0.5"])
def test_a_length_that_is_none_is_named(site: Site, length: str) -> None:
    content, headers = binary(images(1), "UINT8")
    found = problem(ask(site, content, headers | {LENGTH: length}), 422, "invalid_value")
    assert found["errors"][0]["parameter"] == LENGTH


def test_binary_data_of_another_size_are_refused(site: Site) -> None:
    content, headers = binary(images(2), "UINT8")
    longer = {LENGTH: str(len(content) + 1)}
    problem(ask(site, content, headers | longer), 422, "invalid_value")
    for other in (content[:-1], content + b"x"):
        problem(ask(site, other, headers), 400, "invalid_body")
    one = {"name": "image", "shape": [2, *SHAPE], "datatype": "FP32"}
    one |= {"parameters": {"binary_data_size": 32}}
    found = problem(ask(site, *framed({"inputs": [one]}, bytes(32))), 422, "wrong_shape")
    assert found["errors"][0]["pointer"] == "#/inputs/0/parameters/binary_data_size"
    assert "expected 128 bytes" in found["detail"]
    both = framed({"inputs": [one | {"data": [1]}]}, bytes(32))
    problem(ask(site, *both), 422, "invalid_value")
    huge = one | {"shape": [10**15, *SHAPE]}
    problem(ask(site, *framed({"inputs": [huge]}, bytes(32))), 422, "wrong_shape")
    problem(ask(site, *framed({"inputs": [tensor(images(2))]}, b"x")), 400, "invalid_body")
    assert ask(site, *framed({"inputs": [tensor(images(2))]}, b"")).status_code == 200


def test_numbers_beside_the_data_are_not_taken_for_it(site: Site) -> None:
    pixels = images(1).reshape(-1).tolist()
    one = tensor(images(1), is_flat=True)
    beside = {"inputs": [{"parameters": {"data": [0] * 16}, **one}]}
    answer = site.client.post(URL, json=beside).json()["outputs"][0]["data"]
    assert answer == site.client.post(URL, json={"inputs": [one]}).json()["outputs"][0]["data"]
    named = json.dumps({"id": '"data":[', "inputs": [one]}).encode()
    assert ask(site, named, {}).json()["outputs"][0]["data"] == answer
    assert sum(pixels) > 0


def test_a_query_that_is_not_known_is_named(site: Site) -> None:
    answer = site.client.post(URL, params={"top_k": 1}, json=changed())
    found = problem(answer, 422, "unknown_parameter")
    assert found["errors"][0]["parameter"] == "top_k"


def test_tritons_own_client_is_answered_as_the_native_protocol_answers(site: Site) -> None:
    http = pytest.importorskip("tritonclient.http")
    address = str(site.client.base_url).removeprefix("http://")
    client = http.InferenceServerClient(address)
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("pets")
    assert not client.is_model_ready("cars")
    assert client.get_server_metadata()["extensions"] == ["binary_tensor_data"]
    labels = client.get_model_metadata("pets")["outputs"][0]["parameters"]["labels"]
    array = images(40)
    body = {"inputs": array.tolist(), "top_k": 3}
    native = site.client.post("/v1/deployments/pets/predict", json=body).json()["outputs"]
    for datatype, is_binary in (("UINT8", True), ("UINT8", False), ("FP32", True), ("FP32", False)):
        sent = http.InferInput("image", list(array.shape), datatype)
        typed = array.astype(np.float32) if datatype == "FP32" else array
        sent.set_data_from_numpy(typed, binary_data=is_binary)
        for outputs in (None, [http.InferRequestedOutput("probabilities", binary_data=is_binary)]):
            found = client.infer("pets", [sent], outputs=outputs, request_id="9")
            assert found.get_response()["id"] == "9"
            scores = found.as_numpy("probabilities")
            for row, one in zip(scores, native, strict=True):
                assert labels[int(row.argmax())] == one["label"]
                assert {labels[i]: np.float32(score) for i, score in enumerate(row)} == {
                    each["label"]: np.float32(each["score"]) for each in one["scores"]
                }
    sent = http.InferInput("image", [1, 2], "FP32")
    sent.set_data_from_numpy(np.ones((1, 2), np.float32))
    with pytest.raises(Exception, match=r"\[n, 4, 4, 1\]"):
        client.infer("pets", [sent])
    client.close()
