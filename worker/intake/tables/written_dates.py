"""Dates as text in a form of strptime's, read as Python reads them, which endpoints use: C's own
takes 24 for the year 24 and the 30th of February for the 1st of March."""

import re
from datetime import datetime
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

MOMENT = pa.timestamp("us")
FOUR_DIGITS = datetime(1000, 1, 1)  # the first year that has them
SHIFTED = 3  # days of a month, on which one that its month has not falls
PARTS = {"%b": r"\pL+\.?", "%B": r"\pL+\.?", "%p": r"\pL+", "%Y": r"\d+"}
DIGITS = r"\d{1,2}"

Texts: TypeAlias = Any  # pyarrow.ChunkedArray, which has no types


def written_dates(texts: Texts, form: str) -> Texts:
    """Timestamps; null where text is none of that form."""
    found = pc.strptime(texts, format=form, unit="us", error_is_null=True)
    if "%Y" in form:
        found = _without(found, pc.less(found, pa.scalar(FOUR_DIGITS, MOMENT)))
    suspect = pc.less_equal(pc.day(found), SHIFTED)
    if not pc.any(suspect).as_py():
        return found
    days = pc.struct_field(pc.extract_regex(texts, _pattern(form)), "day")
    is_another = pc.not_equal(pc.cast(days, pa.int64()), pc.day(found))
    return _without(found, pc.and_(suspect, is_another))


def _without(found: Texts, wrong: Texts) -> Texts:
    if not pc.any(wrong).as_py():
        return found
    return pc.if_else(pc.fill_null(wrong, False), pa.scalar(None, MOMENT), found)


def _pattern(form: str) -> str:
    """Regular expression of a form, whose group `day` is its first %d."""
    before, _, after = form.partition("%d")
    return rf"^\s*{_plain(before)}(?P<day>{DIGITS}){_plain(after)}\s*$"


def _plain(form: str) -> str:
    pieces = re.split(r"(%[A-Za-z]|\s+)", form)
    return "".join(
        PARTS.get(piece, DIGITS)
        if piece.startswith("%")
        else r"\s*"
        if piece.isspace()
        else re.escape(piece)
        for piece in pieces
    )
