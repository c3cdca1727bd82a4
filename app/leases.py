"""Leases with fencing tokens, the same for every row that a worker works on.

A worker claims a row by one compare-and-set UPDATE that gives it a fresh token; it renews the lease
while it works; each write carries the token. A worker that was slow, frozen or cut off finds 0 rows
and stops (Fenced), so the work of two workers on one row never mixes. Time is the database's.
"""

from typing import Any, TypeVar, cast
from uuid import uuid4

from sqlalchemy import ColumnElement, CursorResult, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.database import Base, clock
from app.errors import Fenced


class Leased(Base):
    """A row that a worker takes, works on and gives back."""

    __abstract__ = True

    id: Mapped[str] = mapped_column(primary_key=True)
    token: Mapped[str | None]
    owner: Mapped[str | None]
    lease_until: Mapped[float | None]  # by the database's clock, seconds since 1970
    attempt: Mapped[int] = mapped_column(default=0)
    published_at: Mapped[float | None]
    publish_count: Mapped[int] = mapped_column(default=0)


Row = TypeVar("Row", bound=Leased)

RELEASED: dict[str, Any] = {"token": None, "owner": None, "lease_until": None}


def claim(
    session: Session,
    table: type[Row],
    runnable: ColumnElement[bool],
    order: list[Any],
    owner: str,
    seconds: float,
    **values: Any,
) -> Row | None:
    """Takes the first runnable row in `order`, sets `values` on it, and returns it; or None."""
    while True:
        found = session.execute(
            select(table.id, table.token)
            .where(runnable)
            .order_by(*order)
            .limit(1)
            .with_for_update(skip_locked=True, of=table)
        ).first()
        if found is None:
            return None
        taken = _update(
            session,
            table,
            (table.id == found.id) & table.token.is_not_distinct_from(found.token),
            token=uuid4().hex,
            owner=owner,
            lease_until=clock() + seconds,
            attempt=table.attempt + 1,
            **values,
        )
        if taken:
            return session.get(table, found.id, populate_existing=True)


def renew(
    session: Session, table: type[Row], row_id: str, token: str, seconds: float, /, **values: Any
) -> None:
    """Fenced as write is, which it is for `values` too."""
    write(session, table, row_id, token, lease_until=clock() + seconds, **values)


def write(session: Session, table: type[Row], row_id: str, token: str, /, **values: Any) -> None:
    """Writes to the row under the token and an unexpired lease; Fenced when either is gone."""
    mine = (table.id == row_id) & (table.token == token) & (table.lease_until > clock())
    if not _update(session, table, mine, **values):
        raise Fenced(f"{row_id}: the lease is gone")


def token_of(session: Session, table: type[Row], row_id: str) -> str | None:
    """Who holds the row now; None where nobody does or the row is gone."""
    return session.scalar(select(table.token).where(table.id == row_id))


def held(table: type[Row]) -> ColumnElement[bool]:
    return table.token.is_not(None) & (table.lease_until > clock())


def expired(table: type[Row]) -> ColumnElement[bool]:
    return table.token.is_not(None) & (table.lease_until <= clock())


def _update(
    session: Session, table: type[Row], condition: ColumnElement[bool], **values: Any
) -> int:
    statement = update(table).where(condition).values(**values)
    done = session.execute(statement.execution_options(synchronize_session=False))
    return cast("CursorResult[Any]", done).rowcount
