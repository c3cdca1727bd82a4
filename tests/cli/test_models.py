"""`ktl models …`: networks that were trained elsewhere, from a file to a model."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Ktl
from tests.client.conftest import Scripted

MODEL: dict[str, Any] = {
    "id": "mdl_1",
    "name": "digits",
    "origin": "imported",
    "status": "importing",
    "signature": None,
    "card": {},
    "hashes": {},
    "deployments": [],
    "created_at": "2026-01-01T00:00:00Z",
}


@pytest.fixture
def file(tmp_path: Path, scripted: Scripted, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KTL_URL", scripted.url)
    path = tmp_path / "digits.keras"
    path.write_bytes(b"PK\x03\x04")
    return path


def sent(scripted: Scripted) -> dict[str, Any]:
    """The part `spec` of the first request."""
    method, path, headers, body = scripted.requests[0]
    assert (method, path) == ("POST", "/v1/models")
    assert "idempotency-key" in headers
    _, _, after = body.partition(b'name="spec"\r\n\r\n')
    found: dict[str, Any] = json.loads(after.partition(b"\r\n--")[0])
    return found


def test_a_network_is_added_and_waited_for(ktl: Ktl, scripted: Scripted, file: Path) -> None:
    scripted.answer(202, MODEL)
    scripted.answer(200, MODEL)
    scripted.answer(200, {**MODEL, "status": "ready"})
    told = ("--class", "a", "--class", "b", "--expects", 0, 1, "--shape", 28, 28, 1)
    added = ktl("models", "add", file, *told)
    assert added.status == 0, added.err
    assert "ready" in added.out
    assert sent(scripted) == {
        "name": "digits",
        "classes": ["a", "b"],
        "inputs": {"expects": [0, 1], "shape": [28, 28, 1]},
    }


def test_what_is_said_in_a_file_and_beside_it(ktl: Ktl, scripted: Scripted, file: Path) -> None:
    scripted.answer(202, MODEL)
    spec = file.with_name("spec.json")
    spec.write_text(json.dumps({"name": "n", "inputs": {"expects": [0, 255]}, "head": "none"}))
    added = ktl("models", "add", file, "--spec", spec, "--head", "drop", "--no-wait", "--json")
    assert json.loads(added.out)["status"] == "importing"
    assert sent(scripted) == {"name": "n", "inputs": {"expects": [0, 255]}, "head": "drop"}


def test_a_refusal_is_said_and_is_the_exit_status(ktl: Ktl, scripted: Scripted, file: Path) -> None:
    error = {"code": "code_in_model", "message": "expected no Lambda"}
    scripted.answer(202, {**MODEL, "status": "failed", "error": error})
    added = ktl("models", "add", file, "--expects", 0, 1)
    assert added.status == 1
    assert "code_in_model: expected no Lambda" in added.err
    assert ktl("models", "add", file.with_name("none.keras")).status == 2


def test_models_are_listed_and_shown_without_a_word_between(
    ktl: Ktl, scripted: Scripted, file: Path
) -> None:
    scripted.answer(200, {"data": [MODEL], "has_more": False, "next": None})
    scripted.answer(200, MODEL)
    assert "imported, importing" in ktl("models").out
    assert json.loads(ktl("models", "mdl_1", "--json").out)["id"] == "mdl_1"
    assert "add" in ktl("models", "--help").out


def test_an_encoder_is_a_folder_of_three_files(
    ktl: Ktl, scripted: Scripted, file: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "reviews"
    folder.mkdir()
    (folder / "model.onnx").write_bytes(b"graph")
    lacking = ktl("models", "add", folder)
    assert lacking.status == 2
    assert "expected tokenizer.json, encoder.json" in lacking.err
    for name in ("tokenizer.json", "encoder.json"):
        (folder / name).write_text("{}")
    scripted.answer(202, MODEL)
    added = ktl("models", "add", folder, "--no-wait")
    assert added.status == 0, added.err
    assert sent(scripted) == {"kind": "encoder", "name": "reviews"}
    body = scripted.requests[0][3]
    assert body.count(b'name="file"; filename="') == 3


def test_an_encoder_of_the_hub_is_named(ktl: Ktl, scripted: Scripted, file: Path) -> None:
    assert ktl("models", "add", "hf:org/tiny").status == 2
    scripted.answer(202, MODEL)
    added = ktl("models", "add", "hf:org/tiny@main", "--prefix", "query: ", "--no-wait")
    assert added.status == 0, added.err
    assert json.loads(scripted.requests[0][3]) == {
        "kind": "encoder",
        "name": "org/tiny",
        "from": "hf:org/tiny@main",
        "prefix": "query: ",
    }
