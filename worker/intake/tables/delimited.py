"""CSV and TSV files, .gz too: a line of names, then rows."""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import NoReturn

import pyarrow as pa
from pyarrow import csv as arrow_csv

from app.datasets.table_spec import CsvSpec, TableSpec
from app.inputs.csv_rule import plain_name
from worker.intake.raw import IntakeLimits, RawFile, refuse
from worker.intake.tables.dialect import Dialect, dialect_of, first_lines, header_of, lines_of
from worker.intake.tables.encodings import plain_text
from worker.intake.tables.number_columns import all_finite, number_columns
from worker.intake.tables.records import FileRows, check_names, gathered

name = "CSV"

SUFFIXES = (".csv", ".tsv", ".tab", ".csv.gz", ".tsv.gz", ".tab.gz")
SPACED_QUOTE = re.compile(r'\s+"')
BLOCK_BYTES = 2**22
HEAD_BYTES = 2**18  # in which columns of numbers show


def recognises(file: RawFile) -> bool:
    return file.name.lower().endswith(SUFFIXES)


def read(file: RawFile, spec: TableSpec, limits: IntakeLimits, workdir: Path) -> FileRows:
    said = spec.csv or CsvSpec()
    text = plain_text(file, said.encoding, limits, workdir)
    dialect = dialect_of(text.path, file.name, said)
    names, unnamed = _named(header_of(text.path, dialect, file.name))
    check_names(names, file.name)
    found = (text.found, *dialect.found, *unnamed)
    place = partial(_place, text.path, dialect)
    target = workdir / f"{file.path.name}.arrow"

    def taken(as_numbers: frozenset[str]) -> FileRows:
        types = {each: pa.float64() if each in as_numbers else pa.string() for each in names}
        batches = all_finite(_batches(text.path, types, dialect, spec.missing), as_numbers)
        schema = pa.schema([*types.items()])
        rows, held = gathered(file.name, schema, batches, limits, target)
        read = FileRows(file.name, target, rows, names, place, found, dialect.decimal, as_text)
        return replace(read, held=held)

    def as_text() -> FileRows:
        try:
            return taken(frozenset())
        except pa.ArrowInvalid:
            _refuse_ragged(text.path, dialect, len(names), file.name)

    as_numbers = _number_columns(text.path, names, dialect, spec)
    try:
        return taken(as_numbers) if as_numbers else as_text()
    except pa.ArrowInvalid:  # a field after the first rows is no number
        return as_text()


def _number_columns(
    path: Path, names: tuple[str, ...], dialect: Dialect, spec: TableSpec
) -> frozenset[str]:
    if dialect.decimal is None:
        return frozenset()
    with path.open("rb") as stream:
        whole_lines, _, _ = first_lines(stream, b"\n", HEAD_BYTES).rpartition(b"\n")
    types = dict.fromkeys(names, pa.string())
    try:
        first = next(_batches(pa.BufferReader(whole_lines), types, dialect), None)
    except pa.ArrowInvalid:  # the last of them ends within quotes, or rows are ragged
        return frozenset()
    return number_columns(first, spec, dialect.decimal) if first else frozenset()


def _named(header: list[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names without the spaces around them, and sentences where some were blank or had some."""
    plain, found = [plain_name(each) for each in header], list[str]()
    if any(each and each != old for each, old in zip(plain, header, strict=True)):
        found.append("Spaces around names of columns were left out.")
    blank = {place: _unnamed(place, plain) for place, each in enumerate(plain) if not each}
    if blank:
        called = ", ".join(blank.values())
        found.append(f"Columns without a name are called by their place: {called}.")
    return tuple(blank.get(place, each) for place, each in enumerate(plain)), tuple(found)


def _unnamed(place: int, others: Sequence[str]) -> str:
    """Name of a column without one, that none of the others has."""
    name = f"column_{place + 1}"
    while name in others:
        name += "_"
    return name


def _batches(
    source: Path | pa.BufferReader,
    types: Mapping[str, pa.DataType],
    dialect: Dialect,
    missing: Sequence[str] = (),
) -> Iterator[pa.RecordBatch]:
    """`missing`: words that mean no number."""
    with arrow_csv.open_csv(
        source,
        arrow_csv.ReadOptions(
            use_threads=True,
            block_size=BLOCK_BYTES,
            column_names=list(types),
            skip_rows=dialect.skipped,
            skip_rows_after_names=1,
        ),
        arrow_csv.ParseOptions(delimiter=dialect.delimiter, newlines_in_values=True),
        arrow_csv.ConvertOptions(
            check_utf8=False,
            column_types=types,
            null_values=["", *missing],
            strings_can_be_null=False,
            decimal_point=dialect.decimal or ".",
        ),
    ) as reader:
        yield from reader


def _refuse_ragged(path: Path, dialect: Dialect, columns: int, file: str) -> NoReturn:
    """Finds the line that Arrow's reader stumbled over."""
    line = rows = 0
    try:
        for line, row in lines_of(path, dialect.delimiter, dialect.skipped):
            rows += 1
            if len(row) != columns:
                detail = (
                    f"expected {columns} fields in each row of `{file}`, as its line of names has, "
                    f"got {len(row)} in the row that begins on line {line}; {_cure(row, columns)}"
                )
                refuse("ragged_rows", detail, file)
    except csv.Error:
        detail = (
            f"expected quotes that end in `{file}`, got a field that does not in the record after "
            f"the one on line {line}: it is longer than 4 MB, or a quote stands within it, which "
            "is written twice"
        )
        refuse("ragged_rows", detail, file)
    if rows < 2:
        detail = f"expected rows below the names of columns in `{file}`, got none"
        refuse("empty_split", detail)
    detail = f"expected rows of {columns} fields of less than 4 MB in `{file}`, got others"
    refuse("ragged_rows", detail, file)


def _cure(row: Sequence[str], columns: int) -> str:
    """What to do about a row that has too few fields, or too many."""
    if columns == 1:
        return (
            'write the names of all columns above the rows, or say `csv`: {"delimiter": …} in the '
            "spec"
        )
    if len(row) == columns + 1 and not row[-1].strip():
        return "it ends with a delimiter: end the line of names with one too"
    if any(SPACED_QUOTE.match(field) for field in row):
        return "leave out the spaces between a delimiter and the quote behind it"
    if len(row) < columns:
        return "complete it, or take it out where it is a note that belongs to no row"
    return "put quotes around a field that holds the delimiter itself"


def _place(path: Path, dialect: Dialect, row: int) -> str:
    found = next(islice(lines_of(path, dialect.delimiter, dialect.skipped), row + 1, None), None)
    return f"line {found[0]}" if found else f"row {row}"
