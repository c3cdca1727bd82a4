"""POST /v1/datasets, through the public door."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from app.database import Database
from app.errors import FailureCode, WorkFailure
from app.settings import Settings
from app.storage import Storage
from app.turns import WRITES
from tests.datasets.conftest import UPLOAD_LIMIT
from tests.intake.archives import arrays, npz_bytes

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

CONTENT = npz_bytes(**arrays())
SPEC = json.dumps({"name": "letters"})
Parts = list[tuple[str, Any]]


def parts(spec: str | None = SPEC, files: dict[str, bytes] | None = None, **others: str) -> Parts:
    held = {"letters.npz": CONTENT} if files is None else files
    fields = others if spec is None else {"spec": spec, **others}
    return [
        *((name, (None, value)) for name, value in fields.items()),
        *(("file", (name, content)) for name, content in held.items()),
    ]


def post(client: httpx.Client, files: Parts, **headers: str) -> httpx.Response:
    return client.post("/v1/datasets", files=files, headers=headers)


def test_an_upload_is_stored_and_waits_for_a_worker(
    client: httpx.Client, storage: Storage, settings: Settings
) -> None:
    answer = post(client, parts(files={"letters.npz": CONTENT, "../../etc/more.gz": b"x" * 9}))
    assert answer.status_code == 202
    dataset = answer.json()
    assert answer.headers["Location"] == f"/v1/datasets/{dataset['id']}"
    assert answer.headers["Retry-After"] == "1"
    assert (dataset["name"], dataset["status"]) == ("letters", "ingesting")
    assert dataset["origin"] == "upload"
    assert dataset["schema"] is None
    assert client.get(answer.headers["Location"]).json() == dataset
    stored = list(Path(settings.storage, "uploads").iterdir())
    assert sorted(path.suffix for path in stored) == [".gz", ".npz"]
    assert CONTENT in [path.read_bytes() for path in stored]
    assert not list((settings.cache_dir / "incoming").iterdir())


def test_the_order_of_the_parts_does_not_matter(client: httpx.Client) -> None:
    assert post(client, list(reversed(parts()))).status_code == 202


@pytest.mark.parametrize(
    ("sent", "status", "code", "pointer"),
    [
        (parts(spec=None), 422, "missing_field", "#/spec"),
        (parts(files={}), 422, "missing_field", "#/file"),
        (parts(spec="{"), 400, "invalid_json", None),
        (parts(spec="[]"), 422, "invalid_value", "#/spec"),
        (parts(spec="{}"), 422, "missing_field", "#/spec/name"),
        (parts(spec='{"name": "a", "nmae": "b"}'), 422, "unknown_field", "#/spec/nmae"),
        (parts(spec='{"name": "a", "test_fraction": 1}'), 422, "invalid_value", None),
        (parts(spec='{"name": "a", "modality": "smell"}'), 422, "unknown_choice", None),
        (parts(spec='{"name": "' + "a" * 70_000 + '"}'), 413, "too_large", "#/spec"),
        (parts(split="0.5"), 422, "unknown_field", "#/split"),
        (parts(files={str(n): b"x" for n in range(1001)}), 422, "too_many_files", "#/file"),
        (parts(spec='{"name": "a", "image_size": [0, 8]}'), 422, "invalid_value", None),
        (parts(spec='{"name": "a", "image_size": [8]}'), 422, "missing_field", None),
        (parts(spec='{"name": "a", "image_size": [4096, 4096]}'), 422, "invalid_value", None),
        (parts(files={"a.npz": b"x" * UPLOAD_LIMIT}), 413, "too_large", None),
    ],
)
def test_a_bad_upload_is_refused(
    client: httpx.Client,
    settings: Settings,
    sent: Parts,
    status: int,
    code: str,
    pointer: str | None,
) -> None:
    answer = post(client, sent)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (status, code)
    if pointer:
        assert problem["errors"][0]["pointer"] == pointer
    assert client.get("/v1/datasets").json()["data"] == []
    assert not list((settings.cache_dir / "incoming").iterdir())


def test_a_body_without_a_length_is_counted(client: httpx.Client) -> None:
    def body() -> Iterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.npz"\r\n\r\n'
        for _ in range(UPLOAD_LIMIT // 1000):
            yield b"x" * 1000

    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    answer = client.post("/v1/datasets", content=body(), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


@pytest.mark.parametrize(
    ("content_type", "body", "status", "code"),
    [
        ("multipart/form-data; boundary=b", b"--b\r\nContent-Dis", 400, "invalid_multipart"),
        ("multipart/form-data; boundary=b", b"no parts at all", 400, "invalid_multipart"),
        ("multipart/form-data", b"--b--", 400, "invalid_multipart"),
        ("multipart/form-data; boundary=b", b"", 400, "invalid_multipart"),
        ("text/csv", b"a,b", 415, "unsupported_media_type"),
        ("", b"a,b", 415, "unsupported_media_type"),
        ("application/json", b"{", 400, "invalid_json"),
        ("application/json", b"\xff", 400, "invalid_json"),
        ("application/json", b'{"from": "catalog:' + b"a" * 70_000, 413, "too_large"),
    ],
)
def test_an_unreadable_body_is_refused(
    client: httpx.Client, content_type: str, body: bytes, status: int, code: str
) -> None:
    answer = client.post("/v1/datasets", content=body, headers={"Content-Type": content_type})
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_repeated_upload_with_one_key_is_one_dataset(
    client: httpx.Client, settings: Settings
) -> None:
    first = post(client, parts(), **{"Idempotency-Key": "k"})
    again = post(client, parts(), **{"Idempotency-Key": "k"})
    assert again.status_code == 202
    assert again.json() == first.json()
    other = post(client, parts(files={"letters.npz": b"other"}), **{"Idempotency-Key": "k"})
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert len(client.get("/v1/datasets").json()["data"]) == 1
    assert len(list(Path(settings.storage, "uploads").iterdir())) == 1


@pytest.fixture
def _broken_store(settings: Settings) -> None:
    Path(settings.storage).parent.mkdir(parents=True, exist_ok=True)
    Path(settings.storage).write_text("a file where the store's folder should be")


@pytest.mark.usefixtures("_broken_store")
def test_a_store_that_fails_is_said(client: httpx.Client) -> None:
    answer = post(client, parts())
    assert (answer.status_code, answer.json()["code"]) == (503, "storage_failed")
    assert client.get("/v1/datasets").json()["data"] == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("value_range", [255, 0]),
        ("value_range", [3, 3]),
        ("value_range", [0]),
        ("value_range", [0, 1, 2]),
        ("value_range", [0, "NaN"]),
        ("value_range", [0, 1e300]),
        ("value_range", "0..255"),
        ("missing_label", 1.5),
        ("missing_label", True),
        ("missing_label", ["nan"]),
        ("missing_label", "a" * 201),
    ],
)
def test_a_spec_that_says_nothing_sensible_of_values_or_labels(
    client: httpx.Client, field: str, value: Any
) -> None:
    answer = post(client, parts(json.dumps({"name": "letters", field: value})))
    assert answer.status_code == 422
    errors = answer.json()["errors"]
    assert all(error["pointer"].startswith(f"#/spec/{field}") for error in errors)
    assert all(error["detail"].startswith("expected ") for error in errors)


@pytest.mark.parametrize(
    "said", [{"value_range": [0, 16]}, {"missing_label": None}, {"missing_label": -1}]
)
def test_a_spec_may_say_what_values_and_labels_mean(
    client: httpx.Client, said: dict[str, Any]
) -> None:
    answer = post(client, parts(json.dumps({"name": "letters", **said})))
    assert answer.status_code == 202


def uploads(settings: Settings) -> list[Path]:
    folder = Path(settings.storage, "uploads")
    return [*folder.iterdir()] if folder.exists() else []


def test_of_files_that_are_not_all_stored_none_is_kept(
    client: httpx.Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What takes up a disk that has just become full would stay for an hour."""
    write, written = Storage.write_upload, list[str]()

    def fill(self: Storage, source: Path) -> str:
        if written:
            raise WorkFailure(FailureCode.DISK_FULL, "storing test.npz: No space left on device")
        written.append(write(self, source))
        return written[0]

    monkeypatch.setattr(Storage, "write_upload", fill)
    two = {"train.csv": b"a,label\n1,x\n", "test.csv": b"a,label\n1,x\n"}
    answer = post(client, parts(files=two))
    assert (answer.status_code, answer.json()["code"]) == (503, "disk_full")
    assert written
    assert uploads(settings) == []


def test_of_an_upload_whose_turn_does_not_come_nothing_is_kept(
    client: httpx.Client, settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.turns.WAIT_SECONDS", 0.3)
    with ThreadPoolExecutor(WRITES + 1) as others:
        with database.write() as session:  # what others write waits for this
            session.execute(text("SELECT 1"))
            busy = [others.submit(post, client, parts()) for _ in range(WRITES)]
            time.sleep(1)
            late = post(client, parts())
        assert (late.status_code, late.json()["code"]) == (503, "database_unavailable")
        answers = [each.result().status_code for each in busy]
    assert len(uploads(settings)) == answers.count(202)
