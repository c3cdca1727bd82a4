"""What every protocol has from the front: each test asks in every way there is, of a server that
answers at once and of one that starts a task for each request."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from app.access import repository as keys
from app.prediction.batching import ALONE
from app.prediction.bodies import SMALL_BYTES
from app.prediction.exchange import Exchange
from app.prediction.front import PROTOCOLS
from tests.prediction.protocols.test_native import images
from tests.prediction.site import Site, problem, run_site, site_on_sqlite
from tests.prediction.ways import TEMPERATURE, WAYS, Way, expected

JSON_LIMIT, LIMIT = 400_000, 500_000


@pytest.fixture(scope="module", params=[True, False], ids=["at_once", "in_tasks"])
def site(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Site]:
    with site_on_sqlite(
        tmp_path_factory.mktemp("front"),
        request.param,
        predict_limit_bytes=LIMIT,
        predict_json_limit_bytes=JSON_LIMIT,
    ) as site:
        site.deploy("pets", site.add_model(1, value_range=[0, 255], temperature=TEMPERATURE))
        for _ in range(2 * ALONE):  # from then on one who asks is known to be alone
            assert ask(site, next(iter(WAYS.values())), images(1)).status_code == 200
        yield site


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> Way:
    return WAYS[request.param]


def ask(site: Site, way: Way, array: Any, **request: Any) -> httpx.Response:
    return site.client.post(way.url, json=way.body(np.asarray(array)), **request)


def test_the_ways_are_of_all_protocols() -> None:
    asked = {way.url for way in WAYS.values()}
    taken = {url for url in asked for each in PROTOCOLS if each.match("POST", url) == "pets"}
    assert taken == asked
    assert len(asked) == len(PROTOCOLS)


@pytest.mark.parametrize("count", [1, 7, 1000])
def test_all_answer_the_same(site: Site, way: Way, count: int) -> None:
    """Large bodies as well, which are read in steps."""
    array = images(count)
    body = json.dumps(way.body(array)).encode()
    assert (len(body) > SMALL_BYTES) == (count == 1000)
    headers = {"Content-Type": "application/json"}
    answer = site.client.post(way.url, content=body, headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    scores = way.scores(answer.json())
    np.testing.assert_allclose(scores, expected(array), atol=1e-5)
    assert way.warnings(answer.json()) == []


def test_a_value_that_is_wrong_is_pointed_to(site: Site, way: Way) -> None:
    array = images(3).astype(np.float64)
    for value, code in ((256.0, "out_of_range"), (1e39, "not_finite")):
        array[1, 2, 3, 0] = value
        body = problem(ask(site, way, array), 422, code)
        assert body["errors"][0]["pointer"] == way.pointer(1, 2, 3, 0)
        assert body["error"] == body["detail"]
    body = problem(ask(site, way, images(3) / 255), 422, "wrong_scale")
    assert body["errors"][0]["pointer"] == way.at


def test_a_value_that_is_wrong_in_a_large_body_is_pointed_to(site: Site, way: Way) -> None:
    array = images(1000).astype(np.float64)
    array[650, 2, 3, 0] = 256
    body = problem(ask(site, way, array), 422, "out_of_range")
    assert body["errors"][0]["pointer"] == way.pointer(650, 2, 3, 0)
    text = json.dumps(way.body(array)).replace("256.0", "null", 1).encode()
    headers = {"Content-Type": "application/json"}
    body = problem(site.client.post(way.url, content=text, headers=headers), 422, "wrong_shape")
    assert body["errors"][0]["pointer"].startswith(way.at)


@pytest.mark.parametrize("wrong", [None, "5", True, {}, [5], []])
def test_what_is_no_number_is_pointed_to(site: Site, way: Way, wrong: Any) -> None:
    array = images(3).astype(np.float64)
    array[1, 2, 3, 0] = 12345
    text = json.dumps(way.body(array)).replace("12345.0", json.dumps(wrong), 1).encode()
    answer = site.client.post(way.url, content=text, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422, answer.text
    at = answer.json()["errors"][0]["pointer"]
    assert at.startswith(way.pointer(1, 2, 3, 0))


def test_doubts_are_told(site: Site, way: Way) -> None:
    answer = ask(site, way, images(2) % 2)
    assert answer.status_code == 200
    assert way.warnings(answer.json()) == ["wrong_scale"]


@pytest.mark.parametrize("shape", [(2, 4, 4, 3), (2, 4, 5, 1), (2, 3), (0, 4, 4, 1)])
def test_another_shape_is_refused(site: Site, way: Way, shape: tuple[int, ...]) -> None:
    answer = ask(site, way, np.ones(shape, int))
    assert answer.status_code == 422, answer.text
    assert "expected" in answer.json()["detail"]


def test_too_large_a_body_is_refused_with_and_without_its_length(site: Site, way: Way) -> None:
    body = b" " * (JSON_LIMIT + 1)
    for content in (body, iter([body[:100_000]] * 5)):
        headers = {"Content-Type": "application/json"}
        answer = site.client.post(way.url, content=content, headers=headers)
        assert f"at most {JSON_LIMIT} bytes" in problem(answer, 413, "too_large")["error"]


@pytest.mark.parametrize("body", [b"", b"{", b"[1", b"null", b"3", b"[]", b"{}", b'{"a": 1}'])
def test_any_json_is_read_or_refused(site: Site, way: Way, body: bytes) -> None:
    answer = site.client.post(way.url, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in {400, 422}, answer.text
    assert answer.json()["error"] == answer.json()["detail"]


def test_media_that_are_not_read_are_named(site: Site, way: Way) -> None:
    for headers in ({"Content-Type": "text/plain"}, {"Content-Encoding": "gzip"}):
        answer = ask(site, way, images(1), headers=headers)
        problem(answer, 415, "unsupported_media_type")


def test_an_unknown_name_is_not_found(site: Site, way: Way) -> None:
    body = way.body(images(1))
    answer = site.client.post(way.url.replace("pets", "cars"), json=body)
    assert "unknown name" in problem(answer, 404, "deployment_not_found")["error"]


def test_a_page_of_another_site_cannot_predict_on_an_open_loopback(site: Site, way: Way) -> None:
    answer = ask(site, way, images(1), headers={"Origin": "https://evil.example"})
    problem(answer, 403, "foreign_origin")


def test_predictions_are_counted_and_have_an_id(site: Site, way: Way) -> None:
    def counted(status: int) -> float:
        name = f'ktl_http_requests_total{{method="POST",route="prediction",status="{status}"}} '
        text = site.client.get("/metrics").text
        return float(text.partition(name)[2].partition("\n")[0] or 0)

    good, bad = counted(200), counted(422)
    answer = ask(site, way, images(1), headers={"X-Request-Id": "mine"})
    assert answer.headers["x-request-id"] == "mine"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert ask(site, way, images(1) / 255).status_code == 422
    assert (counted(200), counted(422)) == (good + 1, bad + 1)


def test_a_key_needs_the_scope_predict(site: Site) -> None:
    with site.database.write() as session:
        made = {
            scope: keys.create(session, scope, "default", [scope])[1]
            for scope in ("read", "predict")
        }
    with run_site(site.settings, site.database) as locked:  # a process that starts with keys
        for way in WAYS.values():
            for key, status in ((made["predict"], 200), (made["read"], 403), ("ktl_no", 401)):
                answer = ask(locked, way, images(1), headers={"Authorization": f"Bearer {key}"})
                assert answer.status_code == status, answer.text
            problem(ask(locked, way, images(1)), 401, "missing_key")


def test_answers_at_once_are_those_of_a_task(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without its id an answer is the same from the first request, which starts a task."""
    replied, at_once = Exchange.replied, []
    monkeypatch.setattr(Exchange, "replied", lambda *of: at_once.append(of) or replied(*of))
    with site_on_sqlite(tmp_path) as site:
        site.deploy("pets", site.add_model(1, value_range=[0, 255], temperature=TEMPERATURE))
        for way in WAYS.values():
            answers = [ask(site, way, images(1)) for _ in range(4 * ALONE)]
            assert len({answer.content for answer in answers}) == 1
            assert len({tuple(answer.headers) for answer in answers}) == 1
            assert len({answer.headers["x-request-id"] for answer in answers}) == len(answers)
            assert ALONE <= len(at_once) < len(answers)
            at_once.clear()
