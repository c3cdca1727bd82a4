"""Forms of dates that are text: as ISO 8601 has them, or one of those that spreadsheets write."""

import re
from itertools import product

import pyarrow as pa
import pyarrow.compute as pc

from worker.intake.tables.readings import Column, moments

DATE_LIKE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([ T]\d{1,2}:\d{2}.*)?")
LOOKED_AT = 100  # values, before all are tried
DAYS = (
    *("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d"),
    *("%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y"),
    *("%d.%m.%y", "%d/%m/%y", "%m/%d/%y", "%d-%m-%y", "%m-%d-%y"),
)
TIMES = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
FORMATS = tuple(day + time for day, time in product(DAYS, TIMES))


def forms_of(known: Column) -> list[str | None]:
    """All forms that fit each of the fields, which are text, null where missing; None is that of
    ISO 8601, beside which no other counts."""
    first = known.drop_null()[:LOOKED_AT]
    if not all(DATE_LIKE.fullmatch(text) for text in first.to_pylist()):
        return []
    if moments(known, None) is not None:
        return [None]
    few = pa.chunked_array([first.combine_chunks()])
    return [
        form
        for form in FORMATS
        if moments(few, form) is not None and moments(known, form) is not None
    ]


def are_like(texts: Column) -> list[bool]:
    """Tells which texts look like dates: of a year of four digits, or with slashes."""
    has_shape = pc.match_substring_regex(texts, f"^{DATE_LIKE.pattern}$")
    is_told = pc.match_substring_regex(texts, r"\d{4}|^\d+/\d+/")
    found: list[bool] = pc.and_(has_shape, is_told).to_pylist()
    return found
