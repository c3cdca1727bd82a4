"""Columns of a table: what a value of each kind means, and what training rows taught of it.

Each value becomes one float32 number, NaN where it is missing: a number itself, a category or a
flag its place among the values that training rows have, a date its days since 1970-01-01. float32
has 24 bits: whole numbers are exact up to 16,777,216, others to 7 digits, dates to the day over
all years and the time of day to a minute and a half in 2014 to 2059.
"""

from typing import Annotated

from pydantic import Field

from app.inputs.columns.contract import ABSENT, MISSING, ColumnContract, Doubt
from app.inputs.columns.measured import (
    BINS,
    LARGEST,
    DateColumn,
    MeasuredColumn,
    NumberColumn,
    days_of,
)
from app.inputs.columns.named import MOST_VALUES, OTHER, CategoryColumn, FlagColumn, category_text
from app.inputs.columns.wide import are_ranked, numbers_seen

Column = Annotated[
    NumberColumn | CategoryColumn | FlagColumn | DateColumn, Field(discriminator="kind")
]

__all__ = [
    "ABSENT",
    "BINS",
    "LARGEST",
    "MISSING",
    "MOST_VALUES",
    "OTHER",
    "CategoryColumn",
    "Column",
    "ColumnContract",
    "DateColumn",
    "Doubt",
    "FlagColumn",
    "MeasuredColumn",
    "NumberColumn",
    "are_ranked",
    "category_text",
    "days_of",
    "numbers_seen",
]
