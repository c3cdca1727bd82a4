"""Databases and settings that no role can work with: said in words, with what to do."""

import sqlite3

import pytest


@pytest.mark.parametrize("command", ["migrate", "up", "api", "gc"])
def test_a_database_of_a_newer_release_is_said(ktl, settings, monkeypatch, command):
    ktl("migrate")
    with sqlite3.connect(settings.home / "ktl.db") as database:
        database.execute("UPDATE alembic_version SET version_num = '2030_01_01_later'")
    monkeypatch.setenv("KTL_PORT", "0")
    refused = ktl(command)
    assert refused.status == 1
    assert "a newer one has made" in refused.err


@pytest.mark.parametrize("command", ["migrate", "up", "api", "gc"])
def test_a_file_that_is_no_database_is_said(ktl, settings, monkeypatch, command):
    settings.home.mkdir()
    (settings.home / "ktl.db").write_bytes(b"something else " * 1000)
    monkeypatch.setenv("KTL_PORT", "0")
    refused = ktl(command)
    assert refused.status == 1
    assert "file is not a database" in refused.err


def test_a_setting_that_cannot_work_is_named(ktl, monkeypatch):
    monkeypatch.setenv("KTL_LEASE_SECONDS", "-1")
    monkeypatch.setenv("KTL_PORT", "http")
    refused = ktl("up")
    assert refused.status == 2
    assert refused.err.count("KTL_") == 2
    assert "KTL_LEASE_SECONDS: Input should be greater than 0" in refused.err
