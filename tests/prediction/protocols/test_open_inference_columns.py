"""Open Inference for models of tables: a tensor per column."""

from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest

from tests.prediction.site import Site, problem, site_on_sqlite
from tests.prediction.tables import NAMES, NUMBERS, ROWS, binary, deploy, expected, tensor

INFER = "/v2/models/people/infer"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("columns")
    with site_on_sqlite(folder) as site:
        deploy(site, folder)
        yield site


def pointer_of(body: dict[str, Any]) -> str:
    pointer: str = body["errors"][0]["pointer"]
    return pointer


def test_metadata_name_the_columns(site: Site) -> None:
    metadata = site.client.get("/v2/models/people").json()
    told = [(each["name"], each["datatype"], each["shape"]) for each in metadata["inputs"]]
    assert told == [
        ("income", "FP32", [-1]),
        ("city", "BYTES", [-1]),
        ("age", "FP32", [-1]),
        ("owns", "BOOL", [-1]),
        ("since", "BYTES", [-1]),
    ]
    assert metadata["outputs"][0]["parameters"] == {"labels": ["poor", "rich"]}


def tensors(**changed: dict[str, Any]) -> list[dict[str, Any]]:
    """Of the three rows. `changed`: members of a column's tensor."""
    plain = {name: tensor(name, [row[name] for row in ROWS]) for name in NAMES}
    return [plain[name] | changed.get(name, {}) for name in NAMES]


def infer(site: Site, asked: list[dict[str, Any]]) -> httpx.Response:
    return site.client.post(INFER, json={"inputs": asked})


@pytest.mark.parametrize(
    "changed",
    [
        {"age": {"datatype": "INT64", "data": [40, 41, 18]}},
        {"age": {"shape": [3, 1], "data": [[40], [41.5], [18]]}},
        {"age": {"shape": [3, 1]}},
        {"city": {"data": ["Oslo", "Rome", ""]}},
        {"owns": {"datatype": "BOOL", "data": [True, None, False]}},
    ],
)
def test_tensors_are_taken_as_they_are_written(site: Site, changed: dict[str, Any]) -> None:
    answer = infer(site, tensors(**changed))
    assert answer.status_code == 200, answer.text
    (output,) = answer.json()["outputs"]
    assert np.reshape(output["data"], (3, 2)) == pytest.approx(expected(NUMBERS), abs=2e-2)
    assert "warning" not in answer.json()["parameters"]


@pytest.mark.parametrize(
    ("changed", "code", "pointer"),
    [
        ({"age": {"datatype": "INT64"}}, "not_of_datatype", "#/inputs/2/data/1"),
        (
            {"age": {"datatype": "UINT8", "data": [300, 1, 1]}},
            "not_of_datatype",
            "#/inputs/2/data/0",
        ),
        ({"age": {"datatype": "BYTES", "data": ["4"] * 3}}, "invalid_value", "#/inputs/2/data/0"),
        ({"city": {"datatype": "FP32"}}, "not_of_datatype", "#/inputs/1/data/0"),
        ({"city": {"datatype": "STRING"}}, "unknown_choice", "#/inputs/1/datatype"),
        ({"city": {"shape": [3, 2]}}, "wrong_shape", "#/inputs/1/shape"),
        ({"city": {"shape": [-1]}}, "wrong_shape", "#/inputs/1/shape"),
        ({"city": {"shape": [2]}}, "wrong_shape", "#/inputs/1/data"),
        ({"city": {"shape": [2], "data": ["Oslo", "Rome"]}}, "wrong_shape", "#/inputs/1/data"),
        ({"city": {"data": None}}, "missing_field", "#/inputs/1/data"),
    ],
)
def test_tensors_that_are_wrong_are_pointed_to(
    site: Site, changed: dict[str, Any], code: str, pointer: str
) -> None:
    body = problem(infer(site, tensors(**changed)), 422, code)
    assert pointer_of(body) == pointer
    assert isinstance(body["error"], str)


def test_names_of_tensors_are_those_of_the_columns(site: Site) -> None:
    body = problem(infer(site, tensors()[1:]), 400, "missing_column")
    assert "`income`" in body["error"]
    body = problem(infer(site, tensors(age={"name": "years"})), 400, "unknown_column")
    assert "`years`" in body["error"]
    assert pointer_of(body) == "#/inputs/2/name"
    problem(infer(site, [*tensors(), tensors()[0]]), 400, "repeated_column")
    assert infer(site, tensors()[::-1]).status_code == 200


@pytest.mark.parametrize(
    ("size", "off", "status"), [(None, 1, 400), (None, -1, 400), (11, 0, 422), (13, 1, 422)]
)
def test_binary_data_that_are_not_as_long_as_said_are_refused(
    site: Site, size: int | None, off: int, status: int
) -> None:
    body, headers = binary([tensor("income", [1, 2, 3]), *tensors()[1:]])
    if size is not None:
        changed = body.replace(b'"binary_data_size": 12', b'"binary_data_size": %d' % size, 1)
        assert len(changed) == len(body)
        body = changed[: len(body) + size - 12] + b"x" * max(0, size - 12)
    else:
        body = body[:off] if off < 0 else body + b"x"
    answer = site.client.post(INFER, content=body, headers=headers)
    assert answer.status_code == status, answer.text
    assert "expected" in answer.json()["error"]


def test_bytes_that_are_no_texts_are_refused(site: Site) -> None:
    body, headers = binary(tensors(city={"data": ["Oslo", "Rome", "Lima"]}))
    for wrong in (b"\xff\xff\xff\x7fOslo", b"\x04\0\0\0\xff\xff\xff\xff"):
        changed = body.replace(b"\x04\0\0\0Oslo", wrong, 1)
        answer = site.client.post(INFER, content=changed, headers=headers)
        assert pointer_of(problem(answer, 422, "not_of_datatype")) == "#/inputs/1/data/0"
