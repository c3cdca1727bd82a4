"""What goes wrong around a command: files, encodings, what answers at the address. No traceback."""

import json
import os
import subprocess
import sys

import pytest

from tests.client.test_transport import PREDICTION

LISTING = {"data": [], "has_more": False, "next": None}
NOT_UTF8 = os.fsdecode(b"a\xff")
LONG = "x" * 5000


@pytest.fixture
def at(scripted, monkeypatch):
    monkeypatch.setenv("KTL_URL", scripted.url)
    return scripted


def run(scripted, *arguments, **environment):
    """In a process of its own: what it writes, in bytes."""
    return subprocess.run(
        [sys.executable, "-m", "app.cli.main", *arguments],
        check=False,
        env={**os.environ, "KTL_URL": scripted.url, **environment},
        capture_output=True,
    )


@pytest.mark.parametrize(
    "asked",
    [
        ("report", "job_1", "--html"),
        ("predictions", "job_1", "-o"),
        ("models", "show", "mdl_1", "--download"),
    ],
    ids=lambda asked: asked[0],
)
@pytest.mark.parametrize("where", ["missing/file.onnx", "."])
def test_a_place_where_nothing_can_be_written(ktl, at, tmp_path, asked, where):
    at.answers.append((200, {}, MODEL if asked[0] == "models" else b"content"))
    place = tmp_path / where
    ended = ktl(*asked, place)
    assert ended.status == 2
    assert ended.err.startswith(f"{place}: ")
    assert list(tmp_path.iterdir()) == []


MODEL = json.dumps(
    {
        "id": "mdl_1",
        "name": "digits",
        "status": "ready",
        "origin": "imported",
        "job_id": None,
        "signature": None,
        "card": {},
        "hashes": {},
        "deployments": [],
        "error": None,
        "created_at": "2026-01-01T00:00:00Z",
    }
).encode()


def test_files_that_cannot_be_sent(ktl, at, tmp_path):
    for asked in (["datasets", "add", LONG], ["predict", "digits", LONG]):
        assert "File name too long" in ktl(*asked).err
    (tmp_path / "job.json").write_bytes(b"\x93NUMPY\xfe")
    ended = ktl("submit", tmp_path / "job.json")
    assert (ended.status, ended.err) == (
        2,
        f"{tmp_path}/job.json: expected a job as JSON in UTF-8, got other bytes\n",
    )
    assert at.requests == []


@pytest.mark.parametrize(
    "asked", [["job"], ["datasets", "show"], ["submit", "--target", "t", "--source"]], ids=str
)
def test_an_argument_that_is_no_utf8(ktl, at, asked):
    ended = ktl(*asked, NOT_UTF8)
    assert (ended.status, ended.err) == (2, "expected text in UTF-8, got '\\udcff'\n")


@pytest.mark.parametrize(
    "asked",
    [["job"], ["jobs"], ["jobs", "delete"], ["datasets"], ["models"], ["deployments"]],
    ids=" ".join,
)
def test_a_name_that_a_script_left_empty(ktl, at, asked):
    ended = ktl(*asked, "")
    assert ended.status == 2
    assert "got an empty one" in ended.err
    assert at.requests == []


@pytest.mark.parametrize(("name", "sent"), [(".", "%2E"), ("..", "%2E%2E"), ("a.b", "a.b")])
def test_names_of_dots_are_no_steps_of_a_path(ktl, at, name, sent):
    at.answer(404, {"code": "job_not_found", "detail": "no job"})
    assert ktl("job", name).status == 1
    assert at.requests[0][1] == f"/v1/jobs/{sent}"


@pytest.mark.parametrize(
    ("kind", "body", "told"),
    [
        (
            "text/html",
            b"<style>b{}</style><h1>Welcome</h1> to nginx",
            "text/html: Welcome to nginx",
        ),
        ("application/json", b"[]", "application/json: []"),
        ("application/json", b"null", "application/json: null"),
        ("application/json", b"{}", "other JSON"),
    ],
)
def test_another_service_at_the_address(ktl, at, kind, body, told):
    at.answers.append((200, {"Content-Type": kind}, body))
    ended = ktl("jobs")
    assert ended.status == 3
    assert told in ended.err
    assert "KTL_URL names another" in ended.err


def test_a_service_that_has_moved(ktl, at):
    at.answers.append((301, {"Location": "https://elsewhere/v1/jobs"}, b""))
    ended = ktl("jobs")
    assert ended.status == 1
    assert "sent on to https://elsewhere/v1/jobs" in ended.err


def test_an_answer_of_another_release(ktl, at):
    at.answer(200, {"id": "job_1"})
    ended = ktl("job", "job_1")
    assert ended.status == 1
    assert "as this release of ktl has it, got another in `name`" in ended.err


def test_findings_that_are_none_of_ktls(ktl, at):
    at.answer(422, {"detail": [{"msg": "no"}], "errors": "x"}, **{"Retry-After": "²"})
    ended = ktl("jobs")
    assert (ended.status, ended.err) == (1, "422 : [{'msg': 'no'}]\n")


@pytest.mark.parametrize(
    "url", ["http://[::1", "http://127.0.0.1:abc", ":8000", "ftp://x", "http://☃", "http://h?a=b"]
)
def test_an_address_that_is_none(ktl, monkeypatch, url):
    monkeypatch.setenv("KTL_URL", url)
    ended = ktl("jobs")
    assert ended.status == 3
    assert f"cannot reach {url}: expected an address as http://127.0.0.1:8000" in ended.err


@pytest.mark.parametrize("key", ["ünïcode", NOT_UTF8, "a\nb"])
def test_a_key_that_no_header_can_carry(ktl, at, monkeypatch, key):
    monkeypatch.setenv("KTL_API_KEY", key)
    ended = ktl("jobs")
    assert ended.status == 3
    assert "expected a key as ktl_… (KTL_API_KEY)" in ended.err
    assert at.requests == []


def test_a_key_as_a_file_has_it(ktl, at, monkeypatch):
    at.answer(200, LISTING)
    monkeypatch.setenv("KTL_API_KEY", " ktl_1_2\r\n")
    assert ktl("jobs").status == 0
    assert at.requests[0][2]["authorization"] == "Bearer ktl_1_2"


def test_a_terminal_of_another_encoding(at):
    output = {"label": "猫 😀", "score": 0.5}
    at.answer(200, {**PREDICTION, "outputs": [output], "warnings": []})
    asked = ("predict", "cats", "--text", "a")
    narrow = {"PYTHONIOENCODING": "latin-1"}
    table = run(at, *asked, **narrow)
    assert (table.returncode, b"\\u732b \\U0001f600" in table.stdout) == (0, True)
    said = run(at, *asked, "--json", **narrow)
    assert json.loads(said.stdout)["outputs"][0]["label"] == "猫 😀"


@pytest.mark.parametrize("redirected", [">&-", ">/dev/full"])
def test_an_output_that_takes_nothing(at, redirected):
    at.answer(200, LISTING)
    command = f'"{sys.executable}" -m app.cli.main jobs {redirected}'
    ended = subprocess.run(
        command,
        shell=True,
        check=False,
        env={**os.environ, "KTL_URL": at.url},
        capture_output=True,
        text=True,
    )
    assert "Traceback" not in ended.stderr
    assert ("No space left on device" in ended.stderr) == (redirected == ">/dev/full")
