"""`ktl gc`, on the machine itself: no API runs."""

import json
from pathlib import Path

import pytest

from app.migrate import upgrade
from app.settings import Settings
from app.storage import Storage
from tests.cli.conftest import Ktl
from tests.client.running_api import RunningApi
from tests.usage.conftest import Put, put

__all__ = ["put"]


@pytest.fixture(autouse=True)
def _schema(settings: Settings) -> None:
    upgrade(settings.database)


def test_it_says_what_it_would_free_and_then_frees_it(
    ktl: Ktl, settings: Settings, storage: Storage, put: Put
) -> None:
    assert ktl("gc").status == 0  # the store is this database's from here on
    ref = put("nobody's")
    dry = ktl("gc", "--dry-run")
    assert ref in dry.out
    assert "would free 8 bytes: 1 files of the store" in dry.out
    assert (Path(settings.storage) / ref).exists()
    freed = json.loads(ktl("gc", "--json").out)
    assert (freed["bytes"], freed["files"], freed["dry_run"]) == (8, [ref], False)
    assert not (Path(settings.storage) / ref).exists()
    assert "freed 0 bytes" in ktl("gc").out


def test_what_a_project_holds(ktl: Ktl, api: RunningApi) -> None:
    told = ktl("usage")
    assert told.status == 0
    assert "in project default" in told.out
    assert "any number" in told.out
    assert json.loads(ktl("usage", "--json").out)["bytes"]["total"] == 0


def test_a_store_of_another_database_needs_a_word(ktl: Ktl, put: Put) -> None:
    ref = put("whose?")
    refused = ktl("gc")
    assert refused.status == 1
    assert "ktl gc --adopt" in refused.err
    assert ref in ktl("gc", "--adopt").out


def test_a_database_without_a_schema_is_said(
    ktl: Ktl, settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KTL_DATA_DIR", str(tmp_path / "new"))
    refused = ktl("gc")
    assert refused.status == 1
    assert "ktl migrate" in refused.err
