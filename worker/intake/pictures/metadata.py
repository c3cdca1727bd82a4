"""`metadata.csv` or `metadata.jsonl` of an imagefolder: what else is known of each picture.

A row has `file_name`, a path from the folder that the file stands in, and any further columns. The
label is the column `label`, or the first that is there of `labels`, `class`, `category`, `target`.
"""

import csv
import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from io import StringIO
from typing import Any

import numpy as np

from worker.intake.pictures.archives import Entry
from worker.intake.pictures.names import Path, path_of, spoken
from worker.intake.raw import NAME_CHARACTERS, Array, refuse

NAMES = {"metadata.csv", "metadata.jsonl"}
FILE_NAME = "file_name"
LABEL_COLUMNS = ("label", "labels", "class", "category", "target")
FILE_BYTES = 2**26
COLUMN_LIMIT = 1000
Value = str | int | float | bool | None


@dataclass(frozen=True)
class Metadata:
    """One such file.

    rows: by the picture's path, its further columns.
    columns: the names of all further columns, in their order.
    """

    path: Path
    rows: dict[Path, dict[str, Value]]
    columns: tuple[str, ...]

    @property
    def label_column(self) -> str | None:
        return next((name for name in LABEL_COLUMNS if name in self.columns), None)


def is_metadata(path: Path) -> bool:
    return path[-1].casefold() in NAMES


def read(entry: Entry, folder: Path) -> Metadata:
    """`folder`: where it stands, once what all paths begin with is left out. Raises WorkFailure
    `dataset_invalid`, with the line that is wrong."""
    name = spoken(entry.path)
    if entry.bytes > FILE_BYTES:
        detail = f"expected at most {FILE_BYTES} bytes in `{name}`, got {entry.bytes}"
        refuse("too_large", detail, name)
    try:
        text = entry.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = entry.read()[: error.start].count(b"\n") + 1
        detail = f"expected `{name}` in UTF-8, got other bytes in line {line}"
        refuse("wrong_encoding", detail, name)
    lines = _csv(text, name) if name.casefold().endswith(".csv") else _jsonl(text, name)
    rows: dict[Path, dict[str, Value]] = {}
    columns: dict[str, None] = {}
    for line, row in lines:
        called = row.pop(FILE_NAME, None)
        if not isinstance(called, str) or not called:
            detail = f"expected a text `{FILE_NAME}` in line {line} of `{name}`, got none"
            refuse("missing_file_name", detail, name)
        path = (*folder, *path_of(called, name))
        if path in rows:
            detail = f"expected each picture once in `{name}`, got `{spoken(path)}` again"
            refuse("repeated_file_name", f"{detail} in line {line}", name)
        rows[path] = row
        if row.keys() - columns.keys():
            columns |= dict.fromkeys(row)
            _check_columns(columns, name)
    return Metadata(entry.path, rows, tuple(columns))


def _check_columns(columns: Collection[str], name: str) -> None:
    longest = max(map(len, columns))
    if len(columns) > COLUMN_LIMIT or longest > NAME_CHARACTERS:
        detail = (
            f"expected at most {COLUMN_LIMIT} columns with names of at most {NAME_CHARACTERS} "
            f"characters in `{name}`, got {len(columns)} or more, the longest of {longest}"
        )
        refuse("too_many_columns", detail, name)


def _csv(text: str, name: str) -> Iterator[tuple[int, dict[str, Value]]]:
    reader = csv.reader(StringIO(text), strict=True)
    try:
        header = next(reader, [])
        if FILE_NAME not in header or len(set(header)) < len(header):
            detail = (
                f"expected a first line of different names in `{name}`, with `{FILE_NAME}` among "
                f"them, got {len(header)} names"
            )
            refuse("wrong_header", detail, name)
        for fields in reader:
            if not fields:
                continue
            if len(fields) != len(header):
                detail = (
                    f"expected {len(header)} fields in line {reader.line_num} of `{name}`, as its "
                    f"first line has, got {len(fields)}"
                )
                refuse("ragged_rows", detail, name)
            yield reader.line_num, dict(zip(header, fields, strict=True))
    except csv.Error as error:
        detail = f"expected `{name}` to be CSV, got line {reader.line_num}: {error}"
        refuse("ragged_rows", detail, name)


def _jsonl(text: str, name: str) -> Iterator[tuple[int, dict[str, Value]]]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            row = None
        if not isinstance(row, dict):
            detail = f"expected a JSON object in line {number} of `{name}`, got something else"
            refuse("wrong_json", detail, name)
        if any(isinstance(value, list | dict) for value in row.values()):
            detail = (
                f"expected text, numbers and null in line {number} of `{name}`, got an array or an "
                "object"
            )
            refuse("wrong_json", detail, name)
        yield number, row


def label_array(values: list[Value]) -> Array:
    """Labels of one split as an upload of arrays would hold them: numbers where all are some, NaN
    where there is none; else text, empty where there is none."""
    texts = ["" if value is None else str(value) for value in values]
    if any(isinstance(value, bool) for value in values):
        return np.array(texts)
    numbers = [_number(text) for text in texts]
    if all(number is not None or not text for number, text in zip(numbers, texts, strict=True)):
        if any(texts) and not all(texts):
            return np.array([np.nan if number is None else number for number in numbers], float)
        if any(texts):
            held: list[Any] = [number for number in numbers if number is not None]
            return np.array(held, int if all(type(each) is int for each in held) else float)
    return np.array(texts)


PLAIN = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d{1,3})?", re.ASCII)


def _number(text: str) -> int | float | None:
    """Text that is no plain number, as `007` or ` 7`, stays text."""
    if not PLAIN.fullmatch(text):
        return None
    number = float(text)
    if not np.isfinite(number):
        return None
    return int(text) if text.lstrip("-").isdecimal() and abs(number) < 2**53 else number
