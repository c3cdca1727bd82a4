"""The native protocol over HTTP."""

import io
import shutil
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import httpx
import numpy as np
import pytest

from app.access import repository as keys
from app.deployments import repository
from tests.prediction.site import (
    LABELS,
    SHAPE,
    Site,
    problem,
    run_site,
    site_on_sqlite,
    softmax,
    weights,
)

URL = "/v1/deployments/pets/predict"
LIMIT = 600_000


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with site_on_sqlite(tmp_path, predict_limit_bytes=LIMIT) as site:
        yield site


def images(count: int, shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, *shape), dtype=np.uint8)


def npy(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def expected(array: np.ndarray, favourite: int = 1) -> np.ndarray:
    return softmax(array.reshape(len(array), -1) @ weights(favourite))


def test_json_and_npy_are_answered_alike(site: Site) -> None:
    model = site.add_model(1)
    site.deploy("pets", model)
    array = images(5)
    answer = site.client.post(URL, json={"inputs": array[..., 0].tolist()})
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert (body["deployment"], body["model"]) == ("pets", model)
    scores = expected(array)
    assert [one["label"] for one in body["outputs"]] == [LABELS[i] for i in scores.argmax(axis=1)]
    np.testing.assert_allclose(
        [one["score"] for one in body["outputs"]], scores.max(axis=1), atol=1e-5
    )
    assert all(one.keys() == {"label", "score"} for one in body["outputs"])
    binary = site.client.post(
        URL, content=npy(array), headers={"Content-Type": "application/x-npy"}
    )
    assert binary.json() == body


def test_top_k_answers_the_best_labels_first(site: Site) -> None:
    site.deploy("pets", site.add_model(1))
    array = images(2)
    body = site.client.post(URL, json={"inputs": array.tolist(), "top_k": 2}).json()
    for output, scores in zip(body["outputs"], expected(array), strict=True):
        best = sorted(zip(LABELS, scores, strict=True), key=lambda pair: -pair[1])[:2]
        assert [one["label"] for one in output["scores"]] == [label for label, _ in best]
        assert [one["score"] for one in output["scores"]] == pytest.approx(
            [score for _, score in best], abs=1e-5
        )
        assert output["label"] == output["scores"][0]["label"]


def test_many_clients_each_get_their_own_answers(site: Site) -> None:
    site.deploy("pets", site.add_model(1))
    batches = [images(count) for count in (1, 40, 300, 700)]
    wrong: list[str] = []

    def ask(array: np.ndarray) -> None:
        for _ in range(5):
            answer = site.client.post(
                URL, content=npy(array), headers={"Content-Type": "application/x-npy"}
            )
            scores = [one["score"] for one in answer.json()["outputs"]]
            if not np.allclose(scores, expected(array).max(axis=1), atol=1e-5):
                wrong.append(answer.text)

    askers = [Thread(target=ask, args=(array,)) for array in batches * 2]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    assert not wrong


def test_a_large_request_is_answered_in_order(site: Site) -> None:
    site.deploy("pets", site.add_model(1))
    array = images(LIMIT // 16 - 8)
    answer = site.client.post(
        URL, content=npy(array), headers={"Content-Type": "application/x-npy"}
    )
    scores = [one["score"] for one in answer.json()["outputs"]]
    np.testing.assert_allclose(scores, expected(array).max(axis=1), atol=1e-5)


def test_errors_are_problems_that_other_protocols_clients_can_read(site: Site) -> None:
    site.deploy("pets", site.add_model())
    answer = site.client.post(URL, json={"inputs": [[1, 2], [3]]}, headers={"X-Request-Id": "mine"})
    body = problem(answer, 422, "wrong_shape")
    assert body["error"] == body["detail"]
    assert (body["instance"], body["request_id"]) == (URL, "mine")
    assert body["errors"] == [{"detail": body["detail"], "pointer": "#/inputs"}]
    assert answer.headers["x-request-id"] == "mine"


def test_media_that_are_not_read_are_named(site: Site) -> None:
    site.deploy("pets", site.add_model())
    problem(site.client.post(URL, data={"a": "b"}), 415, "unsupported_media_type")
    encoded = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    problem(site.client.post(URL, content=b"x", headers=encoded), 415, "unsupported_media_type")


def test_too_large_a_body_is_refused_with_and_without_its_length(site: Site) -> None:
    site.deploy("pets", site.add_model())
    headers = {"Content-Type": "application/json"}
    body = b" " * (LIMIT + 1)

    def pieces() -> Iterator[bytes]:
        for at in range(0, len(body), 65_536):
            yield body[at : at + 65_536]

    for content in (body, pieces()):
        answer = site.client.post(URL, content=content, headers=headers)
        assert f"at most {LIMIT} bytes" in problem(answer, 413, "too_large")["detail"]
    assert site.client.post(URL, json={"inputs": images(1).tolist()}).status_code == 200


def test_values_beyond_what_the_model_can_take_are_named(site: Site) -> None:
    site.deploy("pets", site.add_model(slope=16.0))
    array = images(3).astype(np.float32)
    array[1] = 3e38
    body = problem(
        site.client.post(URL, content=npy(array), headers={"Content-Type": "application/x-npy"}),
        422,
        "prediction_not_finite",
    )
    assert body["errors"][0]["pointer"] == "#/inputs/1"


def test_a_key_needs_the_scope_predict(site: Site) -> None:
    site.deploy("pets", site.add_model())
    with site.database.write() as session:
        made = {
            scope: keys.create(session, scope, "default", [scope])[1]
            for scope in ("read", "predict")
        }
    question = {"inputs": images(1).tolist()}

    def ask(key: str) -> httpx.Response:
        headers = {"Authorization": f"Bearer {key}"}
        return site.client.post(URL, json=question, headers=headers)

    with run_site(site.settings, site.database) as locked:  # a process that starts with keys
        site = locked
        assert ask(made["predict"]).status_code == 200  # which waits for the model
        assert "`predict`" in problem(ask(made["read"]), 403, "missing_scope")["error"]
        problem(ask("ktl_unknown"), 401, "unknown_key")
        answer = site.client.post(URL, json=question)
        problem(answer, 401, "missing_key")
        assert answer.headers["www-authenticate"].startswith("Bearer")


def test_a_revoked_key_predicts_no_more(site: Site) -> None:
    site.deploy("pets", site.add_model())
    made = site.client.post("/v1/keys", json={"name": "a", "scopes": ["admin"]}).json()
    admin = {"Authorization": f"Bearer {made['key']}"}
    body = {"name": "p", "scopes": ["predict"]}
    key = site.client.post("/v1/keys", json=body, headers=admin).json()
    question = {"inputs": images(1).tolist()}
    problem(site.client.post(URL, json=question), 401, "missing_key")  # open a moment ago
    for _ in range(3):
        headers = {"Authorization": f"Bearer {key['key']}"}
        assert site.client.post(URL, json=question, headers=headers).status_code == 200
    assert site.client.delete(f"/v1/keys/{key['id']}", headers=admin).status_code == 204
    problem(site.client.post(URL, json=question, headers=headers), 401, "unknown_key")


def test_a_page_of_another_site_cannot_predict_on_an_open_loopback(site: Site) -> None:
    site.deploy("pets", site.add_model())
    question = {"inputs": images(1).tolist()}
    for headers in (
        {"Host": "evil.example"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ):
        problem(site.client.post(URL, json=question, headers=headers), 403, "foreign_origin")
    for origin in ("http://localhost:3000", "http://[::1]"):
        answer = site.client.post(URL, json=question, headers={"Origin": origin})
        assert answer.status_code == 200
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_predictions_are_counted_and_have_an_id(site: Site) -> None:
    site.deploy("pets", site.add_model())

    def counted(status: int) -> float:
        name = f'ktl_http_requests_total{{method="POST",route="prediction",status="{status}"}} '
        text = site.client.get("/metrics").text
        return float(text.partition(name)[2].partition("\n")[0] or 0)

    good, bad = counted(200), counted(422)
    answer = site.client.post(URL, json={"inputs": images(1).tolist()})
    assert len(answer.headers["x-request-id"]) == 32
    site.client.post(URL, json={"inputs": []})
    assert (counted(200), counted(422)) == (good + 1, bad + 1)


def test_a_graph_that_answers_otherwise_never_becomes_ready(site: Site) -> None:
    wrong = site.add_model(0, trained=1)
    with site.database.write() as session:  # past the gate, as no route would
        repository.point(session, "default", "pets", wrong)
    for _ in range(2):
        answer = site.client.post(URL, json={"inputs": images(1).tolist()})
        body = problem(answer, 503, "deployment_failed")
        assert "within 0.0001" in body["detail"]
        assert answer.headers["retry-after"]
    shown = site.client.get("/v1/deployments/pets").json()
    assert shown["status"] == "failed"
    assert "within 0.0001" in shown["reason"]
    good = site.add_model(2)
    site.deploy("pets", good)
    assert site.client.post(URL, json={"inputs": images(1).tolist()}).json()["model"] == good


def test_a_store_that_comes_back_makes_the_deployment_ready(site: Site, tmp_path: Path) -> None:
    model = site.add_model()
    store, away = tmp_path / "ktl" / "store", tmp_path / "away"
    store.rename(away)
    with site.database.write() as session:
        repository.point(session, "default", "pets", model)
    answer = site.client.post(URL, json={"inputs": images(1).tolist()})
    assert "the whole store is away" in problem(answer, 503, "deployment_loading")["detail"]
    problem(site.client.put("/v1/deployments/other", json={"model": model}), 503, "storage_failed")
    shutil.rmtree(store, ignore_errors=True)  # what looked for it may have made it anew
    away.rename(store)
    site.deploy("other", model)  # whose refresh loads what is missing
    assert site.client.post(URL, json={"inputs": images(1).tolist()}).status_code == 200


def test_the_route_is_documented_with_an_example(site: Site) -> None:
    paths = site.client.get("/openapi.json").json()["paths"]
    content = paths["/v1/deployments/{name}/predict"]["post"]["requestBody"]["content"]
    named = {"application/json", "application/x-npy", "image/*", "multipart/form-data"}
    assert content.keys() == named
    route = paths["/v1/deployments/{name}/predict"]["post"]
    assert "| `uint8` | one that does not round to 0 to 255" in route["description"]
    assert [one["name"] for one in route["parameters"]] == ["name", "raw_scores"]
    assert site.client.get(URL).status_code == 405
