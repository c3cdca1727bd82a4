"""ChosenItems rows and columns of a stored table as an upload of a table."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pyarrow.compute as pc

from app.datasets.derivation import Derivation
from app.datasets.schemas import DatasetSpec, Schema
from app.datasets.table_spec import ColumnInfo, ColumnSpec, Kind, Role, TargetSpec
from app.inputs.columns import DateColumn
from app.inputs.table import TableInputs
from app.inputs.text import TextInputs
from worker.datasets.stored_rows import StoredRows
from worker.intake.chosen_items import ChosenItems
from worker.intake.derived_arrays import store_chosen
from worker.intake.ingested import IngestedDataset, content_hash
from worker.intake.raw import IntakeLimits
from worker.intake.splits import Rows
from worker.intake.tables.items import prepare_items
from worker.intake.tables.records import FileRows, Records

KINDS: tuple[str, ...] = get_args(Kind)


def ingest_derived_table(
    derivation: Derivation,
    chosen: ChosenItems,
    arrays: Mapping[str, Path],
    limits: IntakeLimits,
    workdir: Path,
) -> IngestedDataset:
    """Kinds and roles of columns stay what they are in the origin, but of those of which fewer than
    two values are left. What is learnt of values is learnt of the rows that are left."""
    kept, records = records_of(derivation, chosen, arrays, workdir)
    spec = spec_of(derivation, kept, records)
    return as_before(prepare_items(records, spec, limits, workdir), derivation.origin_schema)


def records_of(
    derivation: Derivation, chosen: ChosenItems, arrays: Mapping[str, Path], workdir: Path
) -> tuple[list[ColumnInfo], Records]:
    """The columns that are left, and the chosen rows of them."""
    stored, kept = StoredRows(arrays["rows"]), _kept(derivation, chosen)
    names = [column.name for column in kept]
    parts = [_part(stored, names, rows, split, workdir) for split, rows in chosen.rows.items()]
    return kept, Records(*parts)


def spec_of(derivation: Derivation, kept: list[ColumnInfo], records: Records) -> DatasetSpec:
    """Says the origin's columns as a spec does."""
    schema = derivation.origin_schema
    labels = tuple(column.name for column in kept if column.role == "label")
    return DatasetSpec(
        name=derivation.name,
        modality=schema.inputs.modality,
        max_characters=schema.inputs.length if isinstance(schema.inputs, TextInputs) else None,
        columns={
            column.name: _said(column, derivation.selection.role_of(column), records)
            for column in kept
        },
        target=_target(labels, schema),
        task=schema.task.kind if labels else None,
        unit=schema.task.unit,
        split=derivation.selection.split,
        missing_label=None,
    )


def _kept(derivation: Derivation, chosen: ChosenItems) -> list[ColumnInfo]:
    """Columns of several labels go with the labels that do."""
    wanted, schema = derivation.selection, derivation.origin_schema
    labels = {column.name for column in schema.columns if column.role == "label"}
    if schema.task.kind == "multi_label" and chosen.names is not None:
        labels &= set(chosen.names)
    return [
        column
        for column in schema.columns
        if column.name in labels or (column.role != "label" and wanted.keeps(column))
    ]


def _part(stored: StoredRows, names: list[str], rows: Rows, split: str, workdir: Path) -> FileRows:
    path = store_chosen(stored, names, [rows], workdir / f"chosen_{split}.arrow")
    return FileRows(
        name=f"the {split} split",
        path=path,
        rows=len(rows),
        names=tuple(names),
        place=lambda row: f"row {row}",
    )


def _target(labels: tuple[str, ...], schema: Schema) -> TargetSpec:
    if len(labels) == 1:
        return TargetSpec(column=labels[0])
    return TargetSpec(columns=labels)


def _said(column: ColumnInfo, role: Role, records: Records) -> ColumnSpec:
    """A kind that no spec can say, as that of a constant, is found again. So is that of a flag of
    which one value is left, which is a constant."""
    kind = column.kind if column.kind in KINDS else None
    if kind == "flag" and pc.count_distinct(records.column(column.name)).as_py() < 2:
        kind = None
    said = None if role == "label" else role
    return ColumnSpec.model_validate({"kind": kind, "role": said, "unit": column.unit})


def as_before(taken: IngestedDataset, origin: Schema) -> IngestedDataset:
    """Keeps the reasons why columns are what they are, and the forms in which dates are sent."""
    known = {column.name: column for column in origin.columns}
    columns = tuple(
        column.model_copy(update={"reason": known[column.name].reason})
        if (column.kind, column.role) == (known[column.name].kind, known[column.name].role)
        else column
        for column in taken.schema.columns
    )
    inputs, before = taken.schema.inputs, origin.inputs
    if isinstance(inputs, TableInputs) and isinstance(before, TableInputs):
        formats = {c.name: c.format for c in before.columns if isinstance(c, DateColumn)}
        inputs = inputs.model_copy(
            update={
                "columns": tuple(
                    c.model_copy(update={"format": formats.get(c.name)})
                    if isinstance(c, DateColumn)
                    else c
                    for c in inputs.columns
                )
            }
        )
    schema = taken.schema.model_copy(update={"columns": columns, "inputs": inputs})
    hashed = {name: path for name, path in taken.arrays.items() if name != "sketch"}
    return replace(taken, schema=schema, content_hash=content_hash(schema, hashed))
