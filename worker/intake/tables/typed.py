"""Columns of formats that have types -> text, numbers, flags and moments."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from app.datasets.table_spec import TableSpec
from worker.intake.raw import IntakeLimits, RawFile, refuse
from worker.intake.tables.records import FileRows, check_names, listed, spill

PLAIN = (pa.null(), pa.string(), pa.bool_(), pa.int64(), pa.float64(), pa.timestamp("us"))
STORED_AS = (
    (pa.types.is_large_string, pa.string()),
    (pa.types.is_string_view, pa.string()),
    (pa.types.is_uint64, pa.float64()),
    (pa.types.is_integer, pa.int64()),
    (pa.types.is_floating, pa.float64()),
    (pa.types.is_decimal, pa.float64()),
    (pa.types.is_timestamp, pa.timestamp("us")),
    (pa.types.is_date, pa.timestamp("us")),
)


def plain_type(kind: pa.DataType) -> pa.DataType | None:
    """Type that a column of that type is stored as; None for lists, structures and bytes."""
    if pa.types.is_dictionary(kind):
        return plain_type(kind.value_type)
    if kind in PLAIN:
        return kind
    return next((plain for of_kind, plain in STORED_AS if of_kind(kind)), None)


def spill_typed(
    file: RawFile,
    schema: pa.Schema,
    batches: Iterable[pa.RecordBatch],
    spec: TableSpec,
    limits: IntakeLimits,
    target: Path,
) -> FileRows:
    """Checks batches of an untrusted file, and writes their columns as plain ones. Columns that the
    spec ignores may be of any type, and are written as missing where theirs is not plain. Raises
    WorkFailure `dataset_invalid`."""
    names = tuple(schema.names)
    check_names(names, file.name)
    nested = {
        field.name: field.type
        for field in schema
        if plain_type(field.type) is None and spec.columns.get(field.name) != "ignore"
    }
    if nested:
        first = next(iter(nested))
        detail = (
            f"expected text, numbers, flags or dates in each column of `{file.name}`, got "
            f"lists, structures, bytes or times of day in {listed(list(nested))}, in `{first}` "
            f"{str(nested[first])[:80]}: "
            "make columns of their own of what these hold, or say "
            '`columns`: {"NAME": "ignore"} in the spec'
        )
        refuse("nested_column", detail, first)
    plain = pa.schema([(field.name, plain_type(field.type) or pa.null()) for field in schema])
    plainly = (_plain(batch, plain, file.name) for batch in batches)
    rows = spill(file.name, plain, plainly, limits, target)
    return FileRows(file.name, target, rows, names, lambda row: f"row {row}, counted from 0")


def _plain(batch: pa.RecordBatch, plain: pa.Schema, file: str) -> pa.RecordBatch:
    batch.validate(full=True)  # offsets and UTF-8 of a file that may be anything
    columns = []
    for column, field in zip(batch.columns, plain, strict=True):
        if pa.types.is_null(field.type):
            columns.append(pa.nulls(len(column)))
            continue
        dense = column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
        if pa.types.is_timestamp(dense.type) and dense.type.tz is not None:
            dense = pc.cast(dense, pa.timestamp(dense.type.unit))  # its moments are in UTC already
        is_finer = pa.types.is_timestamp(dense.type) and dense.type.unit == "ns"
        is_number = pa.types.is_floating(field.type)
        try:
            columns.append(pc.cast(dense, field.type, safe=not (is_finer or is_number)))
        except pa.ArrowInvalid:
            if not pa.types.is_temporal(field.type):
                raise
            detail = (
                f"expected dates in the years 1 to 9999 in the column `{field.name}` of `{file}`"
            )
            refuse("wrong_type", f"{detail}, got others", field.name)
    return pa.record_batch(columns, schema=plain)


@contextmanager
def arrow_damage_refused(name: str) -> Iterator[None]:
    """Around all that reads a binary file with Arrow."""
    try:
        yield
    except (pa.ArrowException, OSError, EOFError, ValueError, OverflowError) as error:
        if isinstance(error, OSError) and error.errno:
            raise  # our disk, not their file
        refuse(
            "truncated_file", f"`{name}` is damaged, cut off, or no such file: it cannot be read"
        )
