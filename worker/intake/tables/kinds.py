"""The kind of a column, by its values alone: a kind, and a sentence that says why.

The rules in their order, each on the fields that are not missing:

| values                                                                  | kind       |
|-------------------------------------------------------------------------|------------|
| none                                                                    | constant   |
| one, in every row                                                       | constant   |
| true and false; yes and no, in German, French, Spanish and Italian too; | flag       |
| their first letters; 0 and 1                                            |            |
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
from worker.intake.tables.dates import LOOKED_AT, forms_of
from worker.intake.tables.nearly import nearly
from worker.intake.tables.readings import (
    Column,
    Reading,
    as_numbers,
    has_codes,
    has_separators,
    numbers,
    plain_numbers,
)
from worker.intake.tables.text_counts import TextCounts
from worker.intake.tables.written_dates import written_dates
from worker.intake.tables.yes_no import NEGATIVE

IDENTIFYING = re.compile(r"(.*[_\W]|^)(id|ids|key|index|idx|uuid|guid|nr|no|number|row)$", re.I)
TEXT_LENGTH = 40  # characters, on the mean
UNSPACED = r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}]{2}"  # scripts that write no spaces
UNSPACED_LENGTH = 6
MOSTLY = 0.5  # of the values differ
FEWEST_IDENTIFIED = 3  # rows
MOST_EXACT = 2**53  # whole numbers up to here are kept to the last digit
SAME = "it has the same value in every row"


@dataclass(frozen=True)
class InferredColumn:
    """values: (rows,), null where missing, or unreadable in a column that is said to be of a kind;
    numbers and flags of 0 and 1 float64, moments in UTC, else as the file holds them. words: a
    flag's two values, false first. doubt: what a user should know of the decision. known: (rows,),
    the fields as the file holds them, null where missing. tally: of a category that was counted."""

    kind: FoundKind
    reason: str
    reading: Reading
    values: Column
    words: tuple[str, str] | None = None
    doubt: str | None = None
    known: Column = None
    tally: TextCounts | None = None


def infer(name: str, column: Column, reading: Reading, said: Kind | None = None) -> InferredColumn:
    """
    Args:
        column: text, numbers, flags or moments of all rows, as the file holds them.
        reading: what counts as missing, and the decimal sign.
        said: the kind, by the spec; its values are then taken for what they are said to be, and
            whoever asks checks that they can be read.
    """
    if not said and (plain := plain_numbers(column, reading)) is not None:
        return replace(_number(name, column, plain, reading, is_plain=True), known=column)
    known = reading.known(column)
    return replace(_inferred(name, known, reading, said), known=known)


def _inferred(name: str, known: Column, reading: Reading, said: Kind | None) -> InferredColumn:
    if said:
        return _said(name, known, reading, said)
    if known.null_count == len(known):
        return InferredColumn("constant", "it has no value in any row", reading, known)
    if (found := _all_numbers(known, reading)) is not None:
        return _number(name, known, found, reading)
    return _by_type(known, reading) or _by_words(name, known, reading)


def _by_type(known: Column, reading: Reading) -> InferredColumn | None:
    if pa.types.is_boolean(known.type):
        return InferredColumn("flag", "the file says that it is true or false", reading, known)
    if pa.types.is_temporal(known.type):
        taken = replace(reading, how="moment")
        return InferredColumn("date", "the file says so", taken, taken.values(known))
    if not pa.types.is_string(known.type):  # numbers, some of which are infinite or too large
        found = numbers(known, reading.decimal)
        return InferredColumn("number", "the file says so", replace(reading, how="number"), found)
    return None


def _by_words(name: str, known: Column, reading: Reading) -> InferredColumn:
    if not known.null_count and pc.all(pc.equal(known, known[0])).as_py():
        return InferredColumn("constant", SAME, reading, known)
    if found := _date(name, known, reading):  # no flag's word is one
        return found
    tally = TextCounts.of(known)
    return _flag(known, tally.texts.to_pylist()[:3], reading) or _text(name, known, tally, reading)


def _said(name: str, known: Column, reading: Reading, said: Kind) -> InferredColumn:
    reason = "the spec says so"
    match said:
        case "number":
            taken = replace(reading, how="number")
            return InferredColumn("number", reason, taken, numbers(known, reading.decimal))
        case "date":
            taken, is_text = replace(reading, how="moment"), pa.types.is_string(known.type)
            if is_text and reading.format is not None:
                return InferredColumn("date", reason, taken, written_dates(known, reading.format))
            found = _date(name, known, reading) if is_text else None
            if found and found.kind == "date":
                taken = found.reading
            doubt = found.doubt if found else None
            return InferredColumn("date", reason, taken, taken.values(known), doubt=doubt)
        case "flag":
            return _said_flag(known, reading, reason)
        case "category" | "text":
            return InferredColumn(said, reason, reading, known)


def _said_flag(known: Column, reading: Reading, reason: str) -> InferredColumn:
    if pa.types.is_boolean(known.type):
        return InferredColumn("flag", reason, reading, known)
    plain = _all_numbers(known, reading)
    if plain is not None and _are_zero_and_one(plain):
        return InferredColumn("flag", reason, replace(reading, how="number"), plain, ("0", "1"))
    different = pc.unique(known.drop_null()).to_pylist()
    if found := _flag(known, different, reading):
        return replace(found, reason=reason)
    is_text = pa.types.is_string(known.type)
    two = sorted(different) if len(different) == 2 and is_text else None
    return InferredColumn("flag", reason, reading, known, (two[0], two[1]) if two else None)


def _all_numbers(known: Column, reading: Reading) -> Column | None:
    """None where one is none, or has a zero before it that is no number's, as 007."""
    if pa.types.is_boolean(known.type) or pa.types.is_temporal(known.type):
        return None
    first = known.drop_null()[:LOOKED_AT] if pa.types.is_string(known.type) else known[:0]
    if numbers(pa.chunked_array(first.chunks, known.type), reading.decimal).null_count:
        return None
    found = numbers(known, reading.decimal)
    return None if found.null_count > known.null_count or has_codes(known, found) else found


def _number(
    name: str, known: Column, found: Column, reading: Reading, is_plain: bool = False
) -> InferredColumn:
    """`found`: the numbers, none of which is unreadable."""
    taken = replace(reading, how="number")
    bounds = pc.min_max(found).as_py()
    if max(abs(bounds["min"]), abs(bounds["max"])) > MOST_EXACT and _are_merged(known, found):
        reason = (
            "its numbers have more digits than a number is kept with, so they tell things apart"
        )
        return InferredColumn("identifier", reason, reading, known)
    if bounds["min"] == bounds["max"] and not found.null_count:
        return InferredColumn("constant", SAME, taken, found)
    if not found.null_count and (why := _tells_apart(name, found)):
        return InferredColumn("identifier", why, reading, known)
    if (bounds["min"], bounds["max"]) == (0, 1) and _are_zero_and_one(found):
        return InferredColumn("flag", "its values are 0 and 1 alone", taken, found, ("0", "1"))
    if is_plain or not has_separators(known, reading):
        return InferredColumn("number", "all its values are numbers", taken, found)
    reason = "all its values are numbers, some with signs between groups of three digits"
    example = "1,234" if reading.decimal == "." else "1.234"
    doubt = (
        f"the column `{name}` has numbers with signs between groups of three digits: {example} is "
        'read as 1234. `csv`: {"decimal": …} in the spec says which sign is the decimal one'
    )
    return InferredColumn("number", reason, taken, found, doubt=doubt)


def _are_merged(known: Column, found: Column) -> bool:
    """Tells whether values that the file tells apart are one as float64."""
    told, kept = (pc.count_distinct(each, mode="only_valid").as_py() for each in (known, found))
    return bool(told > kept)


def _are_zero_and_one(found: Column) -> bool:
    return sorted(pc.unique(found).drop_null().to_pylist()) == [0.0, 1.0]


def _tells_apart(name: str, found: Column) -> str | None:
    """Why numbers stand for rows, which all differ; None where they do not."""
    if len(found) < FEWEST_IDENTIFIED:
        return None
    if _counts(as_numbers(found.slice(0, LOOKED_AT))) and _counts(as_numbers(found)):
        return "it counts the rows"
    if not IDENTIFYING.match(name):
        return None
    values = as_numbers(found)
    if (values == np.rint(values)).all() and len(np.unique(values)) == len(values):
        return "its whole numbers differ in each row, and it is named like an identifier"
    return None


def _counts(values: NDArray[np.float64]) -> bool:
    steps = np.diff(values)
    return bool((steps == 1).all() or (steps == -1).all())


def _flag(known: Column, different: Sequence[str], reading: Reading) -> InferredColumn | None:
    if len(different) != 2 or not pa.types.is_string(known.type):
        return None
    by_word = {text.strip().casefold(): text for text in different}
    for true, false in NEGATIVE.items():
        if by_word.keys() == {false, true}:
            reason = f"its values are {false} and {true} alone"
            return InferredColumn("flag", reason, reading, known, (by_word[false], by_word[true]))
    return None


def _date(name: str, known: Column, reading: Reading) -> InferredColumn | None:
    fitting = forms_of(known)
    if len(fitting) == 1:
        how = f"read as {fitting[0]}, the one form that fits them all"
        reason = f"all its values are dates{f', {how}' if fitting[0] else ' as ISO 8601 has them'}"
        taken = replace(reading, how="moment", format=fitting[0])
        return InferredColumn("date", reason, taken, taken.values(known))
    if fitting:
        ways = " or ".join(str(form) for form in fitting)
        column = f'{{"{name}": {{"kind": "date", "format": "{fitting[0]}"}}}}'
        doubt = f"say which it is with `columns`: {column} in the spec"
        reason = f"its values are dates that can be read as {ways}: {doubt}"
        return InferredColumn("text", reason, reading, known, doubt=doubt)
    return None


def _text(name: str, known: Column, tally: TextCounts, reading: Reading) -> InferredColumn:
    values, distinct = int(tally.counts.sum()), len(tally.texts)
    lengths = pc.utf8_length(tally.texts).to_numpy()
    longest, mean = int(lengths.max()), float((lengths * tally.counts).sum() / values)
    has_spaces = tally.share(r"\S\s+\S") > MOSTLY
    has_nul = bool(pc.any(pc.match_substring(tally.texts, "\0")).as_py())
    if longest > NAME_CHARACTERS or has_nul:
        what = "a NUL character" if has_nul else f"more than {NAME_CHARACTERS} characters"
        return InferredColumn("text", f"a value has {what}", reading, known)
    is_unspaced = mean >= UNSPACED_LENGTH and tally.share(UNSPACED) > MOSTLY
    if distinct > MOSTLY * values and (has_spaces or is_unspaced or mean > TEXT_LENGTH):
        how = "most have spaces" if has_spaces else f"they have {mean:.0f} characters on the mean"
        return InferredColumn(
            "text", f"{distinct} of its {values} values differ, and {how}", reading, known
        )
    if distinct == values and values >= FEWEST_IDENTIFIED:
        doubt = nearly(name, tally, reading, "an identifier")
        return InferredColumn(
            "identifier", "its values differ in each row", reading, known, doubt=doubt
        )
    reason = f"it has {distinct} different values in {values} rows"
    doubt = nearly(name, tally, reading, "a category")
    return InferredColumn("category", reason, reading, known, doubt=doubt, tally=tally)
