"""Columns of a table -> what is known of each, and the numbers that a network is given.

Only training rows teach: which values a category has, quantiles of numbers. A column without two
values among them is left out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from app.datasets.table_spec import ColumnInfo, ColumnSpec, FoundKind, Role, TableSpec
from app.inputs.columns import (
    CategoryColumn,
    Column,
    DateColumn,
    FlagColumn,
    NumberColumn,
    category_text,
)
from worker.intake.raw import Array, refuse
from worker.intake.splits import Rows
from worker.intake.tables.kinds import Found, infer
from worker.intake.tables.readings import Reading, as_numbers, coded, has_codes, numbers
from worker.intake.tables.records import Records

SEEN: tuple[FoundKind, ...] = ("number", "category", "flag", "date")  # kinds that a network sees
LEFT_OUT: Mapping[FoundKind, tuple[Role, str]] = {
    "identifier": ("id", "it tells rows apart and would be learnt by heart"),
    "constant": ("ignored", "there is nothing to learn from it"),
    "text": ("ignored", "rows of a table are learnt without free text so far"),
}


@dataclass(frozen=True)
class Feature:
    """One column, read.

    column: what a network sees of it; None where it sees nothing.
    stored: (rows,), float32 and nothing else, of all rows of the upload; NaN where missing.
    """

    info: ColumnInfo
    found: Found
    missing: Mapping[str, int]  # by split
    column: Column | None = None
    stored: Path | None = None
    doubt: str | None = None


def said_of(spec: TableSpec, name: str) -> ColumnSpec | None:
    """None where the column is to be ignored."""
    said = spec.columns.get(name)
    if said == "ignore":
        return None
    if said is None:
        return ColumnSpec()
    return said if isinstance(said, ColumnSpec) else ColumnSpec(kind=said)


def feature_of(
    records: Records,
    name: str,
    spec: TableSpec,
    reading: Reading,
    rows: Mapping[str, Rows],
    target: Path,
    fixed: tuple[Role, str] | None = None,
) -> Feature:
    """
    Args:
        rows: of the splits.
        target: where numbers are stored.
        fixed: the role, and why, of a column that the labels or the split need.

    Raises:
        WorkFailure: `dataset_invalid`: a field cannot be read as what the spec says it is.
    """
    said = said_of(spec, name)
    raw = records.column(name)
    found = infer(name, raw, reading, said.kind if said else None)
    values = found.reading.values(raw)
    valid: Array = np.asarray(pc.is_valid(values).to_numpy())
    missing = {split: int((~valid[chosen]).sum()) for split, chosen in rows.items()}
    unit = said.unit if said else ""

    def left_out(kind: FoundKind, role: Role, reason: str) -> Feature:
        info = ColumnInfo(name=name, kind=kind, role=role, unit=unit, reason=reason)
        return Feature(info, found, missing)

    if said is None:
        return left_out(found.kind, "ignored", "the spec says that it is to be ignored")
    if said.kind:
        _check_read(records, name, found, reading.known(raw), values)
    role, why = fixed or (said.role or "feature", "the spec says so")
    if role != "feature":
        return left_out(found.kind, role, f"{found.reason}; {why}")
    if found.kind not in SEEN:
        role, why = LEFT_OUT[found.kind]
        return left_out(found.kind, role, f"{found.reason}: {why}")
    if not valid[rows["train"]].any():
        why = "it has no value in any training row: there is nothing to learn from it"
        return left_out("constant", "ignored", why)
    column, encoded = _fitted(name, unit, found, values, rows["train"])
    seen = encoded[rows["train"]]
    if not np.isnan(seen).any() and (seen == seen[0]).all():
        why = "it has the same value in every training row: there is nothing to learn from it"
        return left_out("constant", "ignored", why)
    info = ColumnInfo(name=name, kind=found.kind, role="feature", unit=unit, reason=found.reason)
    encoded.tofile(target)
    return Feature(info, found, missing, column, target, found.doubt)


def _check_read(
    records: Records, name: str, found: Found, known: pa.ChunkedArray, values: pa.ChunkedArray
) -> None:
    """Refuses a field that is no number, date or flag in a column that is said to be one."""
    if found.kind == "flag" and found.words is None and not pa.types.is_boolean(known.type):
        count = pc.count_distinct(known, mode="only_valid").as_py()
        detail = (
            f"expected two different values in the column `{name}`, which the spec says is a flag, "
            f"got {count}"
        )
        refuse("wrong_type", detail, name)
    wrong: Array = np.asarray(pc.and_(pc.is_null(values), pc.is_valid(known)).to_numpy())
    if count := int(wrong.sum()):
        row = int(np.flatnonzero(wrong)[0])
        what = {"number": "numbers", "date": "dates, as 2026-11-26"}.get(found.kind, found.kind)
        detail = (
            f"expected {what} in the column `{name}`, as the spec says, got {count} of "
            f"{len(known) - known.null_count} values that are none, the first in "
            f"{records.place(row)}; where they mean that nothing is known, name them in the "
            "spec's `missing`"
        )
        refuse("wrong_type", detail, name)


def _fitted(
    name: str, unit: str, found: Found, values: pa.ChunkedArray, train: Rows
) -> tuple[Column, NDArray[np.float32]]:
    column: Column
    match found.kind:
        case "number":
            plain = as_numbers(values)
            column = NumberColumn.fit(name, plain[train], unit)
        case "date":
            plain = as_numbers(values)
            column = DateColumn.fit(name, plain[train], found.reading.format)
        case "flag":
            if pa.types.is_string(values.type):
                assert found.words is not None
                plain = as_numbers(pc.index_in(values, pa.array(found.words)))
            else:
                plain = as_numbers(values)
                if found.words is not None and found.words != ("0", "1"):
                    plain = np.where(np.isnan(plain), plain, plain == float(found.words[1]))
            column = FlagColumn(name=name, unit=unit, **_words(found))
        case _:
            codes, texts = _coded(values, found.reading)
            counts = np.bincount(codes[train][codes[train] >= 0], minlength=len(texts))
            present = np.flatnonzero(counts)
            column = CategoryColumn.fit(
                name, [texts[place] for place in present], counts[present].tolist()
            )
            others = len(column.values)
            places = [float(column.places.get(text, others)) for text in texts]
            plain = np.array([*places, np.nan])[codes]
    return column, plain.astype(np.float32)


def _words(found: Found) -> dict[str, tuple[str, str]]:
    return {} if found.words is None else {"values": found.words}


def _coded(values: pa.ChunkedArray, reading: Reading) -> tuple[NDArray[np.int64], list[str]]:
    """(rows,), -1 where missing, and the texts by code. Whole numbers lose their fraction, as
    rows in JSON have them."""
    if not pa.types.is_string(values.type):
        plain = pc.cast(values, pa.float64())
    else:
        plain = numbers(values, reading.decimal)
    is_number = plain.null_count == values.null_count and not has_codes(values)  # as 007
    if is_number:
        known = as_numbers(plain)
        whole = known[~np.isnan(known)]
        values = plain if (whole == np.rint(whole)).all() else values
    codes, raw = coded(values)
    return codes, [each if isinstance(each, str) else _number_text(each) for each in raw]


def _number_text(value: float) -> str:
    try:
        return category_text(value)
    except ValueError:
        return str(value)
