"""Dates as text in a form of strptime's, read as Python reads them, which endpoints use: C's own
takes 24 for the year 24 and the 30th of February for the 1st of March."""

import re
from datetime import datetime
from typing import Any, TypeAlias

import numpy as np
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
    is_suspect = pc.fill_null(pc.less_equal(pc.day(found), SHIFTED), False)
    days = pc.struct_field(pc.extract_regex(texts.filter(is_suspect), _pattern(form)), "day")
    shifted = pc.not_equal(pc.cast(days, pa.int64()), pc.day(found.filter(is_suspect)))
    if not pc.any(shifted).as_py():
        return found
    is_wrong = np.zeros(len(found), np.bool_)
    is_wrong[np.flatnonzero(is_suspect.to_numpy())] = pc.fill_null(shifted, False).to_numpy()
    return _without(found, pa.array(is_wrong))


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
