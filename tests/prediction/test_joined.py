"""Items of several parts, asked in every protocol: what is missing, and what a request may hold."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import httpx
import numpy as np
import pytest

from app.inputs.text import TextInputs
from app.prediction import inputs as limits
from app.prediction import joined
from tests.prediction.explaining.models import (
    JOINED,
    deploy_joined,
    deploy_texts,
    price,
    whole_item,
)
from tests.prediction.site import SHAPE, Site, problem, site_on_sqlite

NATIVE = "/v1/deployments/houses/predict"
SERVING = "/v1/models/houses:predict"
INFER = "/v2/models/houses/infer"
NOTHING = [0] * int(np.prod(SHAPE))
WHOLE = whole_item()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("houses")
    with site_on_sqlite(folder) as site:
        deploy_joined(site, folder)
        deploy_texts(site, folder)
        yield site


def post(site: Site, path: str, body: Any) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return site.client.post(path, content=content, headers={"Content-Type": "application/json"})


def tensors(items: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same items as the Open Inference Protocol has them; what is in none is left out."""
    count = len(items)
    found = []
    if any(item.get("photo") for item in items):
        flat = [np.ravel(item["photo"]).tolist() if item.get("photo") else [None] * 16
                for item in items]  # fmt: skip
        shape = [count, *SHAPE]
        found.append({"name": "photo.image", "shape": shape, "datatype": "UINT8",
                      "data": np.array(flat, object).ravel().tolist()})  # fmt: skip
    if any(item.get("house") for item in items):
        for column in ("area", "age"):
            data = [(item.get("house") or {}).get(column) for item in items]
            found.append({"name": f"house.{column}", "shape": [count], "datatype": "FP32",
                          "data": data})  # fmt: skip
    if any(item.get("note") is not None for item in items):
        data = [item.get("note") for item in items]
        found.append({"name": "note.text", "shape": [count], "datatype": "BYTES", "data": data})
    return found


def answered(site: Site, items: Sequence[dict[str, Any]]) -> list[list[float]]:
    """The answers of all protocols, which say the same of what is missing."""
    found = []
    answer = post(site, NATIVE, {"inputs": items})
    assert answer.status_code == 200, answer.text
    found.append([each["value"] for each in answer.json()["outputs"]])
    told = [each["detail"] for each in answer.json().get("warnings", [])]
    answer = post(site, SERVING, {"instances": items})
    assert answer.status_code == 200, answer.text
    found.append(np.ravel(answer.json()["predictions"]).tolist())
    assert [each["detail"] for each in answer.json().get("warnings", [])] == told
    answer = post(site, INFER, {"inputs": tensors(items)})
    assert answer.status_code == 200, answer.text
    found.append(answer.json()["outputs"][0]["data"])
    assert answer.json()["parameters"].get("warning") == (told or [None])[0]
    return found


@pytest.mark.parametrize("note", [None, "", " \x00\n", "\ufeff"])
def test_a_text_of_nothing_is_missing_as_in_the_training_rows(site: Site, note: str | None) -> None:
    items = [WHOLE | {"note": note}, {"photo": None, "note": "b a"}]
    pixels = np.array(WHOLE["photo"])
    expected = [price(pixels, [50, 10], ""), price(NOTHING, [np.nan, np.nan], "b a")]
    for values in answered(site, items):
        np.testing.assert_allclose(values, expected, rtol=1e-5)


@pytest.mark.parametrize(("path", "member"), [(NATIVE, "inputs"), (SERVING, "instances")])
def test_an_item_of_nothing_is_refused(site: Site, path: str, member: str) -> None:
    body = problem(post(site, path, {member: [WHOLE, {"note": " "}]}), 422, "no_part")
    assert body["errors"][0]["pointer"] == f"#/{member}/1"
    data = tensors([WHOLE, {"note": " "}])
    problem(post(site, INFER, {"inputs": data}), 422, "no_part")


def test_what_is_no_text_is_said_where_it_stands(site: Site) -> None:
    items: list[dict[str, Any]] = [{"note": ""}, {"note": "a"}, {"note": 5}]
    body = problem(post(site, INFER, {"inputs": tensors(items)}), 422, "not_of_datatype")
    assert body["errors"][0]["pointer"] == "#/inputs/0/data/2"


@pytest.mark.parametrize(
    ("changed", "code", "where"),
    [
        ({"data": None}, "missing_field", "#/inputs/0/data"),
        ({"parameters": {"binary_data_size": 0}}, "invalid_value", "#/inputs/0/data"),
        ({"data": [*NOTHING[1:], 256]}, "not_of_datatype", "#/inputs/0/data"),
        ({"data": [*NOTHING[1:], 0.5]}, "not_of_datatype", "#/inputs/0/data"),
        ({"shape": [1, 4, 4, 3]}, "wrong_shape", "#/inputs/0/shape"),
    ],
)
def test_tensors_of_pictures_that_do_not_hold_together(
    site: Site, changed: dict[str, Any], code: str, where: str
) -> None:
    (photo,) = tensors([{"photo": WHOLE["photo"]}])
    body = problem(post(site, INFER, {"inputs": [photo | changed]}), 422, code)
    assert body["errors"][0]["pointer"] == where


@pytest.mark.parametrize("count", [10**7, 10**12])
def test_a_count_that_a_body_only_states_takes_no_memory(site: Site, count: int) -> None:
    """Pictures that nobody sent would be made before anyone looks how many texts came."""
    stated = {"name": "note.text", "shape": [count], "datatype": "BYTES", "data": ["a"]}
    made = limits.MOST_VALUES // JOINED.values
    body = problem(post(site, INFER, {"inputs": [stated]}), 422, "too_large")
    assert f"at most {made} inputs" in body["detail"]
    assert body["errors"][0]["pointer"] == "#/inputs/0/shape"


@pytest.mark.parametrize(
    ("path", "member", "item"),
    [
        (NATIVE, "inputs", {"note": "a"}),
        (SERVING, "instances", {"note": "a"}),
        ("/v1/deployments/letters/predict", "inputs", "a"),
        ("/v1/models/letters:predict", "instances", {"text": "a"}),
    ],
)
@pytest.mark.parametrize("times", [1, 400])
def test_items_are_refused_that_become_too_much(
    site: Site, path: str, member: str, item: Any, times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bodies that are read at once, and those that are read in steps."""
    each = TextInputs(length=32).values if "letters" in path else JOINED.values
    most = 40 * times
    monkeypatch.setattr(limits, "MOST_VALUES", most * each)
    answer = post(site, path, {member: [item] * most})
    assert answer.status_code == 200, answer.text
    body = problem(post(site, path, {member: [item] * (most + 1)}), 422, "too_large")
    assert f"at most {most} inputs" in body["detail"]
    assert body["errors"][0]["pointer"] == f"#/{member}"


def test_a_few_items_may_be_of_any_size(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_VALUES", 1)
    answered(site, [WHOLE] * limits.FEW)
    problem(post(site, NATIVE, {"inputs": [WHOLE] * (limits.FEW + 1)}), 422, "too_large")


def test_binary_texts_become_too_much_as_well(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_VALUES", 100 * 32)
    data = b"\1\0\0\0a" * 101
    one = {"name": "text", "shape": [101], "datatype": "BYTES"}
    head = json.dumps({"inputs": [one | {"parameters": {"binary_data_size": len(data)}}]}).encode()
    answer = site.client.post(
        "/v2/models/letters/infer",
        content=head + data,
        headers={"Inference-Header-Content-Length": str(len(head))},
    )
    assert "at most 100 inputs" in problem(answer, 422, "too_large")["detail"]


def test_json_of_many_values_is_refused_before_it_is_decoded(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """64 MiB of it held up all requests for eleven seconds, in two GiB."""
    monkeypatch.setattr(joined, "MOST_COMMAS", 1000)
    stated = {"name": "note.text", "shape": [1], "datatype": "BYTES", "data": ["a"]}
    body = {"inputs": [stated | {"data": [{}] * 1001}]}
    found = problem(post(site, INFER, body), 422, "too_large")
    assert "binary data" in found["detail"]
