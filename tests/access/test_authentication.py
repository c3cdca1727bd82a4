import asyncio
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from app.access import authentication, repository
from app.access.authentication import ALL_SCOPES, Authenticator, require_key_or_loopback
from app.access.caller import Caller
from app.database import Database
from app.errors import Unauthorized
from app.settings import Settings


def make(database: Database, *scopes: str, project: str = "default") -> tuple[str, str]:
    with database.write() as session:
        row, key = repository.create(session, "a key", project, list(scopes))
        return row.id, key


def revoke(database: Database, key_id: str) -> bool:
    with database.write() as session:
        return repository.revoke(session, key_id)


@pytest.fixture
def authenticator(database: Database, settings: Settings) -> Authenticator:
    return Authenticator(database, settings)


def test_before_any_key_this_machine_may_do_all(authenticator: Authenticator) -> None:
    assert authenticator.authenticate(None) == Caller("default", ALL_SCOPES, None)
    assert authenticator.is_open


def test_on_another_address_a_key_is_asked_for_all_the_same(
    database: Database, settings: Settings
) -> None:
    everywhere = Authenticator(database, settings.model_copy(update={"host": "0.0.0.0"}))
    assert not everywhere.is_open
    with pytest.raises(Unauthorized):
        everywhere.authenticate(None)


def test_a_key_gives_its_project_and_scopes(
    database: Database, authenticator: Authenticator
) -> None:
    key_id, key = make(database, "read", "predict", project="alice")
    caller = Caller("alice", frozenset({"read", "predict"}), key_id)
    assert authenticator.authenticate(f"Bearer {key}") == caller
    assert authenticator.authenticate(f"bearer  {key} ") == caller


def test_admin_implies_all(database: Database, authenticator: Authenticator) -> None:
    _, key = make(database, "admin")
    assert authenticator.authenticate(f"Bearer {key}").scopes == ALL_SCOPES


@pytest.mark.parametrize(
    ("header", "code"),
    [
        (None, "missing_key"),
        ("", "missing_key"),
        ("Bearer", "missing_key"),
        ("Basic a2V5", "missing_key"),
        ("Bearer ktl_x_y", "unknown_key"),
        ("Bearer \udcff", "unknown_key"),
    ],
)
def test_once_a_key_is_made_it_is_asked_for(
    database: Database, authenticator: Authenticator, header: str | None, code: str
) -> None:
    make(database, "read")
    with pytest.raises(Unauthorized) as caught:
        authenticator.authenticate(header)
    assert caught.value.code == code
    assert caught.value.headers["WWW-Authenticate"].startswith("Bearer")


def test_revocation_is_seen(
    database: Database, authenticator: Authenticator, monkeypatch: pytest.MonkeyPatch
) -> None:
    key_id, key = make(database, "read")
    authenticator.authenticate(f"Bearer {key}")
    assert revoke(database, key_id)
    authenticator.authenticate(f"Bearer {key}")  # remembered: another process revoked it
    later = authentication.monotonic() + authentication.REMEMBERED_SECONDS
    monkeypatch.setattr(authentication, "monotonic", lambda: later)
    with pytest.raises(Unauthorized):
        authenticator.authenticate(f"Bearer {key}")


def test_revocation_in_this_process_is_seen_at_once(
    database: Database, authenticator: Authenticator
) -> None:
    key_id, key = make(database, "read")
    authenticator.authenticate(f"Bearer {key}")
    revoke(database, key_id)
    authenticator.forget()
    with pytest.raises(Unauthorized):
        authenticator.authenticate(f"Bearer {key}")
    with pytest.raises(Unauthorized):  # the last key's end does not open the server to all
        authenticator.authenticate(None)


def test_use_is_noted(database: Database, authenticator: Authenticator) -> None:
    key_id, key = make(database, "read")
    make(database, "read")
    authenticator.authenticate(f"Bearer {key}")
    authenticator.note_use()
    with database.read() as session:
        rows = session.scalars(repository.every()).all()
    assert {row.id for row in rows if row.last_used_at} == {key_id}


def test_the_secret_is_not_kept(database: Database) -> None:
    key_id, key = make(database, "read")
    assert key.startswith(f"ktl_{key_id.removeprefix('key_')}_")
    secret = key.rpartition("_")[2]
    with database.read() as session:
        row = session.connection().exec_driver_sql("SELECT * FROM keys").one()
    assert secret not in str(row)


def test_start_on_another_address_needs_a_key(database: Database, settings: Settings) -> None:
    everywhere = settings.model_copy(update={"host": "0.0.0.0"})
    require_key_or_loopback(database, settings)
    with pytest.raises(RuntimeError, match=r"0\.0\.0\.0.*ktl keys create"):
        require_key_or_loopback(database, everywhere)
    make(database, "read")
    require_key_or_loopback(database, everywhere)


def test_the_first_key_comes_from_a_file(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    secret = tmp_path / "first_key"
    secret.write_text("a-secret-of-many-characters\n")
    update = {"host": "0.0.0.0", "first_key_file": secret}
    everywhere = settings.model_copy(update=update)
    require_key_or_loopback(database, everywhere)
    secret.write_text("another-secret-of-many-characters\n")
    require_key_or_loopback(database, everywhere)
    authenticator = Authenticator(database, everywhere)
    caller = authenticator.authenticate("Bearer a-secret-of-many-characters")
    assert caller.scopes == ALL_SCOPES
    with pytest.raises(Unauthorized):  # only a fresh installation reads the file
        authenticator.authenticate("Bearer another-secret-of-many-characters")


def test_a_weak_first_key_is_refused(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    secret = tmp_path / "first_key"
    secret.write_text("change-me\n")
    with pytest.raises(RuntimeError, match="at least 24 characters"):
        require_key_or_loopback(database, settings.model_copy(update={"first_key_file": secret}))


def test_many_who_ask_at_once_cost_one_lookup(
    database: Database, authenticator: Authenticator
) -> None:
    key_id, key = make(database, "read")
    asked: list[str] = []

    @event.listens_for(database.engine, "before_cursor_execute")
    def _count(*arguments: Any) -> None:
        asked.append(arguments[2])

    async def ask() -> list[Caller]:
        return await asyncio.gather(*(authenticator.caller(f"Bearer {key}") for _ in range(50)))

    assert {caller.key_id for caller in asyncio.run(ask())} == {key_id}
    selects = [statement for statement in asked if statement.startswith("SELECT")]
    assert len(selects) == 2  # is a key asked for; which is it


def test_a_lookup_under_way_does_not_outlive_a_revocation(
    database: Database, authenticator: Authenticator
) -> None:
    key_id, key = make(database, "read")
    assert not authenticator.is_open

    @event.listens_for(database.engine, "after_cursor_execute", once=True)
    def _revoke(*_: Any) -> None:  # between the reading of the row and its remembering
        authenticator.forget()

    assert authenticator.authenticate(f"Bearer {key}").key_id == key_id
    assert revoke(database, key_id)
    with pytest.raises(Unauthorized):
        authenticator.authenticate(f"Bearer {key}")
