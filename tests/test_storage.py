"""The artifact store on a folder and on S3 (moto's server)."""

import errno
import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.errors import DamagedArtifact, FailureCode, WorkFailure
from app.integrity import sha256_of
from app.settings import Settings
from app.storage import Storage


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


def test_a_file_that_a_sweep_has_moved_aside_for_a_moment_is_there(
    storage: Storage, settings: Settings, tmp_path: Path
) -> None:
    ref = storage.put(file(tmp_path, b"abc"))
    path = Path(settings.storage, ref)
    aside = path.rename(path.with_name("aside.partial"))
    back = threading.Timer(0.02, aside.rename, [path])
    back.start()
    assert storage.local(ref).read_bytes() == b"abc"
    back.join()


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


def test_a_written_thing_is_replaced(storage: Storage, tmp_path: Path) -> None:
    storage.write("checkpoints/1.npz", file(tmp_path, b"one"))
    storage.write("checkpoints/1.npz", file(tmp_path, b"two"))
    assert storage.local("checkpoints/1.npz").read_bytes() == b"two"


def test_a_store_that_cannot_be_written_fails_its_check(settings: Settings, tmp_path: Path) -> None:
    in_the_way = file(tmp_path, b"a file, not a folder", "store")
    with pytest.raises(WorkFailure) as caught:
        Storage(str(in_the_way), settings.cache_dir).check()
    assert caught.value.code == FailureCode.STORAGE_FAILED


def fail_half_way(number: int) -> Any:
    def copy(source: Path, target: Path) -> None:
        Path(target).write_bytes(Path(source).read_bytes()[:2])
        raise OSError(number, os.strerror(number))

    return copy


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.ENOSPC, FailureCode.DISK_FULL),
        (errno.EDQUOT, FailureCode.DISK_FULL),
        (errno.EIO, FailureCode.STORAGE_FAILED),
    ],
)
def test_a_copy_that_fails_leaves_nothing_and_says_why(
    storage: Storage,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    code: FailureCode,
) -> None:
    kept = storage.write("checkpoints/1.npz", file(tmp_path, b"one"))
    monkeypatch.setattr(shutil, "copyfile", fail_half_way(number))
    for store in (storage.put, lambda path: storage.write(kept, path)):
        with pytest.raises(WorkFailure) as caught:
            store(file(tmp_path, b"content"))
        assert caught.value.code == code
        assert os.strerror(number) in str(caught.value)
    monkeypatch.undo()
    assert storage.local(kept).read_bytes() == b"one"
    assert [path.name for path in settings.home.rglob("*") if path.is_file()] == ["1.npz"]
    assert storage.local(storage.put(file(tmp_path, b"content"))).read_bytes() == b"content"


def test_a_download_that_fails_leaves_nothing_in_the_cache(
    s3: Storage, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ref = s3.put(file(tmp_path, b"content"))

    def get_file(remote: str, local: str) -> None:
        fail_half_way(errno.ENOSPC)(file(tmp_path, b"content"), Path(local))

    with monkeypatch.context() as patch:
        patch.setattr(s3._filesystem, "get_file", get_file)
        with pytest.raises(WorkFailure) as caught:
            s3.local(ref)
    assert caught.value.code == FailureCode.DISK_FULL
    assert not [path for path in settings.cache_dir.rglob("*") if path.is_file()]
    assert s3.local(ref).read_bytes() == b"content"


def test_what_was_fetched_once_is_not_fetched_again(s3: Storage, tmp_path: Path) -> None:
    ref = s3.put(file(tmp_path, b"content"))
    assert s3.local(ref) == s3.local(ref)
    s3._filesystem.rm_file(s3._path(ref))
    assert s3.local(ref).read_bytes() == b"content"


def test_a_source_that_is_gone_is_a_typed_failure(storage: Storage, tmp_path: Path) -> None:
    with pytest.raises(WorkFailure) as caught:
        storage.put(tmp_path / "absent.npz")
    assert caught.value.code == FailureCode.STORAGE_FAILED


DAMAGES = {
    "flipped": lambda content: bytes([content[0] ^ 1]) + content[1:],
    "zeroed": lambda content: bytes(len(content)),
    "cut": lambda content: content[:-1],
    "empty": lambda content: b"",
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_what_is_not_what_its_name_says_is_never_given(
    storage: Storage, tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    ref = storage.put(file(tmp_path, b"content"))
    path = storage.local(ref)
    path.write_bytes(damage(b"content"))
    for _ in range(2):
        with pytest.raises(DamagedArtifact) as caught:
            storage.local(ref)
        assert (caught.value.reason, caught.value.ref) == ("artifact_damaged", ref)
    path.write_bytes(b"content")
    assert storage.local(ref).read_bytes() == b"content"


def test_a_damaged_file_heals_when_its_content_is_stored_again(
    store: Storage, tmp_path: Path
) -> None:
    source = file(tmp_path, b"content")
    ref = store.put(source)
    store._filesystem.pipe_file(store._path(ref), b"c0ntent")
    with pytest.raises(DamagedArtifact):
        store.local(ref)
    assert store.put(source) == ref
    assert store.local(ref).read_bytes() == b"content"


def test_a_file_is_looked_through_once_while_nobody_touches_it(
    storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ref, looked = storage.put(file(tmp_path, b"content")), []

    def counted(path: Path) -> str:
        looked.append(path)
        return sha256_of(path)

    monkeypatch.setattr("app.integrity.sha256_of", counted)
    for _ in range(3):
        storage.local(ref)
    assert len(looked) == 1
    os.utime(storage.local(ref), (0, 0))
    storage.local(ref)
    storage.verify(ref)
    assert len(looked) == 3


def test_a_large_file_is_looked_through_once_per_machine(
    storage: Storage, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.integrity.LARGE_BYTES", 1)
    ref, looked = storage.put(file(tmp_path, b"content")), []

    def counted(path: Path) -> str:
        looked.append(path)
        return sha256_of(path)

    monkeypatch.setattr("app.integrity.sha256_of", counted)
    for _ in range(3):  # as many processes
        Storage(settings.storage, settings.cache_dir).local(ref)
    assert len(looked) == 1
    storage.verify(ref)
    assert len(looked) == 2
    storage.local(ref).write_bytes(b"c0ntent")
    for _ in range(2):
        with pytest.raises(DamagedArtifact):
            Storage(settings.storage, settings.cache_dir).local(ref)


def test_a_large_file_is_read_where_no_note_can_be_left(
    storage: Storage, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.integrity.LARGE_BYTES", 1)
    ref = storage.put(file(tmp_path, b"content"))
    settings.cache_dir.write_bytes(b"a file, not a folder")
    assert storage.local(ref).read_bytes() == b"content"


def test_a_copy_in_the_cache_that_is_damaged_is_fetched_again(s3: Storage, tmp_path: Path) -> None:
    ref = s3.put(file(tmp_path, b"content"))
    s3.local(ref).write_bytes(b"c0ntent")
    assert s3.local(ref).read_bytes() == b"content"


def test_a_store_that_is_away_as_a_whole_has_lost_nothing(
    storage: Storage, settings: Settings, tmp_path: Path
) -> None:
    ref = storage.put(file(tmp_path, b"content"))
    Path(settings.storage).rename(tmp_path / "away")
    with pytest.raises(WorkFailure) as caught:
        storage.local(ref)
    assert caught.value.code == FailureCode.STORAGE_FAILED
