"""CSV files -> rows of a table, as a model's signature names its columns."""

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from app.cli.job_file import Unusable
from app.inputs.columns import Column
from app.inputs.table import TableInputs

DELIMITERS = ",;\t|"


def read(path: Path, inputs: TableInputs) -> tuple[list[dict[str, Any]], list[str]]:
    """Rows with the model's columns, an empty field as None; and the names of the columns that are
    left out, because the model does not know them. Raises Unusable, with the line."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header = file.readline()
            file.seek(0)
            lines = csv.reader(file, delimiter=_delimiter(header, inputs), strict=True)
            names = next(lines, [])
            _check_names(path, names, inputs)
            rows = [*_rows(path, lines, names, inputs)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise Unusable(f"{path}: expected a CSV file in UTF-8, got: {error}") from error
    if not rows:
        raise Unusable(f"{path}: expected rows below the names of columns, got none")
    known = {column.name for column in inputs.columns}
    return rows, [name for name in names if name not in known]


def _delimiter(header: str, inputs: TableInputs) -> str:
    """The one by which the first line names the most columns of the model."""
    known = {column.name for column in inputs.columns}

    def found(delimiter: str) -> int:
        return len(known.intersection(next(csv.reader([header], delimiter=delimiter), [])))

    return max(DELIMITERS, key=found)


def _check_names(path: Path, names: list[str], inputs: TableInputs) -> None:
    for column in inputs.columns:
        if names.count(column.name) != 1:
            got = "none" if column.name not in names else "several"
            raise Unusable(f"{path}: expected one column `{column.name}`, got {got}")


def _rows(
    path: Path, lines: Iterable[list[str]], names: list[str], inputs: TableInputs
) -> Iterator[dict[str, Any]]:
    places = {column.name: names.index(column.name) for column in inputs.columns}
    for number, fields in enumerate(lines, 1):
        if not fields:  # an empty line
            continue
        if len(fields) != len(names):
            raise Unusable(
                f"{path}: expected {len(names)} fields in row {number}, got {len(fields)}"
            )
        row = {}
        for column in inputs.columns:
            try:
                row[column.name] = _value(column, fields[places[column.name]])
            except ValueError:
                raise Unusable(
                    f"{path}: expected {column.expected} in the column `{column.name}` of row "
                    f"{number}, got text of length {len(fields[places[column.name]])}"
                ) from None
        yield row


def _value(column: Column, text: str) -> Any:
    """As JSON has it; text is for the service to judge. Raises ValueError."""
    if not text and not column.takes_empty_text:
        return None
    return float(text) if column.dtype == "float32" else text
