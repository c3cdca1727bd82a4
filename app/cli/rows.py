"""CSV files -> rows of a table, as a model's signature names its columns.

Fields mean what they mean when a file is uploaded: empty ones and blanks are missing, numbers have
the file's decimal sign, whole numbers of a category are written without a fraction.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from io import StringIO
from itertools import islice
from math import isinf
from pathlib import Path
from typing import Any

from app.cli.job_file import Unusable
from app.inputs.columns import CategoryColumn, Column, FlagColumn
from app.inputs.csv_rule import BETWEEN, DECLARED, MINUS, plain_name
from app.inputs.table import TableInputs

DELIMITERS = ",;\t|"
TITLE_ROWS = 20  # among which the names of columns are looked for
ENCODINGS = (("\ufeff".encode("utf-16-le"), "utf-16"), ("\ufeff".encode("utf-16-be"), "utf-16"))
GROUPED = re.compile(rf"[+-]?\d{{1,3}}([.,{BETWEEN}])\d{{3}}(?:\1\d{{3}})*(?![\d])")
NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)


@dataclass(frozen=True)
class Written:
    """Way in which a file is written. None: as it shows.

    missing: words that mean that nothing is known, besides an empty field.
    """

    encoding: str | None = None
    decimal: str | None = None
    missing: tuple[str, ...] = ()


def read(
    path: Path, inputs: TableInputs, written: Written | None = None
) -> tuple[list[dict[str, Any]], list[str]]:
    """Rows with the model's columns, what is missing as None; and sentences about how the file was
    read, where it might have been read otherwise. Raises Unusable, with the line."""
    written = written or Written()
    text = text_of(path, written.encoding)
    try:
        declared = DECLARED.match(text)
        table = text[declared.end() :] if declared else text
        known = {plain_name(column.name) for column in inputs.columns}
        first, delimiter = heading(table, declared[1] if declared else DELIMITERS, known)
        reader = csv.reader(StringIO(table, newline=""), delimiter=delimiter, strict=True)
        before = 1 if declared else 0
        lines = [(before + reader.line_num, fields) for fields in reader if fields][first:]
    except csv.Error as error:
        raise Unusable(f"{path}: expected a CSV file, got: {error}") from error
    names = [plain_name(name) for name in lines[0][1]] if lines else []
    _check_names(path, names, inputs)
    for line, fields in lines[1:]:
        if len(fields) != len(names):
            raise Unusable(
                f"{path}: expected {len(names)} fields in the row that ends on line {line}, got "
                f"{len(fields)}"
            )
    if not lines[1:]:
        raise Unusable(f"{path}: expected rows below the names of columns, got none")
    places = {column.name: names.index(plain_name(column.name)) for column in inputs.columns}
    numbers = [places[column.name] for column in inputs.columns if column.dtype == "float32"]
    is_comma = _is_comma(lines[1:], numbers) if written.decimal is None else written.decimal == ","
    missing = [word.strip() for word in written.missing]
    rows = [*_rows(path, lines[1:], places, inputs, is_comma, missing)]
    left_out = [name for name in names if name not in places]
    said = ["numbers have a comma as decimal sign"] if is_comma and not written.decimal else []
    if left_out:
        said.append(f"left out, since the model does not know them: {', '.join(left_out)}")
    return rows, said


def text_of(path: Path, said: str | None) -> str:
    """A file's text, in the encoding that is `said`, or that of its mark, or UTF-8. Raises
    Unusable."""
    try:
        content = path.read_bytes()
        marked = (name for mark, name in ENCODINGS if content.startswith(mark))
        encoding = said or next(marked, "utf-8")
        return content.decode(encoding).removeprefix("\ufeff")
    except OSError as error:
        raise Unusable(f"{path}: {error.strerror}") from error
    except LookupError as error:
        raise Unusable("--encoding: expected one that Python knows, as cp1252") from error
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise Unusable(
            f"{path}: expected text in {encoding}, got line {line} in another encoding; --encoding "
            "says what it is, as cp1252 or gb18030"
        ) from error
    except UnicodeError as error:
        raise Unusable(f"{path}: expected text in {encoding}, got other bytes") from error


def heading(table: str, delimiters: str, known: Set[str]) -> tuple[int, str]:
    """The place among the rows that are not blank of the one that has the most of the `known`
    names, which titles may stand above, and the delimiter by which it does. Raises csv.Error."""
    found = [(0, 0, delimiters[0])]
    for delimiter in delimiters:
        rows = (row for row in csv.reader(StringIO(table, newline=""), delimiter=delimiter) if row)
        for place, row in enumerate(islice(rows, TITLE_ROWS)):
            found.append((len(known & {*map(plain_name, row)}), place, delimiter))
    _, place, delimiter = max(found, key=lambda each: each[0])
    return place, delimiter


def _check_names(path: Path, names: list[str], inputs: TableInputs) -> None:
    for name in (plain_name(column.name) for column in inputs.columns):
        if names.count(name) != 1:
            got = "none" if name not in names else "several"
            raise Unusable(f"{path}: expected one column `{name}`, got {got}")


def _is_comma(lines: Iterable[tuple[int, list[str]]], numbers: Sequence[int]) -> bool:
    """Tells whether numbers have commas and no points. 1,234 alone shows neither."""
    fields = [fields[place].strip() for _, fields in lines for place in numbers]
    plain = [field for field in fields if not GROUPED.fullmatch(field)]
    return any("," in field for field in plain) and not any("." in field for field in plain)


def _rows(
    path: Path,
    lines: Iterable[tuple[int, list[str]]],
    places: dict[str, int],
    inputs: TableInputs,
    is_comma: bool,
    missing: Sequence[str],
) -> Iterator[dict[str, Any]]:
    for line, fields in lines:
        row = {}
        for column in inputs.columns:
            text = fields[places[column.name]]
            try:
                row[column.name] = _value(column, text, is_comma, missing)
            except ValueError:
                raise Unusable(
                    f"{path}: expected {column.expected} in the column `{column.name}` of the row "
                    f"that ends on line {line}, got text of length {len(text)}; --missing WORD "
                    "names what means that nothing is known"
                ) from None
        yield row


def _value(column: Column, text: str, is_comma: bool, missing: Sequence[str]) -> Any:
    """Reads a value as JSON has it; text is for the service to judge. Raises ValueError."""
    plain = text.strip()
    if plain in missing or (not plain and not (not text and column.takes_empty_text)):
        return None
    number = _ungrouped(_without_unit(plain, column.unit), "," if is_comma else ".")
    if column.dtype == "float32":
        if not NUMBER.fullmatch(number):
            raise ValueError
        value = float(number)
        if isinf(value):
            raise ValueError
        return value
    if isinstance(column, CategoryColumn | FlagColumn) and text not in column.values:
        return _whole(number) if _whole(number) in column.values else text
    return text


def _without_unit(text: str, unit: str) -> str:
    return text.removesuffix(unit).removeprefix(unit).strip() if unit else text


def _ungrouped(text: str, decimal: str) -> str:
    """A number with a point for its decimal sign, a hyphen for its minus and nothing between groups
    of three digits."""
    text = text.replace(MINUS, "-")
    groups = GROUPED.match(text)
    if groups and groups[1] != decimal:
        text = text.replace(groups[1], "")
    return text.replace(",", ".") if decimal == "," else text


def _whole(number: str) -> str | None:
    """A whole number's digits, as 3 of 3.0."""
    value = float(number) if NUMBER.fullmatch(number) else 0.5
    return str(int(value)) if value.is_integer() else None
