"""The dialect of a CSV file, found out from its first rows, and said."""

import csv
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO
from itertools import islice
from pathlib import Path
from typing import IO, AnyStr, Literal

from app.datasets.table_spec import CsvSpec
from app.inputs.csv_rule import BETWEEN, DECLARED, NUMBER, SIGN, place_of_names
from worker.intake.raw import refuse
from worker.intake.tables.unit_words import bare

DELIMITERS = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a bar"}
LOOKED_AT = 2**18  # characters
FEWEST_LINES, MOST_LOOKED_AT = 4, 2**24  # of wide tables: lines, unless they are longer together
ROWS = 200
LONGEST_FIELD = 2**22  # characters
WITH_COMMA = re.compile(rf"{SIGN}(\d{{1,3}}([.{BETWEEN}]\d{{3}})+|\d+),\d+")
WITH_POINT = re.compile(rf"{SIGN}(\d{{1,3}}([,{BETWEEN}]\d{{3}})+|\d+)\.\d+")
THOUSANDS = re.compile(rf"{SIGN}\d{{1,3}}([.,]\d{{3}})+")

Decimal = Literal[".", ","]


@dataclass(frozen=True)
class Dialect:
    delimiter: str
    decimal: Decimal | None  # None where no number shows it
    found: tuple[str, ...]
    skipped: int = 0  # lines before the names


def dialect_of(path: Path, name: str, said: CsvSpec) -> Dialect:
    """`path`: UTF-8. Raises WorkFailure `dataset_invalid`."""
    with path.open(encoding="utf-8-sig", newline="") as stream:
        head = first_lines(stream, "\n", LOOKED_AT)
        is_whole = not stream.read(1)
    declared = DECLARED.match(head)
    head = head[declared.end() :] if declared else head
    if said.delimiter:
        delimiter, why = said.delimiter, "the spec says so"
    elif declared:
        delimiter, why = declared[1], "its first line says so"
    else:
        delimiter, why = _delimiter(head, is_whole)
    if delimiter in {'"', "\n", "\r", "\0"}:
        refuse("wrong_delimiter", "expected a delimiter that is no quote and no end of line")
    called = DELIMITERS.get(delimiter, f"`{delimiter}`")
    found = [f"Fields of `{name}` are told apart by {called}: {why}."]
    records = _records(head, delimiter, is_whole)
    place = place_of_names([row for _, row in records])
    before = records[place][0] - 1 if records else 0
    skipped = before + (1 if declared else 0)
    if place:
        found.append(
            f"The names of columns of `{name}` stand on line {skipped + 1}: what stands above them "
            "was left out."
        )
    fields = [field for _, row in records[place + 1 :] for field in row]
    decimal, why = (said.decimal, "the spec says so") if said.decimal else _decimal(fields)
    if why:
        sign = "a comma" if decimal == "," else "a point"
        found.append(f"Numbers of `{name}` have {sign} as decimal sign: {why}.")
    return Dialect(delimiter, decimal, tuple(found), skipped)


def first_lines(stream: IO[AnyStr], newline: AnyStr, least: int) -> AnyStr:
    """Reads the beginning of a file: so many characters or bytes, more where that is hardly a line.

    Args:
        least: to be read at once.
    """
    head = stream.read(least)
    while head.count(newline) < FEWEST_LINES and len(head) < MOST_LOOKED_AT:
        if not (more := stream.read(least)):
            break
        head += more
    return head


def lines_of(path: Path, delimiter: str, skipped: int = 0) -> Iterator[tuple[int, list[str]]]:
    """Records with the line, counted from 1, that each begins on, as a reader in Python sees them:
    slow, and only for telling where something is wrong. Raises csv.Error."""
    csv.field_size_limit(LONGEST_FIELD)
    with path.open(encoding="utf-8-sig", newline="") as stream:
        for _ in range(skipped):
            stream.readline()
        reader = csv.reader(stream, delimiter=delimiter, strict=True)
        line = skipped + 1
        for row in reader:
            if row:
                yield line, row
            line = skipped + reader.line_num + 1


def header_of(path: Path, dialect: Dialect, name: str) -> list[str]:
    """The first record. Raises WorkFailure `dataset_invalid`."""
    try:
        first = next(lines_of(path, dialect.delimiter, dialect.skipped), None)
    except csv.Error:
        refuse("ragged_rows", f"expected names of columns in line 1 of `{name}`, got no such line")
    if first is None:
        refuse(
            "empty_file", f"expected a line of names and rows in `{name}`, got blank lines alone"
        )
    names = first[1]
    if all(NUMBER.fullmatch(each.strip()) for each in names):
        detail = (
            f"expected names of columns in the first line of `{name}`, got numbers alone; write a "
            "line of names above them"
        )
        refuse("missing_header", detail, name)
    return names


def _records(head: str, delimiter: str, is_whole: bool) -> list[tuple[int, list[str]]]:
    """The first records that are not blank, with the line, counted from 1, that each begins on."""
    csv.field_size_limit(LONGEST_FIELD)
    reader = csv.reader(StringIO(head, newline=""), delimiter=delimiter)
    rows, line = list[tuple[int, list[str]]](), 1
    for row in islice(reader, ROWS):
        rows.append((line, row))
        line = reader.line_num + 1
    chosen = rows if is_whole or len(rows) == ROWS else rows[:-1]
    return [(line, row) for line, row in chosen if row]


def _delimiter(head: str, is_whole: bool) -> tuple[str, str]:
    """The one that makes the most rows equally long; of those the one that makes most columns."""
    scores = {}
    for delimiter in DELIMITERS:
        lengths = Counter(len(row) for _, row in _records(head, delimiter, is_whole))
        if not lengths:
            continue
        length, rows = lengths.most_common(1)[0]
        if length > 1:
            scores[delimiter] = (rows / lengths.total(), length)
    if not scores:
        return ",", "no other sign is in the first rows either"
    best = max(scores, key=scores.__getitem__)
    share, length = scores[best]
    how_many = "all" if share == 1 else f"{share:.0%} of the"
    return best, f"with it {how_many} first rows have {length} fields"


def _decimal(fields: list[str]) -> tuple[Decimal | None, str]:
    """The sign, and why; None where no field shows it."""
    texts = [bare(field.strip()) for field in fields]
    commas = [
        text for text in texts if WITH_COMMA.fullmatch(text) and not THOUSANDS.fullmatch(text)
    ]
    points = [
        text for text in texts if WITH_POINT.fullmatch(text) and not THOUSANDS.fullmatch(text)
    ]
    grouped = sum(1 for text in texts if THOUSANDS.fullmatch(text))
    if len(commas) > len(points):
        return ",", f"{len(commas)} of the first fields are numbers with a comma"
    if points:
        return ".", f"{len(points)} of the first fields are numbers with a point"
    if grouped:
        return ".", (
            f"none of the first fields shows it; {grouped} that could be read either way, as "
            "1,234 or 1.234, are read so"
        )
    return None, ""
