"""Networks that were trained elsewhere, over HTTP, with a worker's steps between."""

import json
from pathlib import Path
from typing import Any

import httpx
import keras
import numpy as np
import onnxruntime
import pytest

from app.access.authentication import DEFAULT_PROJECT
from app.database import Database
from app.jobs import recovery, work
from app.main import create_app
from app.messages import ImportModel
from app.settings import Settings
from app.storage import UPLOADS, Storage
from app.tables.model_imports import ModelImportRow
from app.tables.models import ModelRow
from app.usage import repository as usage
from tests.importing import archives
from tests.prediction.site import problem
from tests.serving import serve
from worker.machine.context import WorkerContext
from worker.process import runner


@pytest.fixture
def settings(settings: Settings, database: Database) -> Settings:
    url = database.engine.url.render_as_string(hide_password=False)
    limit = 2_000_000
    return settings.model_copy(
        update={"database_url": url, "broker_url": "memory://", "upload_limit_bytes": limit}
    )


@pytest.fixture
def context(
    database: Database, settings: Settings, storage: Storage, tmp_path: Path
) -> WorkerContext:
    slots = tmp_path / "slots"
    slots.mkdir()
    return WorkerContext(settings, database, storage, slots, is_draining=lambda: False)


@pytest.fixture
def client(settings: Settings) -> Any:
    with serve(create_app(settings)) as client:
        yield client


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, keras.Model]:
    model = archives.plane()
    return archives.saved(model, tmp_path_factory.mktemp("archives") / "plane.keras"), model


def send(
    client: httpx.Client, content: bytes, spec: Any = None, name: str = "n.keras", **headers: str
) -> httpx.Response:
    said = json.dumps(archives.spec() if spec is None else spec)
    files = {"file": (name, content)}
    return client.post("/v1/models", files=files, data={"spec": said}, headers=headers)


def sent(client: httpx.Client, path: Path, **members: Any) -> str:
    answer = send(client, path.read_bytes(), archives.spec(**members))
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def work_on(context: WorkerContext) -> None:
    """What a worker does whom the message wakes."""
    with context.database.read() as session:
        waiting = [each for each in work.waiting(session, 8) if isinstance(each, ImportModel)]
    for message in waiting:
        runner.import_model(context, message.import_id, "w")


def model_of(client: httpx.Client, model_id: str) -> dict[str, Any]:
    found: dict[str, Any] = client.get(f"/v1/models/{model_id}").json()
    return found


def stored(settings: Settings, folder: str) -> list[Path]:
    root = Path(settings.storage) / folder
    return [path for path in root.rglob("*") if path.is_file()]


def test_a_network_is_imported_listed_served_and_deleted(
    client: httpx.Client,
    context: WorkerContext,
    settings: Settings,
    tmp_path: Path,
    plane: tuple[Path, keras.Model],
) -> None:
    path, model = plane
    answer = send(client, path.read_bytes())
    assert answer.status_code == 202
    told = answer.json()
    assert (told["origin"], told["status"], told["signature"]) == ("imported", "importing", None)
    assert answer.headers["location"] == f"/v1/models/{told['id']}"
    problem(client.put("/v1/deployments/d", json={"model": told["id"]}), 409, "model_not_ready")
    problem(client.get(f"/v1/models/{told['id']}/download"), 404, "no_such_format")

    work_on(context)
    found = model_of(client, told["id"])
    assert (found["status"], found["error"]) == ("ready", None)
    assert found["signature"]["inputs"]["shape"] == [6, 5, 1]
    assert found["signature"]["inputs"]["value_range"] == [0, 255]
    assert found["signature"]["task"]["classes"] == archives.CLASSES
    assert found["card"]["network"]["backbone"] == "imported"
    assert found["card"]["imported"]["format"] == "keras"
    assert {"onnx", "keras", "golden", "weights"} == set(found["hashes"])
    assert not stored(settings, UPLOADS)
    listed = client.get("/v1/models").json()["data"]
    assert [(each["id"], each["origin"]) for each in listed] == [(told["id"], "imported")]

    raw = np.random.default_rng(3).integers(0, 256, (4, 6, 5, 1)).astype(np.float32)
    graph = client.get(f"/v1/models/{told['id']}/download").content
    (answered,) = onnxruntime.InferenceSession(graph).run(None, {"inputs": raw})
    np.testing.assert_allclose(answered, model(raw[..., 0]), atol=1e-5)
    assert client.put("/v1/deployments/d", json={"model": told["id"]}).status_code == 201
    asked = client.post("/v1/deployments/d/predict", json={"inputs": raw.tolist()}).json()
    best = np.asarray(model(raw[..., 0])).argmax(1)
    assert [o["label"] for o in asked["outputs"]] == [archives.CLASSES[k] for k in best]

    assert client.delete("/v1/deployments/d").status_code == 204
    assert client.delete(f"/v1/models/{told['id']}").status_code == 204
    with context.database.write() as session:
        assert usage.references(session, DEFAULT_PROJECT)["models"] == set()
        usage.purge(session)
    with context.database.read() as session:
        assert session.query(ModelImportRow).count() == session.query(ModelRow).count() == 0


def test_a_refused_file_says_why_and_leaves_nothing(
    client: httpx.Client,
    context: WorkerContext,
    settings: Settings,
    plane: tuple[Path, keras.Model],
) -> None:
    model_id = sent(client, plane[0], classes=["a", "b"])
    work_on(context)
    found = model_of(client, model_id)
    assert (found["status"], found["signature"], found["hashes"]) == ("failed", None, {})
    assert found["error"]["code"] == "class_count"
    assert found["error"]["param"] == "#/spec/classes"
    assert (found["error"]["failure"], found["error"]["stage"]) == ("model_invalid", "import")
    assert not [p for folder in (UPLOADS, "files") for p in stored(settings, folder)]
    job = {"sources": [{"model": model_id}], "target": {"dataset": "catalog:mnist"}}
    body = problem(client.post("/v1/jobs", json=job), 422, "model_failed")
    assert body["errors"][0]["pointer"] == "#/sources/0/model"
    problem(client.put("/v1/deployments/d", json={"model": model_id}), 422, "model_failed")
    assert client.delete(f"/v1/models/{model_id}").status_code == 204


def test_features_without_a_head_are_no_endpoint(
    client: httpx.Client, context: WorkerContext, plane: tuple[Path, keras.Model]
) -> None:
    model_id = sent(client, plane[0], classes=None, head="drop")
    work_on(context)
    found = model_of(client, model_id)
    assert (found["status"], set(found["hashes"])) == ("ready", {"weights"})
    assert found["signature"]["task"]["classes"] == []
    problem(client.put("/v1/deployments/d", json={"model": model_id}), 422, "model_without_head")


def test_an_import_that_loses_its_worker_goes_on(
    client: httpx.Client,
    context: WorkerContext,
    settings: Settings,
    plane: tuple[Path, keras.Model],
) -> None:
    model_id = sent(client, plane[0])
    with context.database.write() as session:
        row = session.query(ModelImportRow).one()
        row.status, row.token, row.owner, row.lease_until, row.attempt = "running", "t", "w", 0, 1
        import_id = row.id
    recovery.recover(context.database, settings)
    with context.database.read() as session:
        assert ImportModel(import_id) in work.waiting(session, 8)
    few = settings.model_copy(update={"max_attempts": 1})
    with context.database.write() as session:
        row = session.query(ModelImportRow).one()
        row.status, row.token, row.owner, row.lease_until = "running", "t", "w", 0
    recovery.recover(context.database, few)
    found = model_of(client, model_id)
    assert (found["status"], found["error"]["code"]) == ("failed", "worker_lost")


def test_one_that_is_deleted_meanwhile_is_not_revived(
    client: httpx.Client,
    context: WorkerContext,
    settings: Settings,
    plane: tuple[Path, keras.Model],
) -> None:
    model_id = sent(client, plane[0])
    assert client.delete(f"/v1/models/{model_id}").status_code == 204
    work_on(context)
    problem(client.get(f"/v1/models/{model_id}"), 404, "model_not_found")
    assert not stored(settings, UPLOADS)


@pytest.mark.parametrize(
    ("content", "name", "code"),
    [
        (b"PK\x03\x04", "n.h5", "unknown_format"),
        (b"\x89HDF\r\n", "n.keras", "unknown_format"),
        (b"", "n.keras", "unknown_format"),
        (b"\x80\x04\x95", "n.pkl", "unknown_format"),
    ],
)
def test_what_is_no_archive_is_refused_at_once(
    client: httpx.Client, settings: Settings, content: bytes, name: str, code: str
) -> None:
    body = problem(send(client, content, name=name), 422, code)
    assert body["errors"][0]["pointer"] == "#/file"
    assert name not in json.dumps(body)
    assert not stored(settings, UPLOADS)
    assert client.get("/v1/models").json()["data"] == []


SAID = archives.spec()


@pytest.mark.parametrize(
    ("spec", "code", "pointer"),
    [
        ({**SAID, "classes": None}, "invalid_value", "#/spec"),
        ({**SAID, "classes": ["a", "a"]}, "invalid_value", "#/spec"),
        ({**SAID, "classes": ["a"]}, "invalid_value", "#/spec/classes"),
        ({**SAID, "head": "drop"}, "invalid_value", "#/spec"),
        ({**SAID, "inputs": {}}, "missing_field", "#/spec/inputs/expects"),
        ({**SAID, "inputs": {"expects": [1, 1]}}, None, "#/spec/inputs/expects"),
        ({**SAID, "inputs": {"expects": [0, 1], "shape": [6, 5, 2]}}, None, "#/spec/inputs"),
        ({**SAID, "weights": "x"}, "unknown_field", "#/spec/weights"),
        ({**SAID, "inputs": {"expects": [0, 1], "modality": "text"}}, None, "#/spec/inputs"),
        ([], None, "#/spec"),
    ],
)
def test_a_spec_that_says_too_little_or_too_much(
    client: httpx.Client, spec: Any, code: str | None, pointer: str
) -> None:
    answer = send(client, b"PK\x03\x04", spec)
    assert answer.status_code == 422, answer.text
    body = answer.json()
    assert code in (None, body["code"])
    assert body["errors"][0]["pointer"].startswith(pointer)


def test_one_file_comes_and_no_more(client: httpx.Client) -> None:
    files = [("file", ("a.keras", b"PK\x03\x04")), ("file", ("b.keras", b"PK\x03\x04"))]
    data = {"spec": json.dumps(SAID)}
    problem(client.post("/v1/models", files=files, data=data), 422, "too_many_files")
    problem(client.post("/v1/models", files=files[:1]), 422, "missing_field")
    problem(client.post("/v1/models", json=SAID), 415, "unsupported_media_type")
    large = send(client, b"PK\x03\x04" + bytes(2_000_001))
    problem(large, 413, "too_large")


def test_the_same_request_twice_is_one_model(
    client: httpx.Client, settings: Settings, plane: tuple[Path, keras.Model]
) -> None:
    content = plane[0].read_bytes()
    first, second = (send(client, content, **{"Idempotency-Key": "k"}) for _ in range(2))
    assert first.json()["id"] == second.json()["id"]
    assert len(stored(settings, UPLOADS)) == 1
    other = send(client, content, archives.spec(name="o"), **{"Idempotency-Key": "k"})
    problem(other, 422, "idempotency_key_reused")
