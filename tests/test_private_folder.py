"""What ktl keeps on disk is its owner's alone, however it was started and whoever made it."""

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from app import broker
from app.child_process import kill_session, spawn
from app.cli.supervisor import free_port
from app.main import create_app
from app.migrate import upgrade
from app.private_folder import keep_private
from app.settings import Settings
from tests.datasets.test_uploads import parts, post
from tests.serving import serve


@pytest.fixture(autouse=True)
def _usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def open_to_others(folder: Path) -> list[str]:
    return [
        str(path)
        for path in (folder, *folder.rglob("*"))
        if path.lstat().st_mode & 0o077 and not path.is_symlink()
    ]


def test_an_api_closes_what_is_there_and_what_it_makes(settings: Settings) -> None:
    upgrade(settings.database)
    for name in ("store/sha256/ab/x.npy", "cache/uploads/a/0.npz", "broker/a.log", "run/b.lock"):
        path = settings.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("of an earlier release")
    assert len(open_to_others(settings.home)) > 8
    with serve(create_app(settings)) as client:
        assert post(client, parts()).status_code == 202
        assert (settings.home / "ktl.db-wal").exists()
        assert open_to_others(settings.home) == []
    assert stat.S_IMODE(settings.home.stat().st_mode) == 0o700
    assert stat.S_IMODE((settings.home / "ktl.db").stat().st_mode) == 0o600


@pytest.mark.slow
def test_started_as_any_asgi_application_is(settings: Settings) -> None:
    upgrade(settings.database)
    port = free_port()
    environment = {**os.environ, "KTL_DATA_DIR": str(settings.home), "KTL_BROKER_URL": "memory://"}
    command = [sys.executable, "-m", "uvicorn", "app.main:create_app", "--factory", "--port"]
    process = subprocess.Popen(
        [*command, str(port)],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        umask=0o022,
    )
    try:
        transport = httpx.HTTPTransport(retries=8)
        with httpx.Client(transport=transport, base_url=f"http://127.0.0.1:{port}") as client:
            assert post(client, parts()).status_code == 202
        assert open_to_others(settings.home) == []
    finally:
        process.terminate()
        process.wait()


def test_the_embedded_broker_too(settings: Settings) -> None:
    process = broker.ensure(settings)
    assert process
    try:
        assert open_to_others(settings.home / "broker") == []
        assert open_to_others(settings.run_dir) == []
    finally:
        kill_session(process)
        process.wait()


def test_a_child_makes_files_for_its_owner_alone(tmp_path: Path) -> None:
    spawn(["touch", str(tmp_path / "made")]).wait()
    assert stat.S_IMODE((tmp_path / "made").stat().st_mode) == 0o600


def test_what_a_user_keeps_in_the_same_folder_stays_as_it_is(tmp_path: Path) -> None:
    theirs = tmp_path / "shared" / "notes.txt"
    theirs.parent.mkdir()
    theirs.write_text("for everyone")
    outside = tmp_path / "outside.npy"
    outside.write_text("where a link leads")
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / "link").symlink_to(outside)
    assert keep_private(Settings(data_dir=tmp_path)) == []
    assert stat.S_IMODE(theirs.stat().st_mode) == 0o644
    assert stat.S_IMODE(outside.stat().st_mode) == 0o644
    assert stat.S_IMODE(cache.stat().st_mode) == 0o700


def test_a_folder_of_everyones_is_not_closed_but_complained_of(tmp_path: Path) -> None:
    everyones = tmp_path / "tmp"
    everyones.mkdir()
    everyones.chmod(0o1777)
    assert keep_private(Settings(data_dir=everyones)) == [everyones]
    assert stat.S_IMODE(everyones.stat().st_mode) == 0o1777


def test_another_users_file_is_complained_of(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = settings.cache_dir / "downloads" / "mnist.gz"
    theirs.parent.mkdir(parents=True)
    theirs.touch()

    chmod = os.chmod

    def refuse(path: str | Path, mode: int) -> None:
        if Path(path) == theirs:
            raise PermissionError(1, "Operation not permitted")
        chmod(path, mode)

    monkeypatch.setattr(os, "chmod", refuse)
    assert keep_private(settings) == [theirs]
    assert open_to_others(settings.home) == [str(theirs)]


def test_a_data_folder_behind_a_link_is_closed(tmp_path: Path) -> None:
    real, link = tmp_path / "real", tmp_path / "link"
    real.mkdir()
    link.symlink_to(real)
    assert keep_private(Settings(data_dir=link)) == []
    assert stat.S_IMODE(real.stat().st_mode) == 0o700
