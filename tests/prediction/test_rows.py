"""Models of tables, asked in every protocol."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from app.client.ktl import asked
from app.prediction import json_lists
from app.prediction.bodies import SMALL_BYTES
from tests.prediction.site import Site, problem, site_on_sqlite
from tests.prediction.tables import (
    INPUTS,
    NAMES,
    NUMBERS,
    ROWS,
    SERVING,
    WAYS,
    Way,
    deploy,
    expected,
)

NATIVE = "/v1/deployments/people/predict"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("rows")
    with site_on_sqlite(folder, predict_json_limit_bytes=2**21) as site:
        deploy(site, folder)
        yield site


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> Way:
    return WAYS[request.param]


def ask(site: Site, *rows: dict[str, Any]) -> httpx.Response:
    return site.client.post(NATIVE, json={"inputs": rows})


def pointer_of(body: dict[str, Any]) -> str:
    pointer: str = body["errors"][0]["pointer"]
    return pointer


@pytest.mark.parametrize("times", [1, 400])
def test_all_ways_answer_what_the_model_does(site: Site, way: Way, times: int) -> None:
    """Large bodies too, which are read in steps."""
    rows = [row | {"age": row["age"] + number / 1000} for number in range(times) for row in ROWS]
    assert (len(json.dumps(rows)) > SMALL_BYTES) == (times > 1)
    answer = way.ask(site, rows)
    assert answer.status_code == 200, answer.text
    numbers = np.tile(NUMBERS, (times, 1))
    numbers[:, 2] = [row["age"] for row in rows]
    np.testing.assert_allclose(way.scores(answer.json()), expected(numbers), atol=1e-5)
    assert way.warnings(answer.json()) == []


def test_a_data_frame_with_dates_and_gaps_is_asked_as_the_client_sends_it(site: Site) -> None:
    frame = pd.DataFrame(ROWS)
    frame["since"] = pd.to_datetime(frame["since"])
    frame["owns"] = frame["owns"].astype("boolean")
    frame["city"] = frame["city"].astype("category")
    for given in (frame, pa.Table.from_pandas(frame), [row for _, row in frame.iterrows()]):
        answer = site.client.post(NATIVE, **asked.items(given, top_k=2, raw_scores=False))
        assert answer.status_code == 200, answer.text
        scores = WAYS["native"].scores(answer.json())
        np.testing.assert_allclose(scores, expected(NUMBERS), atol=1e-5)


def test_what_no_training_row_had_is_answered_and_told(site: Site, way: Way) -> None:
    rows = [*ROWS, ROWS[0] | {"city": "Kyiv"}, ROWS[0] | {"city": "Bonn", "age": 300}]
    answer = way.ask(site, rows)
    assert answer.status_code == 200, answer.text
    told = [("out_of_range", way.pointer(4, "age")), ("unknown_category", way.pointer(3, "city"))]
    assert way.warnings(answer.json()) == told
    as_other = NUMBERS[0].copy()
    as_other[1] = 3
    np.testing.assert_allclose(way.scores(answer.json())[3], expected(as_other[None])[0], atol=1e-5)


def test_a_value_of_another_kind_is_pointed_to(site: Site) -> None:
    """In binary no value can be of another kind than its tensor's."""
    for name, way in WAYS.items():
        if name != "open inference, binary":
            answer = way.ask(site, [ROWS[0], ROWS[1], ROWS[2] | {"since": "of old"}])
            body = problem(answer, 422, "invalid_value")
            assert pointer_of(body) == way.pointer(2, "since")
            assert "expected a date" in body["detail"]
            assert "of old" not in answer.text


@pytest.mark.parametrize(
    ("name", "value", "expected_words"),
    [
        ("income", "52000", "a number from -1e+37 to 1e+37 or null in the column `income`"),
        ("income", True, "a number from"),
        ("income", 1e39, "a number from -1e+37 to 1e+37"),
        ("city", 1.5, "text, a whole number or null"),
        ("city", ["Oslo"], "text, a whole number or null"),
        ("owns", "maybe", "true, false or null, or one of the column's two values"),
        ("since", 20_000, "a date as text"),
    ],
)
def test_what_was_expected_is_said_and_nothing_echoed(
    site: Site, name: str, value: Any, expected_words: str
) -> None:
    body = problem(ask(site, ROWS[0], ROWS[1] | {name: value}), 422, "invalid_value")
    assert pointer_of(body) == f"#/inputs/1/{name}"
    assert f"expected {expected_words}" in body["detail"]
    assert "maybe" not in str(body)


def test_columns_that_are_missing_or_unknown_are_named(site: Site) -> None:
    without = {name: value for name, value in ROWS[0].items() if name != "city"}
    body = problem(ask(site, ROWS[0], without), 422, "missing_column")
    assert pointer_of(body) == "#/inputs/1/city"
    body = problem(ask(site, ROWS[0] | {"a/b c": 1}), 422, "unknown_column")
    assert pointer_of(body) == "#/inputs/0/a~1b%20c"
    body = problem(ask(site, without | {"x" * 500: 1}), 422, "missing_column")
    body = problem(ask(site, ROWS[0] | {"x" * 500: 1}), 422, "unknown_column")
    assert len(str(body)) < 900


@pytest.mark.parametrize("item", [None, 5, "Oslo", [52_000, "Oslo", 40, True, None], [[1.0]]])
def test_an_item_that_is_no_row_is_refused(site: Site, item: Any) -> None:
    answer = site.client.post(NATIVE, json={"inputs": [ROWS[0], item]})
    assert pointer_of(problem(answer, 422, "not_a_row")) == "#/inputs/1"


def test_rows_that_are_all_missing_are_answered(site: Site, way: Way) -> None:
    answer = way.ask(site, [dict.fromkeys(NAMES)])
    assert answer.status_code == 200, answer.text
    nothing = np.full((1, 5), np.nan, np.float32)
    np.testing.assert_allclose(way.scores(answer.json()), expected(nothing), atol=1e-5)
    assert way.warnings(answer.json()) == []


def test_a_file_of_an_array_is_refused(site: Site) -> None:
    headers = {"Content-Type": "application/x-npy"}
    body = problem(
        site.client.post(NATIVE, content=b"\x93NUMPY", headers=headers),
        415,
        "unsupported_media_type",
    )
    assert "rows of a table, objects by the names of columns" in body["detail"]


LARGE = [*ROWS * 300]


def large(broken: bytes, whole: bytes = b'"city": "Oslo"', at: int = 500) -> bytes:
    """A large body, one row of which is another."""
    rows = [json.dumps(row).encode() for row in LARGE]
    assert whole in rows[at - at % 3]
    rows[at - at % 3] = rows[at - at % 3].replace(whole, broken)
    body = b'{"inputs": [' + b", ".join(rows) + b"]}"
    assert len(body) > SMALL_BYTES
    return body


def post(site: Site, body: bytes) -> httpx.Response:
    return site.client.post(NATIVE, content=body, headers={"Content-Type": "application/json"})


@pytest.mark.parametrize(
    ("broken", "status", "code"),
    [
        (b'"city": 1.5', 422, "invalid_value"),
        (b'"town": "Oslo"', 422, "missing_column"),
        (b'"city": "Oslo", "x": 1', 422, "unknown_column"),
    ],
)
def test_one_bad_row_of_a_large_body_is_pointed_to(
    site: Site, broken: bytes, status: int, code: str
) -> None:
    body = problem(post(site, large(broken)), status, code)
    assert pointer_of(body).startswith("#/inputs/498/")


@pytest.mark.parametrize(
    "broken", [b'"city": Oslo', b'"city": "Oslo"}, , {', b'"city": NaN', b"}{"]
)
def test_large_text_that_is_no_json_is_refused(site: Site, broken: bytes) -> None:
    body = problem(post(site, large(broken)), 400, "invalid_json")
    assert pointer_of(body).startswith("#/inputs/4")


@pytest.mark.parametrize(
    "text", ['a"b', "a\\", "\\\\", "[", "]}", "{,", ',"', "\\u0041", "糟糕", "\x00", "tail\\\\\\"]
)
@pytest.mark.parametrize("step", [7, 64, 2**13])
def test_letters_that_mean_something_in_json_are_values_in_text(
    site: Site, text: str, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_lists, "DECODED_BYTES", step)
    monkeypatch.setattr(json_lists, "SCANNED_BYTES", max(step, 4096))
    rows = [row | {"city": text} for row in LARGE[:810]]
    answer = post(site, json.dumps({"inputs": rows}, ensure_ascii=False).encode())
    assert answer.status_code == 200, answer.text
    (warning,) = answer.json()["warnings"]
    assert (warning["code"], warning["count"]) == ("unknown_category", 810)
    assert warning["pointer"] == "#/inputs/0/city"
    assert len(answer.json()["outputs"]) == 810


def test_the_end_of_a_large_body_may_not_be_missing(site: Site) -> None:
    whole = large(b'"city": "Rome"')
    for end in (-1, -2, -30):
        assert post(site, whole[:end]).status_code == 400
    for more in (b"]", b"}", b"x"):
        assert post(site, whole + more).status_code == 400
    assert post(site, whole[:-2] + b",]}").status_code == 400
    assert post(site, whole[:-1] + b',"top_k":2}').status_code == 200
    assert post(site, whole[:-1] + b',"top":2}').status_code == 422


def test_one_huge_item_is_refused(site: Site) -> None:
    row = ROWS[0] | {"city": "x" * 2**19}
    body = problem(post(site, json.dumps({"inputs": [ROWS[0], row]}).encode()), 422, "too_large")
    assert pointer_of(body) == "#/inputs/1"


def test_columns_of_unlike_lengths_are_refused(site: Site) -> None:
    columns = {name: [row[name] for row in ROWS] for name in NAMES}
    columns["age"] = columns["age"][:2]
    body = problem(site.client.post(SERVING, json={"inputs": columns}), 422, "wrong_shape")
    assert pointer_of(body) == "#/inputs/age"
    body = problem(site.client.post(SERVING, json={"inputs": ROWS}), 422, "invalid_value")
    assert "rows go in `instances`" in body["detail"]
    empty = {name: [] for name in NAMES}
    problem(site.client.post(SERVING, json={"inputs": empty}), 422, "invalid_value")
    without = {name: columns[name] for name in NAMES if name != "city"}
    body = problem(site.client.post(SERVING, json={"inputs": without}), 422, "missing_column")
    assert pointer_of(body) == "#/inputs/city"


def test_the_model_says_its_columns(site: Site) -> None:
    model = site.client.get("/v1/deployments/people").json()["model"]
    signature = site.client.get(f"/v1/models/{model}").json()["signature"]
    assert signature["inputs"]["modality"] == "table"
    assert [column["name"] for column in signature["inputs"]["columns"]] == NAMES
    assert [column["kind"] for column in signature["inputs"]["columns"]] == [
        column.kind for column in INPUTS.columns
    ]
