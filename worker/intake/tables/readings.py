"""Readings of a column's fields as values: numbers, moments, or what stands there.

A field is missing where it is empty, holds nothing but spaces, or a word that the spec's `missing`
says; in files with types also where it is null or NaN. Spaces around a number do not count. The
sign that is no decimal sign, a space and an apostrophe may stand between groups of three digits.
"""

import re
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from app.inputs.columns import LARGEST, category_text
from app.inputs.csv_rule import BETWEEN, MINUS
from worker.intake.tables.written_dates import MOMENT, written_dates

GROUPED = r"\d{1,3}(?:[%s]\d{3})+"
NUMBER = r"^[+-]?(?:(?:\d+|%s)(?:%s\d*)?|%s\d+)(?:[eE][+-]?\d+)?$"
CODE = r"^[+-]?0\d"  # a leading zero: 007 is no 7
UTC_MOMENT = pa.timestamp("us", "UTC")
DAY_MICROSECONDS = 86_400 * 10**6
LOOKED_AT = 1_000  # numbers, to see whether there are fractions

How = Literal["as_is", "number", "moment"]
Column: TypeAlias = Any  # pyarrow.ChunkedArray, which has no types


@dataclass(frozen=True)
class Reading:
    """Rule by which fields of one column become values."""

    how: How = "as_is"
    missing: tuple[str, ...] = ()
    decimal: str = "."
    format: str | None = None  # of moments, as strptime has it; None: ISO 8601
    is_complete: bool = False  # nothing is missing, as was seen before

    def known(self, column: Column) -> Column:
        """The fields as they stand there, null where missing."""
        if self.is_complete:
            return column
        if pa.types.is_string(column.type):
            gone = pc.or_(pc.equal(column, ""), pc.utf8_is_space(column))
            if self.missing:
                trimmed = pc.utf8_trim_whitespace(column)
                words = pa.array([word.strip() for word in self.missing], pa.string())
                gone = pc.or_(gone, pc.is_in(trimmed, words))
        elif pa.types.is_floating(column.type):
            if not self.missing and not column.null_count and _is_finite(column):
                return column
            gone = pc.is_nan(column)
        elif pa.types.is_integer(column.type):
            gone = pc.is_null(column)
        else:
            return column
        if marks := self._marks:
            gone = pc.or_(gone, pc.is_in(numbers(column, self.decimal), pa.array(marks)))
        if not pc.any(gone).as_py():
            return column
        return pc.if_else(gone, pa.scalar(None, column.type), column)

    @property
    def _marks(self) -> list[float]:
        """Numbers among the words."""
        if not self.missing:
            return []
        words = pa.chunked_array([pa.array(self.missing, pa.string())])
        found: list[float] = numbers(words, self.decimal).drop_null().to_pylist()
        return found

    def values(self, column: Column) -> Column:
        """Null where missing or unreadable; numbers float64, moments without a zone, in UTC."""
        known = self.known(column)
        if self.how == "number":
            return numbers(known, self.decimal)
        if self.how == "moment":
            found = moments(known, self.format)
            return pa.chunked_array([pa.nulls(len(known), MOMENT)]) if found is None else found
        return known


def numbers(known: Column, decimal: str) -> Column:
    """Numbers of text or of numbers: float64, null where one is missing or unreadable."""
    if not pa.types.is_string(known.type):
        return _finite(pc.cast(known, pa.float64(), safe=False))
    if decimal == ".":
        try:
            return _finite(pc.cast(known, pa.float64()))
        except pa.ArrowInvalid:  # one of them is none, or is written with separators
            pass
    text = pc.replace_substring(pc.utf8_trim_whitespace(known), MINUS, "-")
    separators = f"{',' if decimal == '.' else '.'}{BETWEEN}"
    sign = re.escape(decimal)
    pattern = NUMBER % (GROUPED % separators, sign, sign)
    readable = pc.if_else(
        pc.match_substring_regex(text, pattern), text, pa.scalar(None, pa.string())
    )
    for separator in separators:
        readable = pc.replace_substring(readable, separator, "")
    if decimal != ".":
        readable = pc.replace_substring(readable, decimal, ".")
    return _finite(pc.cast(readable, pa.float64()))


def plain_numbers(column: Column, reading: Reading) -> Column | None:
    """The quick way: text that is a number in each row, with nothing missing; None where it takes
    another look, which may come to the same."""
    if not pa.types.is_string(column.type) or reading.decimal != "." or reading.missing:
        return None
    if column.null_count:
        return None
    try:
        found = pc.cast(column, pa.float64())
    except pa.ArrowInvalid:
        return None
    return None if not _is_finite(found) or has_codes(column, found) else found


def has_separators(known: Column, reading: Reading) -> bool:
    """Tells whether signs between groups of digits stand in numbers as text."""
    if not pa.types.is_string(known.type):
        return False
    if reading.decimal == ".":
        try:
            pc.cast(known, pa.float64())
        except pa.ArrowInvalid:
            pass
        else:
            return False
    pattern = GROUPED % f"{',' if reading.decimal == '.' else '.'}{BETWEEN}"
    return bool(pc.any(pc.match_substring_regex(known, pattern)).as_py())


def has_codes(known: Column, found: Column) -> bool:
    """Tells whether text begins with a zero that means nothing in a number, as in 007.

    Args:
        found: the numbers that the text stands for; fractions among them are no codes.
    """
    if not pa.types.is_string(known.type):
        return False
    first = as_numbers(found.slice(0, LOOKED_AT).drop_null())
    if (first != np.rint(first)).any():
        return False
    starts = pc.starts_with(known, "0")
    if not pc.any(starts).as_py():
        return False
    zero = known.filter(starts)
    is_longer = pc.greater(pc.binary_length(zero), 1)
    doubtful = zero.filter(pc.and_not(is_longer, pc.starts_with(zero, "0.")))
    return bool(pc.any(pc.match_substring_regex(doubtful, CODE)).as_py())


def _is_finite(found: Column) -> bool:
    """Text such as `nan` and `inf` is no number, nor is what float32 cannot hold."""
    for chunk in found.chunks:
        values = chunk.to_numpy()
        if len(values) and not (values.min() >= -LARGEST and values.max() <= LARGEST):
            return False  # NaN is the least and the greatest
    return True


def _finite(found: Column) -> Column:
    if not found.null_count and _is_finite(found):
        return found
    wrong = pc.invert(pc.less_equal(pc.abs(found), LARGEST))
    if not pc.any(wrong).as_py():
        return found
    return pc.if_else(wrong, pa.scalar(None, pa.float64()), found)


def moments(known: Column, format: str | None) -> Column | None:
    """Timestamps without a zone, in UTC; None where a field is none."""
    if pa.types.is_timestamp(known.type) or pa.types.is_date(known.type):
        return pc.cast(
            pc.cast(known, UTC_MOMENT) if _has_zone(known) else known, MOMENT, safe=False
        )
    try:
        if format is not None:
            found = written_dates(known, format)
            return found if found.null_count == known.null_count else None
        try:
            return pc.cast(known, MOMENT)
        except pa.ArrowInvalid:
            return pc.cast(pc.cast(known, UTC_MOMENT), MOMENT)
    except pa.ArrowInvalid:
        return None


def _has_zone(column: Column) -> bool:
    return pa.types.is_timestamp(column.type) and column.type.tz is not None


def as_numbers(values: Column) -> NDArray[np.float64]:
    """(n,), NaN where null: numbers as they are, moments as days since 1970, flags 0 and 1."""
    if pa.types.is_timestamp(values.type):
        micro = pc.cast(values, pa.int64())
        return as_numbers(
            pc.divide(pc.cast(micro, pa.float64(), safe=False), float(DAY_MICROSECONDS))
        )
    plain = pc.cast(values, pa.float64(), safe=False)
    plain = pc.fill_null(plain, np.nan) if plain.null_count else plain
    found: NDArray[Any] = plain.to_numpy()
    return found


def distinct(values: Column) -> tuple[NDArray[np.int64], Column]:
    """(n,), the place of each value among the different ones, -1 where null; and these, in the
    order in which they come first."""
    encoded = values.dictionary_encode().unify_dictionaries()
    if not encoded.num_chunks:
        return np.empty(0, np.int64), values
    codes = [pc.fill_null(chunk.indices, -1).to_numpy() for chunk in encoded.chunks]
    return np.concatenate(codes).astype(np.int64), pa.chunked_array([encoded.chunk(0).dictionary])


def coded(values: Column) -> tuple[NDArray[np.int64], list[Any]]:
    """(n,), the place of each value among the different ones, -1 where missing; and these."""
    codes, different = distinct(values)
    return codes, different.to_pylist()


def as_written(value: Any) -> str:
    """A value of JSON as a column of text has it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    try:
        return category_text(value)
    except ValueError:
        return str(value)
