"""Numbers that are written with their unit, as 12.5 % and €1,200: the unit is kept apart.

A column of text has a unit where each of its values is a number before, or after, the same sign or
word. Before a number that is a currency; behind it also a percent sign, a degree or a word, as kg.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from app.datasets.table_spec import TableSpec
from app.inputs.csv_rule import BETWEEN, SIGN
from worker.datasets.stored_rows import write_batches
from worker.intake.raw import refuse
from worker.intake.tables.features import reading_of, said_of
from worker.intake.tables.readings import LOOKED_AT, Column, Reading, has_codes, numbers
from worker.intake.tables.records import FileRows, Records
from worker.intake.tables.unit_words import unit_of

UNTOUCHED = {"category", "text", "date", "flag"}  # kinds that the spec may say


def without_units(records: Records, spec: TableSpec, workdir: Path) -> Records:
    """Raises WorkFailure `dataset_invalid` where two files have different units."""
    decimal = records.decimal
    parts = [_without(part, _units(part, spec, decimal), workdir) for part in records.parts]
    if len(parts) == 1:
        return Records(*parts)
    train, test = parts
    for name in {*train.units, *test.units}.intersection(train.names, test.names):
        if train.units.get(name) != test.units.get(name) and not _is_empty(train, test, name):
            told = (
                f"{f'`{part.units[name]}`' if name in part.units else 'no unit'} in `{part.name}`"
                for part in (train, test)
            )
            detail = (
                f"expected the column `{name}` in one unit, got {' and '.join(told)}; write both "
                "alike"
            )
            refuse("mixed_units", detail, name)
    return Records(train, test)


def _is_empty(train: FileRows, test: FileRows, name: str) -> bool:
    """Tells whether one of them has no value in the column."""
    return any(
        Reading().known(column).null_count == len(column)
        for column in (train.column(name), test.column(name))
    )


def _units(part: FileRows, spec: TableSpec, decimal: str) -> dict[str, str]:
    found = {}
    for name in part.names:
        said = said_of(spec, name)
        if said is None or said.kind in UNTOUCHED or not pa.types.is_string(part.type_of(name)):
            continue
        reading = reading_of(spec, name, Reading(missing=spec.missing, decimal=decimal))
        if unit := _unit(part.column(name), reading):
            found[name] = unit
    return found


def _unit(column: Column, reading: Reading) -> str | None:
    known = reading.known(column[:LOOKED_AT]).drop_null()
    if not len(known):
        known = reading.known(column).drop_null()[:LOOKED_AT]
    if not len(known):
        return None
    unit = unit_of(known[0].as_py().strip())
    if unit is None or not _are_all_of(known, unit, reading):
        return None
    return unit if _are_all_of(reading.known(column).drop_null(), unit, reading) else None


def _are_all_of(known: Column, unit: str, reading: Reading) -> bool:
    if not pc.all(pc.match_substring(known, unit)).as_py():
        return False
    stripped = _stripped(known, unit)
    found = numbers(stripped, reading.decimal)
    return not found.null_count and not has_codes(stripped, found)


def _stripped(column: Column, unit: str) -> Column:
    """Numbers alone where a field is one with that unit; what is none stays as it is."""
    sign = re.escape(unit)
    number = rf"\d[\d.,{BETWEEN}]*"
    plain = pc.replace_substring_regex(column, rf"^\s*({SIGN})\s*{sign}\s*({number})\s*$", r"\1\2")
    return pc.replace_substring_regex(plain, rf"^\s*({SIGN}[.,]?{number}?)\s*{sign}\s*$", r"\1")


def _without(part: FileRows, units: Mapping[str, str], workdir: Path) -> FileRows:
    """Writes the rows anew, with plain numbers in those columns."""
    if not units:
        return part
    path = workdir / f"plain_of_{part.path.name}"

    def plain(batch: pa.RecordBatch) -> pa.RecordBatch:
        columns = [
            _stripped(column, units[name]) if name in units else column
            for name, column in zip(batch.schema.names, batch.columns, strict=True)
        ]
        return pa.RecordBatch.from_arrays(columns, schema=part.schema)

    write_batches(path, part.schema, map(plain, part.batches(part.names)))
    told = ", ".join(f"`{name}` ({unit})" for name, unit in units.items())
    sentence = (
        f"Numbers of `{part.name}` stand with their unit in {told}: the unit is kept apart, and "
        "what is asked about is the number alone."
    )
    return replace(
        part, path=path, found=(*part.found, sentence), units=units, as_text=None, held=None
    )
