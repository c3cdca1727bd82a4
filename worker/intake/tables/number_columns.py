"""Columns of a CSV file that can be read as numbers straight away, by its first rows.

Only a column whose first rows are numbers with fractions: no leading zero makes a code of it then,
and nothing but its numbers is asked for. Where a later field is no number, all is read as text.
"""

from collections.abc import Collection, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from app.datasets.table_spec import ColumnSpec, TableSpec
from worker.intake.tables.readings import LOOKED_AT, Reading, as_numbers, numbers
from worker.intake.tables.target import USUAL

MOST_EXACT = 2.0**53


def number_columns(first: pa.RecordBatch, spec: TableSpec, decimal: str) -> frozenset[str]:
    """`first`: rows as text."""
    reading = Reading(missing=spec.missing, decimal=decimal)
    needed = _needed_as_text(spec)
    return frozenset(
        name
        for name, column in zip(first.schema.names, first.columns, strict=True)
        if name not in needed
        and name.strip().casefold() not in USUAL
        and _may_be_numbers(spec, name)
        and _are_fractions(column.slice(0, LOOKED_AT), reading)
    )


def all_finite(
    batches: Iterator[pa.RecordBatch], names: Collection[str]
) -> Iterator[pa.RecordBatch]:
    """The batches, whose columns `names` are float64. Raises ArrowInvalid for `nan`, `inf` and what
    may have more digits than float64: in text these may be no numbers."""
    for batch in batches:
        for name in names:
            is_small = pc.less_equal(pc.abs(batch.column(name)), MOST_EXACT)
            if pc.all(is_small).as_py() is False:
                raise pa.ArrowInvalid("expected finite numbers")
        yield batch


def _needed_as_text(spec: TableSpec) -> set[str]:
    """Columns of labels and of the split."""
    needed: set[str] = set()
    if spec.target:
        needed |= {*(spec.target.columns or ()), *filter(None, [spec.target.column])}
    if spec.split:
        needed |= {*(spec.split.where or ()), *filter(None, [spec.split.column, spec.split.group])}
    return needed


def _may_be_numbers(spec: TableSpec, name: str) -> bool:
    said = spec.columns.get(name, "ignore")
    if isinstance(said, ColumnSpec):
        has_role = said.role not in {None, "feature", "ignored"}
        return said.kind in {None, "number"} and not said.missing and not has_role
    return said in {"number", "ignore"}


def _are_fractions(column: pa.Array, reading: Reading) -> bool:
    text = pa.chunked_array([column])
    known = reading.known(text)
    found = numbers(known, reading.decimal)
    values = as_numbers(found.drop_null())
    return found.null_count == known.null_count and bool((values != np.rint(values)).any())
