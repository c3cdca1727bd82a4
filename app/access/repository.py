"""All SQL about keys, and how a key looks: `ktl_` + id + `_` + secret."""

from datetime import datetime
from hashlib import sha256
from secrets import token_hex

from sqlalchemy import Select, func, select, update
from sqlalchemy.orm import Session

from app.database import now
from app.identifiers import new_id
from app.tables.keys import KeyRow


def hash_of(key: str) -> str:
    """A plain hash is enough for 192 random bits."""
    return sha256(key.encode(errors="surrogateescape")).hexdigest()


def create(
    session: Session, name: str, project: str, scopes: list[str], key: str | None = None
) -> tuple[KeyRow, str]:
    """Returns the row and the key itself, which is seen here and never again."""
    key_id = new_id("key")
    key = key or f"ktl_{key_id.removeprefix('key_')}_{token_hex(24)}"
    row = KeyRow(
        id=key_id, name=name, project=project, scopes=sorted(set(scopes)), secret_hash=hash_of(key)
    )
    session.add(row)
    session.flush()
    return row, key


def every() -> Select[KeyRow]:
    return select(KeyRow)


def find(session: Session, key: str) -> KeyRow | None:
    """The key's row unless it was revoked."""
    return session.scalar(
        select(KeyRow).where(KeyRow.secret_hash == hash_of(key), KeyRow.revoked_at.is_(None))
    )


def revoke(session: Session, key_id: str) -> bool:
    """False when there is no such key. Revoking twice keeps the first time."""
    row = session.get(KeyRow, key_id)
    if row is None:
        return False
    row.revoked_at = row.revoked_at or now()
    session.flush()
    return True


def count(session: Session) -> int:
    """Revoked ones too: revoking the last key must not open the server to all."""
    return session.scalar(select(func.count()).select_from(KeyRow)) or 0


def note_use(session: Session, used: dict[str, datetime]) -> None:
    for key_id, moment in used.items():
        session.execute(update(KeyRow).where(KeyRow.id == key_id).values(last_used_at=moment))
