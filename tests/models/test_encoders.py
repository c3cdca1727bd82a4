"""Encoders of texts that a project adds, over HTTP, with a worker's steps between."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from app.access.authentication import DEFAULT_PROJECT
from app.database import Database
from app.encoders import repository as encoders
from app.main import create_app
from app.models.encoders import named
from app.prediction.served import ServedModels
from app.settings import Settings
from app.storage import UPLOADS, Storage
from app.tables.datasets import DatasetRow
from app.tables.encoders import EncoderRow
from app.tables.jobs import JobRow
from app.tables.models import ModelRow
from app.usage import repository as usage
from tests.encoders import tiny
from tests.encoders.texts import add_texts
from tests.encoders.tokens_graph import vectors_graph
from tests.importing import hub_server
from tests.importing.hub_server import COMMIT, Hub
from tests.models.test_importing import model_of, stored, work_on
from tests.prediction.site import problem
from tests.serving import serve
from tests.trials.jobs import SMALL
from worker.importing import hub as fetching
from worker.machine.context import WorkerContext
from worker.process import runner

pytest.importorskip("tokenizers", reason="needs the extra `text`")
FILES = ("model.onnx", "tokenizer.json", "encoder.json")


@pytest.fixture
def settings(settings: Settings, database: Database) -> Settings:
    url = database.engine.url.render_as_string(hide_password=False)
    return settings.model_copy(update={"database_url": url, "broker_url": "memory://"})


@pytest.fixture
def context(
    database: Database, settings: Settings, storage: Storage, tmp_path: Path
) -> WorkerContext:
    (tmp_path / "slots").mkdir()
    return WorkerContext(settings, database, storage, tmp_path / "slots", lambda: False)


@pytest.fixture
def client(settings: Settings) -> Iterator[httpx.Client]:
    with serve(create_app(settings)) as client:
        yield client


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "tiny"
    path.mkdir()
    tiny.tiny(path)
    return path


def send(client: httpx.Client, folder: Path, name: str = "mine", **changes: Any) -> httpx.Response:
    """`changes`: of which files, by their names without the ending."""
    spec = json.dumps({"kind": "encoder", "name": name})
    files = [("file", (each, (folder / each).read_bytes())) for each in FILES]
    return client.post("/v1/models", files=changes.get("files", files), data={"spec": spec})


def added(client: httpx.Client, context: WorkerContext, folder: Path, name: str = "mine") -> Any:
    answer = send(client, folder, name)
    assert answer.status_code == 202, answer.text
    work_on(context)
    return model_of(client, answer.json()["id"])


def asked(source: str, target: str, encoder: str) -> dict[str, Any]:
    params = {"encoder": encoder, "hidden": [8]}
    return {
        **SMALL,
        "sources": [{"dataset": source}],
        "target": {"dataset": target},
        "model": {"backbone": "sentence_encoder", "params": params},
        "deploy": {"name": "reviews", "when": "always", "vocabulary": "seen"},
    }


def test_a_job_stands_on_an_uploaded_encoder_by_its_name(
    client: httpx.Client, context: WorkerContext, folder: Path, tmp_path: Path, settings: Settings
) -> None:
    found = added(client, context, folder)
    assert (found["status"], found["error"]) == ("ready", None)
    assert found["card"]["encoder"]["dimension"] == tiny.DIMENSION
    assert {"encoder", "tokenizer"} == set(found["hashes"])
    assert not stored(settings, UPLOADS)
    problem(client.put("/v1/deployments/d", json={"model": found["id"]}), 422, "model_without_head")
    source, target = (add_texts(context, tmp_path, name) for name in ("source", "target"))
    _own(context, source, target)
    as_source = {**asked(source, target, "mine"), "sources": [{"model": found["id"]}]}
    problem(client.post("/v1/jobs", json=as_source), 422, "model_is_an_encoder")
    answer = client.post("/v1/jobs", json=asked(source, target, "mine"))
    assert answer.status_code == 202, answer.text
    job_id = answer.json()["id"]
    chosen = {each["field"]: each["chosen"] for each in answer.json()["selection"]}
    assert chosen["model.params.encoder"] == found["id"]
    problem(client.delete(f"/v1/models/{found['id']}"), 409, "model_in_use")
    runner.train(context, "w")
    runner.finalise(context, job_id, "w")
    with context.database.read() as session:
        job = session.get_one(JobRow, job_id)
        assert job.status == "succeeded", job.error
        model = session.get_one(ModelRow, job.model_id or "")
    told = model.card["vocabulary"]  # of single letters all stay
    assert (told["pieces"], told["test_texts_with_the_same_tokens"]) == (told["of"], 6)
    loaded = ServedModels(context.database, context.storage).load(model)
    answers = loaded.session.answers(loaded.inputs.decode(["so nice"], "#")["text"])
    assert np.isfinite(answers).all()

    assert client.delete(f"/v1/models/{found['id']}").status_code == 204
    with context.database.write() as session:
        usage.purge(session)
    with context.database.read() as session:
        assert session.query(EncoderRow).all() == []
    again = client.post("/v1/jobs", json=asked(source, target, "mine"))
    gone = problem(again, 422, "unknown_encoder")
    assert gone["errors"][0]["pointer"] == "#/model/params/encoder"


def _own(context: WorkerContext, *datasets: str) -> None:
    with context.database.write() as session:
        for dataset in datasets:
            session.get_one(DatasetRow, dataset).project = DEFAULT_PROJECT


def test_of_two_with_a_name_the_newer_is_meant_and_others_have_none(
    client: httpx.Client, context: WorkerContext, folder: Path
) -> None:
    added(client, context, folder)
    tiny.write_facts(tiny.Folder(folder), prefix="q: ")
    newer = added(client, context, folder)
    with context.database.read() as session:
        found = named(session, DEFAULT_PROJECT, "mine")
        assert found is not None
        assert found.model == newer["id"]
        assert encoders.find(session, found) is not None
        assert named(session, "another", "mine") is None


@pytest.mark.parametrize(
    ("break_it", "says"),
    [
        (lambda path: (path / "model.onnx").write_bytes(b"no graph"), "of sha256"),
        (lambda path: tiny.tiny(path, pieces=5), "another encoder's"),
        (lambda path: tiny.tiny(path, dimension=7), "expected features of 7 numbers"),
    ],
)
def test_what_is_none_is_refused_and_not_kept(
    client: httpx.Client,
    context: WorkerContext,
    folder: Path,
    settings: Settings,
    break_it: Any,
    says: str,
) -> None:
    break_it(folder)
    found = added(client, context, folder)
    assert found["status"] == "failed"
    assert found["error"]["code"] == "encoder_refused"
    assert says in found["error"]["message"]
    assert not stored(settings, UPLOADS)
    with context.database.read() as session:
        assert session.query(EncoderRow).all() == []


def test_bodies_that_are_none(client: httpx.Client, folder: Path) -> None:
    files = [("file", (each, b"{}")) for each in FILES[:2]]
    problem(send(client, folder, files=files), 422, "unexpected_file")
    no_facts = [("file", (each, b"{}")) for each in FILES]
    answer = send(client, folder, files=no_facts)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"].startswith("#/file/encoder.json")
    assert send(client, folder, name="multilingual-e5-small").status_code == 422
    body = {"kind": "encoder", "name": "x"}
    problem(client.post("/v1/models", json=body), 422, "missing_field")
    for origin in ("hf:tiny@main", "hf:org/tiny", "hf:../tiny@main", "https://example.org/x@main"):
        assert client.post("/v1/models", json={**body, "from": origin}).status_code == 422


POOLING = {"word_embedding_dimension": 4, "pooling_mode_mean_tokens": True}
MODULES = [{"type": f"sentence_transformers.models.{each}"} for each in ("Transformer", "Pooling")]


@pytest.fixture
def hub(folder: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setattr(fetching, "PAUSE_SECONDS", 0.0)
    config = {"hidden_size": tiny.DIMENSION, "max_position_embeddings": 16, "pad_token_id": 1}
    files = {
        "config.json": json.dumps(config).encode(),
        "tokenizer.json": (folder / "tokenizer.json").read_bytes(),
        "onnx/model.onnx": vectors_graph().SerializeToString(),
        "1_Pooling/config.json": json.dumps(POOLING).encode(),
        "modules.json": json.dumps(MODULES).encode(),
        "pytorch_model.bin": b"never asked for",
    }
    with hub_server.serving(Hub(files)) as hub:
        object.__setattr__(settings, "hub_url", hub.url)
        yield hub


def from_hub(client: httpx.Client, context: WorkerContext, revision: str) -> Any:
    body = {"kind": "encoder", "name": "far", "from": f"hf:org/tiny@{revision}"}
    answer = client.post("/v1/models", json=body)
    assert answer.status_code == 202, answer.text
    work_on(context)
    return model_of(client, answer.json()["id"])


def test_a_branch_of_the_hub_becomes_a_commit(
    client: httpx.Client, context: WorkerContext, hub: Hub
) -> None:
    with context.database.read() as session, pytest.raises(Exception, match="ktl models add hf:"):
        named(session, DEFAULT_PROJECT, f"hf:org/tiny@{COMMIT}")
    found = from_hub(client, context, "main")
    assert (found["status"], found["error"]) == ("ready", None)
    told = found["card"]["imported"]["hub"]
    assert (told["revision"], told["commit"]) == ("main", COMMIT)
    assert len(told["files"]["onnx/model.onnx"]["sha256"]) == 64
    resolved = [path for path in hub.asked if "/resolve/" in path]
    assert [path for path in resolved if COMMIT not in path] == [
        "/org/tiny/resolve/main/config.json"
    ]
    assert not any("pytorch" in path for path in hub.asked)
    with context.database.read() as session:
        for called in ("far", f"hf:org/tiny@{COMMIT}", "hf:org/tiny@main"):
            encoder = named(session, DEFAULT_PROJECT, called)
            assert encoder is not None
            assert encoder.max_tokens == 16


@pytest.mark.parametrize(
    ("change", "code", "says"),
    [
        ({"says": ""}, "not_a_commit", "expected a commit of 40 digits"),
        ({"repository": "org/other"}, "not_on_hub", "got none: another name"),
        ({"lies": True}, "download_failed", "another sha256 than the hub says"),
    ],
)
def test_a_hub_that_does_not_hold_what_was_asked_for(
    client: httpx.Client,
    context: WorkerContext,
    hub: Hub,
    change: dict[str, Any],
    code: str,
    says: str,
) -> None:
    for name, value in change.items():
        setattr(hub, name, value)
    error = from_hub(client, context, "main")["error"]
    assert error["code"] == code
    assert says in error["message"]


@pytest.mark.parametrize(
    ("file", "content", "code"),
    [
        ("1_Pooling/config.json", {"pooling_mode_lasttoken": True}, "unknown_pooling"),
        ("modules.json", [{"type": "sentence_transformers.models.Dense"}], "unknown_module"),
        ("config.json", {"hidden_size": "many"}, "not_an_encoder"),
        ("modules.json", 3, "not_an_encoder"),
    ],
)
def test_repositories_that_are_no_encoders(
    client: httpx.Client, context: WorkerContext, hub: Hub, file: str, content: Any, code: str
) -> None:
    hub.files[file] = json.dumps(content).encode()
    assert from_hub(client, context, COMMIT)["error"]["code"] == code


def test_what_is_too_large_ends_where_it_is(
    client: httpx.Client, context: WorkerContext, hub: Hub, settings: Settings
) -> None:
    object.__setattr__(settings, "hub_limit_bytes", 1000)
    error = from_hub(client, context, COMMIT)["error"]
    assert "expected at most" in error["message"]


def test_offline_nothing_is_fetched(settings: Settings, hub: Hub) -> None:
    object.__setattr__(settings, "offline", True)
    body = {"kind": "encoder", "name": "far", "from": f"hf:org/tiny@{COMMIT}"}
    with serve(create_app(settings)) as client:
        found = problem(client.post("/v1/models", json=body), 422, "offline")
    assert "ktl models add FOLDER" in found["detail"]
    assert hub.asked == []
