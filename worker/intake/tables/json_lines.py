"""JSONL: an object in each line, .gz too. A column is a name that any object has; where an object
lacks it, or has null, its value is missing."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa

from app.datasets.table_spec import CsvSpec, TableSpec
from worker.intake.raw import IntakeLimits, RawFile, refuse
from worker.intake.tables.encodings import plain_text
from worker.intake.tables.records import COLUMN_LIMIT, FileRows, check_names, spill

name = "JSONL"

SUFFIXES = (".jsonl", ".ndjson", ".jsonl.gz", ".ndjson.gz")
LONGEST_LINE = 2**24  # bytes
BATCH_ROWS = 2**12
LARGEST_WHOLE = 2**63 - 1
NO_NUMBER = re.compile(rb"[:\[,]\s*-?(NaN|Infinity|inf)\b")
TYPES = {"text": pa.string(), "number": pa.float64(), "whole": pa.int64(), "flag": pa.bool_()}
SPOKEN = {"text": "text", "number": "a number", "whole": "a number", "flag": "true or false"}


@dataclass
class _Seen:
    """What a column holds so far, and the line that showed it first."""

    kinds: dict[str, int] = field(default_factory=dict)


def recognises(file: RawFile) -> bool:
    return file.name.lower().endswith(SUFFIXES)


def read(file: RawFile, spec: TableSpec, limits: IntakeLimits, workdir: Path) -> FileRows:
    said = spec.csv or CsvSpec()
    text = plain_text(file, said.encoding, limits, workdir)
    types = _types(text.path, file.name, spec)
    names = tuple(types)
    check_names(names, file.name)
    schema = pa.schema(list(types.items()))
    target = workdir / f"{file.path.name}.arrow"
    rows = spill(file.name, schema, _batches(text.path, file.name, schema), limits, target)
    return FileRows(file.name, target, rows, names, partial(_place, text.path), (text.found,))


def _lines(path: Path, file: str) -> Iterator[tuple[int, bytes]]:
    """Lines that are not blank, counted from 1."""
    with path.open("rb") as stream:
        number = 0
        while line := stream.readline(LONGEST_LINE + 1):
            number += 1
            if len(line) > LONGEST_LINE:
                detail = f"expected lines of at most {LONGEST_LINE} bytes in `{file}`, got a longer"
                refuse("too_large", f"{detail} one, line {number}", file)
            plain = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
            if plain.strip():
                yield number, plain


def _objects(path: Path, file: str) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in _lines(path, file):
        try:
            found = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            detail = f"expected a JSON object in each line of `{file}`, got none in line {number}"
            told = f"{detail}: {error.msg}, at character {error.colno}"
            refuse("invalid_json", f"{told}{_cure(line)}", file)
        if not isinstance(found, dict):
            detail = f"expected a JSON object in each line of `{file}`, got another value"
            refuse("invalid_json", f"{detail} in line {number}{_cure(line)}", file)
        yield number, found


def _cure(line: bytes) -> str:
    """What to do about a line that holds none, where it shows."""
    if line.lstrip().startswith(b"["):
        return "; write each object of the array on a line of its own, without commas between them"
    if line.rstrip().endswith(b"},"):
        return "; leave out the comma behind the object"
    if line.strip() in {b"{", b"}"}:
        return "; write each object on one line"
    if NO_NUMBER.search(line):
        return "; JSON has no NaN and no infinite numbers: write null where nothing is known"
    return ""


def _types(path: Path, file: str, spec: TableSpec) -> Mapping[str, pa.DataType]:
    """Types of each column, in the order in which they come first."""
    columns: dict[str, _Seen] = {}
    for number, found in _objects(path, file):
        for key, value in found.items():
            if key not in columns:
                columns[key] = _Seen()
                if len(columns) > COLUMN_LIMIT:
                    detail = f"expected at most {COLUMN_LIMIT} names in the objects of `{file}`"
                    refuse("too_many_columns", f"{detail}, got more in line {number}", file)
            if value is not None:
                columns[key].kinds.setdefault(_kind(value), number)
    if not columns:
        refuse("empty_file", f"expected a JSON object in each line of `{file}`, got none")
    return {key: _type(key, seen.kinds, file, spec) for key, seen in columns.items()}


def _kind(value: Any) -> str:
    match value:
        case bool():
            return "flag"
        case str():
            return "text"
        case int():
            return "whole" if abs(value) <= LARGEST_WHOLE else "number"
        case float():
            return "number"
    return "nested"


def _type(key: str, kinds: dict[str, int], file: str, spec: TableSpec) -> pa.DataType:
    if spec.columns.get(key) == "ignore" or not kinds:
        return pa.null() if len(kinds) != 1 or "nested" in kinds else TYPES[next(iter(kinds))]
    if "nested" in kinds:
        detail = (
            f"expected text, a number, true, false or null in the member `{key}` of each object of "
            f"`{file}`, got an array or an object in line {kinds['nested']}: make members of their "
            'own of what it holds, or say `columns`: {"NAME": "ignore"} in the spec'
        )
        refuse("nested_column", detail, key)
    if kinds.keys() == {"whole", "number"}:
        return TYPES["number"]
    if len(kinds) > 1:
        (one, first), (other, second) = islice(kinds.items(), 2)
        detail = (
            f"expected values of one type in the member `{key}` of the objects of `{file}`, got "
            f"{SPOKEN[one]} in line {first} and {SPOKEN[other]} in line {second}"
        )
        refuse("wrong_type", detail, key)
    return TYPES[next(iter(kinds))]


def _batches(path: Path, file: str, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    objects = (found for _, found in _objects(path, file))
    while chunk := list(islice(objects, BATCH_ROWS)):
        columns = [
            pa.nulls(len(chunk))
            if pa.types.is_null(kind.type)
            else pa.array([_plain(each.get(kind.name), kind.type) for each in chunk], kind.type)
            for kind in schema
        ]
        yield pa.record_batch(columns, schema=schema)


def _plain(value: Any, kind: pa.DataType) -> Any:
    """Whole numbers beyond 64 bits are for float64 alone, which Arrow makes of floats only."""
    is_number = value is not None and pa.types.is_floating(kind)
    return float(value) if is_number else value


def _place(path: Path, row: int) -> str:
    found = next(islice(_lines(path, ""), row, None), None)
    return f"line {found[0]}" if found else f"row {row}"
