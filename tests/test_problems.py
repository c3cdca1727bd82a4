"""Every error of every kind has the same shape, says where, and gives nothing away."""

from collections.abc import Iterator
from typing import Annotated, Any

import httpx
import pytest
from fastapi import FastAPI, Header
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from sqlalchemy.exc import (
    DatabaseError,
    DataError,
    IntegrityError,
    InternalError,
    OperationalError,
    PendingRollbackError,
)
from sqlalchemy.exc import TimeoutError as NotInTime
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect

from app.errors import Conflict, FailureCode, Finding, Invalid, WorkFailure
from app.findings import invalid_from
from app.gate import GuardedRoute
from app.problems import LastResort, Problem, add_error_handlers, problem_json
from app.request_id import RequestId
from app.spec.spec import JobSpec
from tests.serving import serve

GOOD: dict[str, Any] = {"sources": [{"dataset": "a"}], "target": {"dataset": "b"}}


class Note(BaseModel):
    model_config = ConfigDict(extra="forbid")
    lines: list[int]


def _raise(error: Exception) -> None:
    raise error


ERRORS: dict[str, Exception] = {
    "conflict": Conflict("job_ended", "it ended", Finding("ended", "#/status")),
    "store": WorkFailure(FailureCode.STORAGE_FAILED, "the bucket is gone"),
    "data": DataError("INSERT secret", {}, ValueError("secret")),
    "database": OperationalError("SELECT secret", {}, ValueError("secret")),
    "pool": NotInTime("QueuePool limit, secret"),
    "damaged": DatabaseError("SELECT secret", {}, ValueError("secret")),
    "read_only": InternalError("INSERT secret", {}, ValueError("secret")),
    "lost": PendingRollbackError("secret"),
    "gone": ClientDisconnect(),
    "duplicate": IntegrityError("INSERT secret", {}, ValueError("secret")),
    "bug": RuntimeError("secret"),
}


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    app = FastAPI(
        middleware=[Middleware(RequestId), Middleware(LastResort)], redirect_slashes=False
    )
    add_error_handlers(app, on_damage=lambda _: None)
    app.router.route_class = GuardedRoute

    @app.post("/jobs")
    def _jobs(spec: JobSpec) -> None: ...

    @app.get("/jobs")
    def _list(limit: int = 3, x_flag: Annotated[int, Header()] = 0) -> None: ...

    @app.get("/errors/{name}")
    def _error(name: str) -> None:
        _raise(ERRORS[name])

    @app.get("/v1/models/{name}:predict")
    def _predict(name: str) -> None:
        _raise(ERRORS["conflict"])

    with serve(app) as client:
        yield client


def problem(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    Problem.model_validate(body, extra="forbid")
    assert body["status"] == status
    assert body["code"] == code
    assert body["type"] == f"urn:ktl:problem:{code}"
    assert body["instance"] == response.request.url.path
    assert body["request_id"] == response.headers["x-request-id"]
    assert "secret" not in response.text
    return body


@pytest.mark.parametrize(
    ("change", "code", "pointer", "said"),
    [
        ({"strategies": [{"name": "foo"}]}, "unknown_choice", "#/strategies/0/name", "'lp_ft'"),
        ({"strategies": ["foo"]}, "unknown_choice", "#/strategies/0", "'lp_ft'"),
        ({"strategies": [{"nam": "x"}]}, "missing_field", "#/strategies/0/name", "`name`"),
        (
            {"strategies": ["auto", {"name": "lp_ft", "params": {"q": 1}}]},
            "unknown_field",
            "#/strategies/1/params/q",
            "`q`",
        ),
        ({"strategies": [5]}, "invalid_value", "#/strategies/0", "expected an object, got 5"),
        (
            {"strategies": []},
            "invalid_value",
            "#/strategies",
            "at least 1 items, got an array of length 0",
        ),
        ({"a/b~c": 1}, "unknown_field", "#/a~1b~0c", "`a/b~c`"),
        (
            {"target": {"dataset": "b", "labels_per_class": 0}},
            "invalid_value",
            "#/target/labels_per_class",
            "expected a number greater than or equal to 1, got 0",
        ),
        ({"target": {}}, "missing_field", "#/target/dataset", "expected `dataset`, got nothing"),
        (
            {"model": {"backbone": "mlp", "params": {"hidden": [0]}}},
            "invalid_value",
            "#/model/params/hidden/0",
            "got 0",
        ),
        (
            {"seed": "six"},
            "invalid_value",
            "#/seed",
            "expected a valid integer, got 'six'",
        ),
        ({"task": "clustering"}, "unknown_choice", "#/task", "expected 'classification'"),
        ({"deploy": {"name": "A name"}}, "invalid_value", "#/deploy/name", "matches ^[a-z0-9]"),
        ({"seed": 10**400}, "invalid_value", "#/seed", "too large"),
    ],
)
def test_a_wrong_field_is_named(
    client: httpx.Client, change: dict[str, Any], code: str, pointer: str, said: str
) -> None:
    body = problem(client.post("/jobs", json={**GOOD, **change}), 422, code)
    assert [error["pointer"] for error in body["errors"]] == [pointer]
    assert said in body["errors"][0]["detail"]
    assert pointer in body["detail"]


def test_a_name_in_half_a_character(client: httpx.Client) -> None:
    content = b'{"sources": [{"dataset": "a"}], "target": {"dataset": "b"}, "\\ud800": 1}'
    headers = {"Content-Type": "application/json"}
    body = problem(client.post("/jobs", content=content, headers=headers), 422, "invalid_value")
    assert body["errors"][0]["pointer"] == "#"


def test_all_that_is_wrong_is_said_at_once(client: httpx.Client) -> None:
    wrong = {**GOOD, "seed": -1, "name": "x" * 201}
    body = problem(client.post("/jobs", json=wrong), 422, "invalid_value")
    assert {error["pointer"] for error in body["errors"]} == {"#/seed", "#/name"}
    assert body["detail"].endswith("(and 1 more)")


def test_the_answer_to_many_mistakes_is_short() -> None:
    many = {"lines": ["x"] * 10_000}
    with pytest.raises(ValidationError) as caught:
        Note.model_validate(many)
    assert len(invalid_from(caught.value, many).findings) == 20


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"sources": [}', "character 13"),
        (b'"\xff"', "UTF-8"),
        (b"[" * 100_000, "nesting"),
    ],
)
def test_a_body_that_is_no_json(client: httpx.Client, content: bytes, said: str) -> None:
    headers = {"Content-Type": "application/json"}
    body = problem(client.post("/jobs", content=content, headers=headers), 400, "invalid_json")
    assert said in body["detail"]


@pytest.mark.parametrize(
    "value",
    [
        '"\\ud800"',
        '"\\u0000"',
        "NaN",
        "-Infinity",
        "1e999",
        str(2**63),
        "9" * 10_000,
        "[" * 70 + "]" * 70,
    ],
)
def test_a_value_that_nothing_can_hold(client: httpx.Client, value: str) -> None:
    content = f'{{"target": {{"a/b": [0, {value}]}}}}'
    headers = {"Content-Type": "application/vnd.x+json"}
    body = problem(client.post("/jobs", content=content, headers=headers), 422, "invalid_value")
    assert body["errors"][0]["pointer"].startswith("#/target/a~1b/1")


def test_a_body_that_does_not_say_it_is_json(client: httpx.Client) -> None:
    body = problem(client.post("/jobs", content=b"{}"), 415, "unsupported_media_type")
    assert "application/json" in body["detail"]


def test_no_body(client: httpx.Client) -> None:
    body = problem(client.post("/jobs"), 422, "missing_field")
    assert body["errors"] == [{"detail": "expected a value, got nothing", "pointer": "#"}]


def test_a_wrong_parameter_is_named(client: httpx.Client) -> None:
    response = client.get("/jobs", params={"limit": "x"}, headers={"X-Flag": "y"})
    body = problem(response, 422, "invalid_value")
    assert [error["parameter"] for error in body["errors"]] == ["limit", "x-flag"]


def test_json_that_a_route_validates_itself_points_into_its_part() -> None:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(Note).validate_python({"lines": [1, "x"]})
    error = invalid_from(caught.value, {"lines": [1, "x"]}, at="#/spec")
    assert [finding.pointer for finding in error.findings] == ["#/spec/lines/1"]


def test_unknown_routes_and_methods(client: httpx.Client) -> None:
    problem(client.get("/nowhere"), 404, "not_found")
    problem(client.get("/jobs/"), 404, "not_found")
    refused = client.delete("/jobs")
    problem(refused, 405, "method_not_allowed")
    assert refused.headers["allow"] == "GET, POST"


def test_known_errors_keep_their_findings(client: httpx.Client) -> None:
    body = problem(client.get("/errors/conflict"), 409, "job_ended")
    assert body["errors"] == [{"detail": "ended", "pointer": "#/status"}]
    assert "error" not in body


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("store", 503, "storage_failed"),
        ("database", 503, "database_unavailable"),
        ("pool", 503, "database_unavailable"),
        ("damaged", 503, "database_unavailable"),
        ("read_only", 503, "database_unavailable"),
        ("lost", 503, "database_unavailable"),
        ("gone", 400, "client_gone"),
        ("duplicate", 500, "internal"),
        ("data", 422, "unstorable_value"),
        ("bug", 500, "internal"),
    ],
)
def test_what_fails_below_gives_nothing_away(
    client: httpx.Client, name: str, status: int, code: str
) -> None:
    response = client.get(f"/errors/{name}")
    body = problem(response, status, code)
    assert "Traceback" not in response.text
    assert body["title"]
    assert ("retry-after" in response.headers) == (status == 503)


def test_prediction_routes_say_it_in_error_as_well(client: httpx.Client) -> None:
    body = problem(client.get("/v1/models/digits:predict"), 409, "job_ended")
    assert body["error"] == body["detail"]
    for path in ("/v2", "/v2/models/x/infer", "/v1/models/x", "/v1/deployments/x/predict"):
        assert "error" in problem_json(ERRORS["conflict"], path, "id")[1]
    for path in ("/v2x", "/v1/models/mdl_x", "/v1/deployments/x/rollback"):
        assert "error" not in problem_json(ERRORS["conflict"], path, "id")[1]


@pytest.mark.parametrize(
    ("sent", "kept"), [("abc-1.2:3_4", True), ("a b", False), ("x" * 129, False)]
)
def test_a_sane_request_id_is_kept(client: httpx.Client, sent: str, kept: bool) -> None:
    response = client.get("/nowhere", headers={"X-Request-Id": sent})
    assert (response.headers["x-request-id"] == sent) == kept
    assert response.json()["request_id"] == response.headers["x-request-id"]


def test_a_problem_with_many_findings_says_how_many_it_leaves_off() -> None:
    many = Invalid("invalid_value", "wrong", *(Finding(str(number)) for number in range(50)))
    _, body, _ = problem_json(many, "/", "r")
    assert (len(body["errors"]), body["errors_left_off"]) == (20, 30)
    lines = {"lines": ["x"] * 10_000}
    with pytest.raises(ValidationError) as caught:
        Note.model_validate(lines)
    _, body, _ = problem_json(invalid_from(caught.value, lines), "/", "r")
    assert (len(body["errors"]), body["errors_left_off"]) == (20, 9980)
    assert "errors_left_off" not in problem_json(Invalid("a", "b"), "/", "r")[1]
