from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from app.datasets.catalogue import SourceFile
from app.errors import FailureCode, WorkFailure
from app.settings import Settings
from tests.intake.file_server import FileServer, serving
from worker.intake import download
from worker.intake.download import fetch

CONTENT = bytes(range(256)) * 1000
NAME = "letters.gz"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    monkeypatch.setattr(download, "PAUSE_SECONDS", 0.0)
    with serving(FileServer({NAME: CONTENT})) as server:
        yield server


def source(server: FileServer, content: bytes = CONTENT) -> SourceFile:
    url = f"{server.url}/{NAME}"
    return SourceFile(NAME, url, sha256(content).hexdigest(), len(content))


def downloads(settings: Settings) -> Path:
    return settings.cache_dir / "downloads"


def test_offline_nothing_is_asked_for(server: FileServer, settings: Settings) -> None:
    offline = settings.model_copy(update={"offline": True})
    with pytest.raises(WorkFailure, match="KTL_OFFLINE is set: put the file") as failure:
        fetch(source(server), offline)
    assert failure.value.code == FailureCode.DOWNLOAD_FAILED
    assert server.requests == []
    path = fetch(source(server), settings)
    assert fetch(source(server), offline) == path  # what is here is here


def test_a_file_is_fetched_once(server: FileServer, settings: Settings) -> None:
    path = fetch(source(server), settings)
    assert path == downloads(settings) / NAME
    assert path.read_bytes() == CONTENT
    assert fetch(source(server), settings) == path
    assert len(server.requests) == 1


def test_a_cut_download_goes_on_where_it_was_cut(server: FileServer, settings: Settings) -> None:
    server.cut_after = 100_000
    assert fetch(source(server), settings).read_bytes() == CONTENT
    assert [(wanted, condition) for _, wanted, condition in server.requests] == [
        ("", ""),
        ("bytes=100000-", '"1"'),
        ("bytes=200000-", '"1"'),
    ]


def test_a_later_process_goes_on_too(server: FileServer, settings: Settings) -> None:
    downloads(settings).mkdir(parents=True)
    (downloads(settings) / f"{NAME}.partial").write_bytes(CONTENT[:77_777])
    assert fetch(source(server), settings).read_bytes() == CONTENT
    assert server.requests == [(f"/{NAME}", "bytes=77777-", "")]


def test_what_was_kept_of_another_version_is_thrown_away(
    server: FileServer, settings: Settings
) -> None:
    downloads(settings).mkdir(parents=True)
    (downloads(settings) / f"{NAME}.partial").write_bytes(b"x" * 1000)
    assert fetch(source(server), settings).read_bytes() == CONTENT
    assert [wanted for _, wanted, _ in server.requests] == ["bytes=1000-", ""]


def test_a_server_without_ranges_starts_anew(server: FileServer, settings: Settings) -> None:
    server.has_ranges = False
    downloads(settings).mkdir(parents=True)
    (downloads(settings) / f"{NAME}.partial").write_bytes(b"x" * 1000)
    assert fetch(source(server), settings).read_bytes() == CONTENT


def test_a_mirror_holds_the_files_by_name(server: FileServer, settings: Settings) -> None:
    mirrored = settings.model_copy(update={"catalog_url": server.url + "/"})
    elsewhere = SourceFile(NAME, "http://127.0.0.1:9/no", sha256(CONTENT).hexdigest(), len(CONTENT))
    assert fetch(elsewhere, mirrored).read_bytes() == CONTENT


@pytest.mark.parametrize("trouble", ["absent", "cut", "shorter", "longer", "other", "broken"])
def test_a_failure_says_which_file_to_put_where(
    server: FileServer, settings: Settings, trouble: str
) -> None:
    wanted = source(server)
    match trouble:
        case "absent":
            server.files.clear()
        case "cut":
            server.cut_after, server.has_ranges = 1000, False
        case "shorter":
            server.files[NAME] = CONTENT[:-1]
        case "longer":
            server.files[NAME] = CONTENT + b"more"
        case "other":
            server.files[NAME] = CONTENT[::-1]
        case "broken":
            server.status = 503
    with pytest.raises(WorkFailure) as failure:
        fetch(wanted, settings)
    assert failure.value.code == FailureCode.DOWNLOAD_FAILED
    for part in (wanted.url, wanted.sha256, str(wanted.bytes), str(downloads(settings) / NAME)):
        assert part in failure.value.detail
    assert len(server.requests) <= 4
    assert not (downloads(settings) / NAME).exists()


def test_without_a_network_the_file_can_be_put_there_by_hand(settings: Settings) -> None:
    wanted = SourceFile(NAME, "http://127.0.0.1:9/no", sha256(CONTENT).hexdigest(), len(CONTENT))
    with pytest.raises(WorkFailure, match="put the file"):
        fetch(wanted, settings)
    (downloads(settings) / NAME).write_bytes(CONTENT)
    assert fetch(wanted, settings).read_bytes() == CONTENT
