"""The artifact store on a folder and on S3 (moto's server)."""

import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.errors import FailureCode, WorkFailure
from app.settings import Settings
from app.storage import Storage
from tests.needed import needed

BUCKET = "ktl-test"


@pytest.fixture(scope="module")
def s3_endpoint() -> Iterator[str]:
    needed("s3fs")
    moto = needed("moto.server").ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    host, port = moto.get_host_and_port()
    yield f"http://{host}:{port}"
    moto.stop()


@pytest.fixture
def s3(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Storage:
    import boto3
    import s3fs

    for name, value in (
        ("AWS_ENDPOINT_URL", s3_endpoint),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
    ):
        monkeypatch.setenv(name, value)
    client = boto3.client("s3")
    client.create_bucket(Bucket=BUCKET)
    client.put_object(Bucket=BUCKET, Key="store/kept/marker", Body=b"")  # as in a store in use
    s3fs.S3FileSystem.clear_instance_cache()
    return Storage(f"s3://{BUCKET}/store", settings.cache_dir)


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest) -> Storage:
    found: Storage = request.getfixturevalue("storage" if request.param == "folder" else "s3")
    return found


def file(folder: Path, content: bytes, name: str = "weights.npz") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def test_equal_content_has_one_name(store: Storage, tmp_path: Path) -> None:
    one = store.put(file(tmp_path, b"abc"))
    again = store.put(file(tmp_path, b"abc", "other.npz"))
    other = store.put(file(tmp_path, b"abd"))
    # printf abc | sha256sum
    digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert one == again == f"sha256/ba/{digest}.npz"
    assert other != one
    assert store.local(one).read_bytes() == b"abc"
    assert store.local(other).read_bytes() == b"abd"


def test_a_written_thing_is_deleted(store: Storage, tmp_path: Path) -> None:
    ref = store.write("checkpoints/trial_1/1.npz", file(tmp_path, b"one"))
    assert store.local(ref).read_bytes() == b"one"
    store.delete(ref)
    with pytest.raises(WorkFailure) as caught:
        store.local(ref)
    assert caught.value.code == FailureCode.ARTIFACT_MISSING
    assert ref in str(caught.value)
    store.delete(ref)  # gone already


def test_a_checked_store_is_left_as_it_was(store: Storage, settings: Settings) -> None:
    store.check()
    assert not [path for path in settings.home.rglob("*") if path.is_file()]


def test_it_is_read_at_each_check_and_written_to_at_the_first(
    store: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    writes: list[str] = []
    write = store._filesystem.pipe_file

    def count(path: str, content: bytes) -> None:
        writes.append(path)
        write(path, content)

    monkeypatch.setattr(store._filesystem, "pipe_file", count)
    for _ in range(5):
        store.check()
    assert len(writes) == 1
    store._writable_until = 0.0  # a minute later
    store.check()
    assert len(writes) == 2

    def fail(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(store._filesystem, "ls", fail)
    monkeypatch.setattr(os, "listdir", fail)
    with pytest.raises(WorkFailure, match="checking the store"):
        store.check()


def test_a_store_that_has_gone_since_its_last_check_is_missed(
    storage: Storage, settings: Settings
) -> None:
    storage.check()
    shutil.rmtree(settings.storage)
    Path(settings.storage).write_text("a file where the folder should be")
    with pytest.raises(WorkFailure):
        storage.check()
