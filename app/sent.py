"""Types of what clients send. Text is app.json_text's: half characters and NUL never get here."""

from datetime import UTC, datetime
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Strict

FIRST_YEAR, LAST_YEAR = 1970, 2999

T = TypeVar("T")
Array = Annotated[tuple[T, ...], Strict(False)]  # JSON's arrays come as lists
Pair = Annotated[tuple[T, T], Strict(False)]


class Sent(BaseModel):
    """A part of a body. Nothing is guessed: `true` is no 1, "3" no 3, and every name is known."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


def _in_utc(time: datetime) -> datetime:
    """Years at the ends of the calendar cannot move between zones."""
    aware = time if time.tzinfo else time.replace(tzinfo=UTC)
    if not FIRST_YEAR <= aware.year <= LAST_YEAR:
        years = f"{FIRST_YEAR} to {LAST_YEAR}"
        raise ValueError(f"expected a time in the years {years}, got the year {aware.year}")
    return aware.astimezone(UTC)


Moment = Annotated[datetime, AfterValidator(_in_utc)]  # where it names no zone, it is in UTC
Count = Annotated[int, Field(ge=0, lt=2**31)]  # as wide as a column of PostgreSQL's is
