from typing import Any

import pytest
from pydantic import BaseModel, Field
from starlette.requests import Request

from app.conditional import check_preconditions, conditional, etag_of
from app.errors import PreconditionFailed

BODY: dict[str, Any] = {"id": "job_1", "progress": 0.5}
ETAG = etag_of(BODY)


class Shown(BaseModel):
    schema_: str = Field("s", alias="schema")


def request(method: str = "GET", **headers: str) -> Request:
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": method, "headers": pairs})


def test_a_first_answer_carries_the_etag_of_its_content() -> None:
    answer = conditional(request(), BODY, 202, {"Retry-After": "1"})
    assert answer.status_code == 202
    assert answer.body == b'{"id":"job_1","progress":0.5}'
    assert answer.headers["etag"] == ETAG
    assert answer.headers["retry-after"] == "1"
    assert answer.headers["content-type"] == "application/json"
    assert ETAG.startswith('"')
    assert etag_of({**BODY, "progress": 0.6}) != ETAG


def test_models_are_sent_under_their_outside_names() -> None:
    assert conditional(request(), Shown()).body == b'{"schema":"s"}'


@pytest.mark.parametrize("sent", [ETAG, f'"other", {ETAG}', f"W/{ETAG}", "*"])
def test_what_the_client_has_seen_is_not_sent_again(sent: str) -> None:
    answer = conditional(request(if_none_match=sent), BODY)
    assert (answer.status_code, answer.body) == (304, b"")
    assert answer.headers["etag"] == ETAG


def test_what_has_changed_is_sent() -> None:
    assert conditional(request(if_none_match='"other"'), BODY).status_code == 200
    assert conditional(request("PUT", if_none_match=ETAG), BODY).status_code == 200


@pytest.mark.parametrize("headers", [{}, {"if_match": ETAG}, {"if_match": f'"x", {ETAG}'}])
def test_a_change_of_the_current_version_passes(headers: dict[str, str]) -> None:
    check_preconditions(request("PUT", **headers), ETAG)


def test_any_version_passes_where_there_is_one() -> None:
    check_preconditions(request("PUT", if_match="*"), ETAG)
    with pytest.raises(PreconditionFailed):
        check_preconditions(request("PUT", if_match="*"), None)


@pytest.mark.parametrize("sent", ['"old"', f"W/{ETAG}", "x"])
def test_a_change_of_another_version_is_refused(sent: str) -> None:
    with pytest.raises(PreconditionFailed) as caught:
        check_preconditions(request("PUT", if_match=sent), ETAG)
    assert caught.value.code == "version_changed"
    assert caught.value.findings[0].parameter == "If-Match"


@pytest.mark.parametrize("sent", ["*", ETAG, f"W/{ETAG}"])
def test_a_change_of_what_must_not_be_there_is_refused(sent: str) -> None:
    with pytest.raises(PreconditionFailed) as caught:
        check_preconditions(request("PUT", if_none_match=sent), ETAG)
    assert caught.value.code == "version_exists"
    assert caught.value.findings[0].parameter == "If-None-Match"
    check_preconditions(request("PUT", if_none_match=sent), None)
    check_preconditions(request("PUT", if_none_match='"other"'), ETAG)
