"""`ktl` as it is called, in this process: arguments in; exit status and what was printed out."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest

from app import broker
from app.child_process import stop
from app.cli.main import main
from app.migrate import upgrade
from app.settings import Settings
from tests.client.conftest import scripted  # noqa: F401  a fixture
from tests.client.running_api import RunningApi


class Ended(NamedTuple):
    status: int
    out: str
    err: str


Ktl = Callable[..., Ended]


@pytest.fixture
def ktl(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Ktl:
    monkeypatch.setenv("KTL_DATA_DIR", str(settings.data_dir))

    def run(*arguments: object) -> Ended:
        monkeypatch.setattr("sys.argv", ["ktl", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        status = ended.value.code
        assert isinstance(status, int)
        return Ended(status, printed.out, printed.err)

    return run


@pytest.fixture
def api(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningApi]:
    upgrade(settings.database)
    process = broker.ensure(settings)
    assert process
    api = RunningApi(settings)
    api.start()
    monkeypatch.setenv("KTL_URL", api.url)
    yield api
    api.stop()
    stop(process, 10)
