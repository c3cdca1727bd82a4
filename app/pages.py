"""Lists, newest first. The cursor is the last id seen, so a page is stable under inserts."""

from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Query
from pydantic import BaseModel, Field
from sqlalchemy import Select
from sqlalchemy.orm import InstrumentedAttribute, Session

T = TypeVar("T")

CURSOR_PATTERN = r"^[a-z]+_[0-9A-HJKMNP-TV-Z]{26}$"


@dataclass(frozen=True)
class Page:
    limit: int = 20
    after: str | None = None


class Listing(BaseModel, Generic[T]):
    data: list[T]
    has_more: bool
    next: str | None = Field(None, description="the `after` of the next page")


async def page(
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    after: Annotated[
        str | None, Query(pattern=CURSOR_PATTERN, description="the `next` of the page before")
    ] = None,
) -> Page:
    return Page(limit, after)


def fetch_page(
    session: Session,
    statement: Select[T],
    id_column: InstrumentedAttribute[str],
    page: Page,
) -> tuple[list[T], bool, str | None]:
    """Returns rows, has_more, next. `statement` selects one table's rows, in no order yet."""
    if page.after:
        statement = statement.where(id_column < page.after)
    found = session.scalars(statement.order_by(id_column.desc()).limit(page.limit + 1)).all()
    rows, has_more = list(found[: page.limit]), len(found) > page.limit
    last: Any = rows[-1] if has_more else None
    return rows, has_more, last and getattr(last, id_column.key)
