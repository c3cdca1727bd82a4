"""What a column is, by its values alone: a kind, and a sentence that says why.

The rules in their order, each on the fields that are not missing:

| values                                                                  | kind       |
|-------------------------------------------------------------------------|------------|
| none                                                                    | constant   |
| one, in every row                                                       | constant   |
| true and false; yes and no; y, n; t, f; 0 and 1                         | flag       |
| whole numbers that count the rows, or differ in each row of a column    | identifier |
| whose name says that it tells rows apart (id, key, index, uuid, …)      |            |
| numbers, none with a leading zero as in 007                             | number     |
| dates as ISO 8601 has them, or in one other form that fits all of them  | date       |
| text that differs in each row, without spaces                           | identifier |
| text of which more than half differ, with spaces, longer than 40, or    | text       |
| longer than 5 in a script that writes no spaces                         |            |
| text of more than 200 characters                                        | text       |
| other text                                                              | category   |
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from app.datasets.table_spec import FoundKind, Kind
from worker.intake.raw import NAME_CHARACTERS
from worker.intake.tables.readings import (
    Column,
    Reading,
    as_numbers,
    has_codes,
    has_separators,
    moments,
    numbers,
)

WORDS = (("false", "true"), ("no", "yes"), ("n", "y"), ("f", "t"))
FORMATS = (
    "%Y/%m/%d",
    "%d.%m.%Y",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%d.%m.%Y %H:%M",
    "%d/%m/%Y %H:%M",
    "%m/%d/%Y %H:%M",
    "%Y/%m/%d %H:%M:%S",
    "%d.%m.%Y %H:%M:%S",
    "%d/%m/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M:%S",
)
DATE_LIKE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([ T]\d{1,2}:\d{2}.*)?")
IDENTIFYING = re.compile(r"(.*[_\W]|^)(id|ids|key|index|idx|uuid|guid|nr|no|number|row)$", re.I)
NEARLY = 0.5  # of the values are numbers: the others are told of
TEXT_LENGTH = 40  # characters, on the mean
UNSPACED = r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}]{2}"  # scripts that write no spaces
UNSPACED_LENGTH = 6
MOSTLY = 0.5  # of the values differ
LOOKED_AT = 100  # values, before all are tried
FEWEST_IDENTIFIED = 3  # rows


@dataclass(frozen=True)
class Found:
    """words: a flag's two values, false first. doubt: what a user should know of the decision."""

    kind: FoundKind
    reason: str
    reading: Reading
    words: tuple[str, str] | None = None
    doubt: str | None = None


def infer(name: str, column: Column, reading: Reading, said: Kind | None = None) -> Found:
    """
    Args:
        column: text, numbers, flags or moments of all rows, as the file holds them.
        reading: what counts as missing, and the decimal sign.
        said: the kind, by the spec; its values are then taken for what they are said to be, and
            whoever asks checks that they can be read.
    """
    known = reading.known(column)
    if said:
        return _said(known, reading, said)
    rows, values = len(known), len(known) - known.null_count
    if not values:
        return Found("constant", "it has no value in any row", reading)
    distinct = pc.count_distinct(known, mode="only_valid").as_py()
    if distinct == 1 and values == rows:
        return Found("constant", "it has the same value in every row", reading)
    if pa.types.is_boolean(known.type):
        return Found("flag", "the file says that it is true or false", reading)
    if pa.types.is_temporal(known.type):
        return Found("date", "the file says so", replace(reading, how="moment"))
    return (
        _number(name, known, distinct, reading)
        or _flag(known, distinct, reading)
        or _date(known, reading)
        or _text(name, known, distinct, reading)
    )


def _said(known: Column, reading: Reading, said: Kind) -> Found:
    reason = "the spec says so"
    match said:
        case "number":
            return Found("number", reason, replace(reading, how="number"))
        case "date":
            found = None if pa.types.is_temporal(known.type) else _date(known, reading)
            taken = found.reading if found else replace(reading, how="moment")
            return Found("date", reason, taken)
        case "flag":
            if pa.types.is_boolean(known.type):
                return Found("flag", reason, reading)
            two = sorted(str(each) for each in pc.unique(known.drop_null()).to_pylist())
            is_number = numbers(known, reading.decimal).null_count == known.null_count
            found = _flag(known, len(two), reading) or (
                _two_numbers(known, reading) if is_number else None
            )
            words = found.words if found else ((two[0], two[1]) if len(two) == 2 else None)
            return Found("flag", reason, found.reading if found else reading, words)
        case "category" | "text":
            return Found(said, reason, reading)


def _number(name: str, known: Column, distinct: int, reading: Reading) -> Found | None:
    if not _may_be_numbers(known, reading):
        return None
    found = numbers(known, reading.decimal)
    if found.null_count > known.null_count or has_codes(known):
        return None
    why = _tells_apart(name, as_numbers(found)) if distinct == len(known) else None
    if why:
        return Found("identifier", why, reading)
    if two := _two_numbers(known, reading):
        return two
    taken = replace(reading, how="number")
    if not has_separators(known, reading.decimal):
        return Found("number", "all its values are numbers", taken)
    reason = "all its values are numbers, some with signs between groups of three digits"
    example = "1,234" if reading.decimal == "." else "1.234"
    doubt = (
        f"the column `{name}` has numbers with signs between groups of three digits: {example} is "
        'read as 1234. `csv`: {"decimal": …} in the spec says which sign is the decimal one'
    )
    return Found("number", reason, taken, doubt=doubt)


def _tells_apart(name: str, values: NDArray[np.float64]) -> str | None:
    """Why numbers that all differ stand for rows; None where they do not."""
    if len(values) < FEWEST_IDENTIFIED or not (values == np.rint(values)).all():
        return None
    steps = np.diff(values)
    if (steps == 1).all() or (steps == -1).all():
        return "it counts the rows"
    if IDENTIFYING.match(name):
        return "its whole numbers differ in each row, and its name says that it tells rows apart"
    return None


def _may_be_numbers(known: Column, reading: Reading) -> bool:
    if not pa.types.is_string(known.type):
        return True
    first = known.drop_null()[:LOOKED_AT]
    found = numbers(pa.chunked_array([first.combine_chunks()]), reading.decimal)
    return bool(found.null_count == 0)


def _two_numbers(known: Column, reading: Reading) -> Found | None:
    taken = replace(reading, how="number")
    found = taken.values(known)
    if sorted(pc.unique(found.slice(0, 10_000)).drop_null().to_pylist()) != [0.0, 1.0]:
        return None
    if sorted(pc.unique(found).drop_null().to_pylist()) != [0.0, 1.0]:
        return None
    return Found("flag", "its values are 0 and 1 alone", taken, ("0", "1"))


def _flag(known: Column, distinct: int, reading: Reading) -> Found | None:
    if distinct != 2 or not pa.types.is_string(known.type):
        return None
    by_word = {text.strip().casefold(): text for text in pc.unique(known.drop_null()).to_pylist()}
    for false, true in WORDS:
        if by_word.keys() == {false, true}:
            reason = f"its values are {false} and {true} alone"
            return Found("flag", reason, reading, (by_word[false], by_word[true]))
    return None


def _date(known: Column, reading: Reading) -> Found | None:
    first = known.drop_null()[:LOOKED_AT]
    if not all(DATE_LIKE.fullmatch(text) for text in first.to_pylist()):
        return None
    if moments(known, None) is not None:
        reason = "all its values are dates as ISO 8601 has them"
        return Found("date", reason, replace(reading, how="moment"))
    fitting = [
        form
        for form in FORMATS
        if moments(pa.chunked_array([first.combine_chunks()]), form) is not None
        and moments(known, form) is not None
    ]
    if len(fitting) == 1:
        reason = f"all its values are dates, read as {fitting[0]}, the one form that fits them all"
        return Found("date", reason, replace(reading, how="moment", format=fitting[0]))
    if fitting:
        reason = (
            f"its values are dates that can be read in {len(fitting)} ways, as {fitting[0]} too"
        )
        doubt = "write dates as 2026-11-26 to have them read"
        return Found("text", reason, reading, doubt=doubt)
    return None


def _text(name: str, known: Column, distinct: int, reading: Reading) -> Found:
    values = len(known) - known.null_count
    lengths = pc.utf8_length(known)
    longest, mean = pc.max(lengths).as_py(), pc.mean(lengths).as_py()
    has_spaces = _share(known, r"\S\s+\S") > MOSTLY
    has_nul = bool(pc.any(pc.match_substring(known, "\0")).as_py())
    if longest > NAME_CHARACTERS or has_nul:
        what = "a NUL character" if has_nul else f"more than {NAME_CHARACTERS} characters"
        return Found("text", f"a value has {what}", reading)
    is_unspaced = mean >= UNSPACED_LENGTH and _share(known, UNSPACED) > MOSTLY
    if distinct > MOSTLY * values and (has_spaces or is_unspaced or mean > TEXT_LENGTH):
        how = "most have spaces" if has_spaces else f"they have {mean:.0f} characters on the mean"
        return Found("text", f"{distinct} of its {values} values differ, and {how}", reading)
    if distinct == values and values >= FEWEST_IDENTIFIED:
        return Found("identifier", "its values differ in each row", reading)
    reason = f"it has {distinct} different values in {values} rows"
    return Found("category", reason, reading, doubt=_nearly_numbers(name, known, reading))


def _share(known: Column, pattern: str) -> float:
    """Of the values that hold such a piece."""
    found = pc.mean(pc.cast(pc.match_substring_regex(known, pattern), pa.float64()))
    return float(found.as_py())


def _nearly_numbers(name: str, known: Column, reading: Reading) -> str | None:
    found = numbers(known, reading.decimal)
    values, readable = len(known) - known.null_count, len(found) - found.null_count
    if readable == values or readable < NEARLY * values:
        return None
    wrong = pc.unique(known.filter(pc.and_(pc.is_null(found), pc.is_valid(known))))
    words: Sequence[str] = wrong.to_pylist()
    said = f" (`{words[0][:20]}`)" if len(words) == 1 else ""
    return (
        f"{readable} of the {values} values of the column `{name}` are numbers, "
        f"{values - readable} are not{said}: it is taken for a category. Where these mean that "
        "nothing is known, name them in the spec's `missing`; else mend them, or say the column's "
        "kind in `columns`"
    )
