import io

import numpy as np
import pytest

from app.cli.supervisor import free_port
from app.client import ApiError, Client, Unreachable, ktl

PREDICTION = {"deployment": "digits", "model": "mdl_1", "outputs": [{"label": "7", "score": 0.9}]}


def test_a_refusal_is_a_problem_with_its_findings(scripted):
    finding = {"detail": "expected 1, got 2", "pointer": "#/seed"}
    scripted.answer(422, {"title": "Invalid", "code": "x", "detail": "no", "errors": [finding]})
    with Client(scripted.url) as client, pytest.raises(ApiError) as caught:
        client.jobs.validate({})
    problem = caught.value
    assert (problem.status, problem.code, problem.detail) == (422, "x", "no")
    assert problem.errors == [finding]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("localhost:8000", "http://localhost:8000"),
        ("127.0.0.1:8000/", "http://127.0.0.1:8000"),
        ("[::1]:8000", "http://[::1]:8000"),
        ("ktl.example.org", "https://ktl.example.org"),
        ("http://ktl.example.org", "http://ktl.example.org"),
    ],
)
def test_an_address_without_a_scheme(written, meant):
    with Client(written) as client:
        assert client.url == meant


@pytest.mark.parametrize(
    ("host", "asked"),
    [
        ("0.0.0.0", "http://127.0.0.1:8001"),
        ("::", "http://[::1]:8001"),
        ("10.0.0.7", "http://10.0.0.7:8001"),
    ],
)
def test_who_listens_everywhere_is_asked_here(host, asked, monkeypatch):
    monkeypatch.delenv("KTL_URL", raising=False)
    monkeypatch.setenv("KTL_HOST", host)
    monkeypatch.setenv("KTL_PORT", "8001")
    with Client() as client:
        assert client.url == asked


def test_a_proxys_page_is_a_problem_too(scripted):
    scripted.answers.append((502, {"Content-Type": "text/html"}, b"<h1>Bad gateway</h1>"))
    with Client(scripted.url) as client, pytest.raises(ApiError) as caught:
        client.jobs.get("job_1")
    assert caught.value.status == 502
    assert "Bad gateway" in caught.value.detail


@pytest.mark.parametrize("status", [502, 504])
def test_waiting_outlasts_a_proxy_whose_service_restarts(scripted, status):
    away = (status, {"Content-Type": "text/html"}, b"<h1>Bad gateway</h1>")
    scripted.answer(200, {"id": "ds_1", "status": "ingesting"})
    scripted.answers += [away, away]
    scripted.answer(200, {"id": "ds_1", "status": "ready"})
    with ktl.Client(scripted.url) as client:
        assert client.datasets.wait("letters").status == "ready"
        scripted.answers[:] = [away]
        with pytest.raises(ApiError, match=str(status)):
            client.datasets.wait("letters", patience_seconds=0.5)
        scripted.answers.clear()
        scripted.answer(403, {"code": "forbidden"})
        with pytest.raises(ApiError, match="forbidden"):
            client.datasets.wait("letters")


def test_503_is_tried_again(scripted):
    scripted.answer(503, {"code": "not_loaded"}, **{"Retry-After": "0"})
    scripted.answer(503, {"code": "not_loaded"})
    scripted.answer(200, PREDICTION)
    with Client(scripted.url) as client:
        assert client.deployments.predict("digits", [[[0]]]).outputs[0].label == "7"
    assert len(scripted.requests) == 3


def test_the_tries_have_an_end(scripted):
    scripted.answer(503, {"code": "not_ready", "detail": "the broker does not answer"})
    with Client(scripted.url) as client, pytest.raises(ApiError, match="not_ready"):
        client.jobs.get("job_1")


def test_a_second_try_to_submit_carries_the_same_idempotency_key(scripted):
    scripted.answer(503, {})
    scripted.answer(422, {"code": "x"})
    with Client(scripted.url) as client, pytest.raises(ApiError):
        client.jobs.submit({})
    first, second = (headers["idempotency-key"] for _, _, headers, _ in scripted.requests)
    assert first == second


def test_an_upload_is_sent_once(scripted, tmp_path):
    (tmp_path / "letters.npz").write_bytes(b"bytes")
    scripted.answer(503, {"code": "x"})
    with Client(scripted.url) as client, pytest.raises(ApiError):
        client.datasets.upload([tmp_path / "letters.npz"])
    assert len(scripted.requests) == 1


def test_no_server_is_unreachable():
    url = f"http://127.0.0.1:{free_port()}"
    with Client(url) as client, pytest.raises(Unreachable, match=url):
        client.jobs.get("job_1")


def test_the_key_is_sent(scripted):
    scripted.answer(200, {"data": [], "has_more": False, "next": None})
    with Client(scripted.url, api_key="ktl_1_2") as client:
        assert list(client.jobs.list()) == []
    assert scripted.requests[0][2]["authorization"] == "Bearer ktl_1_2"


def test_an_answer_without_warnings_has_none(scripted):
    scripted.answer(200, PREDICTION)
    with ktl.Client(scripted.url) as client:
        assert client.deployments.predict("digits", [[[0]]]).warnings == []


def test_an_array_goes_as_npy(scripted):
    images = np.arange(8, dtype=np.uint8).reshape(2, 2, 2)
    scripted.answer(200, PREDICTION)
    with Client(scripted.url) as client:
        client.deployments.predict("digits", images)
    method, path, headers, body = scripted.requests[0]
    assert (method, path) == ("POST", "/v1/deployments/digits/predict")
    assert headers["content-type"] == "application/x-npy"
    np.testing.assert_array_equal(np.load(io.BytesIO(body)), images)


def test_a_download_that_breaks_off_leaves_nothing(scripted, tmp_path):
    scripted.answer(404, {"code": "not_found"})
    with Client(scripted.url) as client, pytest.raises(ApiError):
        client.models.download("mdl_1", tmp_path / "model.onnx")
    assert list(tmp_path.iterdir()) == []


def test_a_proxys_page_is_no_download(scripted, tmp_path):
    scripted.answers.append((200, {"Content-Type": "text/html"}, b"<h1>Log in</h1>"))
    with Client(scripted.url) as client, pytest.raises(Unreachable, match="Log in"):
        client.models.download("mdl_1", tmp_path / "model.onnx")
    assert list(tmp_path.iterdir()) == []


def test_a_download_is_stored(scripted, tmp_path):
    scripted.answers.append((200, {}, b"graph"))
    with Client(scripted.url) as client:
        path = client.models.download("mdl_1", tmp_path / "model.onnx")
    assert path.read_bytes() == b"graph"
    assert scripted.requests[0][1] == "/v1/models/mdl_1/download?format=onnx"
