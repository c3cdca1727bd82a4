"""Columns of a table -> what is known of each, and the numbers that a network is given.

Only training rows teach: which values a category has, quantiles of numbers. A column without two
values among them is left out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from app.datasets.table_spec import ColumnInfo, ColumnSpec, FoundKind, Kind, Role, TableSpec
from app.inputs.columns import (
    LARGEST,
    CategoryColumn,
    Column,
    DateColumn,
    FlagColumn,
    NumberColumn,
    category_text,
)
from worker.intake.labels import NO_LABEL
from worker.intake.raw import Array, refuse
from worker.intake.splits import Rows
from worker.intake.tables.kinds import InferredColumn, infer
from worker.intake.tables.readings import LOOKED_AT, Reading, as_numbers, coded, has_codes, numbers
from worker.intake.tables.records import Records
from worker.intake.tables.rows import ColumnNumbers, NumbersHeld, kept_numbers

SEEN: tuple[FoundKind, ...] = ("number", "category", "flag", "date")  # kinds that a network sees
FIRST_DAY, LAST_DAY = -719_162, 2_932_896  # of the years 1 to 9999, counted from 1970
NUMBERS = f"numbers from {-LARGEST:g} to {LARGEST:g}"
LEFT_OUT: Mapping[FoundKind, tuple[Role, str]] = {
    "identifier": ("id", "it tells rows apart and would be learnt by heart"),
    "constant": ("ignored", "there is nothing to learn from it"),
    "text": (
        "ignored",
        'rows of a table are learnt without free text; `columns`: {"NAME": {"kind": '
        '"text", "role": "feature"}} in the spec makes this text the item, without the other '
        "columns",
    ),
}


def reading_of(spec: TableSpec, name: str, reading: Reading) -> Reading:
    """Reading with what counts as missing in that column alone, and the form of its dates."""
    said = said_of(spec, name)
    if said is None:
        return reading
    return replace(reading, missing=(*reading.missing, *said.missing), format=said.format)


@dataclass(frozen=True)
class Feature:
    """One column, read.

    column: what a network sees of it; None where it sees nothing.
    stored: its numbers, of all rows of the upload.
    """

    info: ColumnInfo
    reading: Reading
    missing: Mapping[str, int]  # by split
    column: Column | None = None
    stored: ColumnNumbers | None = None
    doubt: str | None = None


def said_of(spec: TableSpec, name: str) -> ColumnSpec | None:
    """Returns None where the column is to be ignored."""
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
        target: where numbers are stored, unless they are held as they are.
        fixed: the role, and why, of a column that the labels or the split need.

    Raises:
        WorkFailure: `dataset_invalid`: a field cannot be read as what the spec says it is.
    """
    said = said_of(spec, name)
    reading = reading_of(spec, name, reading)
    raw = records.column(name)
    if said and said.kind:
        check_type(name, said.kind, raw.type)
    found = infer(name, raw, reading, said.kind if said else None)
    values = found.values
    missing = {split: _missing(values, chosen) for split, chosen in rows.items()}
    unit = (said.unit if said else "") or records.unit(name)

    def left_out(kind: FoundKind, role: Role, reason: str, doubt: str | None = None) -> Feature:
        info = ColumnInfo(name=name, kind=kind, role=role, unit=unit, reason=reason)
        return Feature(info, found.reading, missing, doubt=doubt)

    if said is None:
        return left_out(found.kind, "ignored", "the spec says that it is to be ignored")
    _check_read(records, name, found, is_said=said.kind is not None)
    days = _checked_days(records, name, values) if found.kind == "date" else None
    role, why = fixed or (said.role or "feature", "the spec says so")
    if role != "feature":
        return left_out(found.kind, role, f"{found.reason}; {why}")
    if found.kind not in SEEN:
        role, why = LEFT_OUT[found.kind]
        return left_out(found.kind, role, f"{found.reason}: {why}", found.doubt)
    if missing["train"] == len(rows["train"]):
        why = "it has no value in any training row: there is nothing to learn from it"
        return left_out("constant", "ignored", why)
    column, plain = _fitted(name, unit, found, rows["train"], days)
    if _is_constant(plain, rows["train"]):
        why = "it has the same value in every training row: there is nothing to learn from it"
        return left_out("constant", "ignored", why)
    info = ColumnInfo(name=name, kind=found.kind, role="feature", unit=unit, reason=found.reason)
    stored: ColumnNumbers
    if found.kind == "number" and raw.type == pa.float64() and records.is_held(name):
        stored = NumbersHeld(values)
    else:
        stored = kept_numbers(plain, records.is_held(name), target)
    return Feature(info, found.reading, missing, column, stored, found.doubt)


def _is_constant(plain: NDArray[np.float64], train: Rows) -> bool:
    """Tells whether all training rows have the same value, and none lacks it."""
    first = plain[train[0]]  # what is missing equals nothing
    return all((plain[some] == first).all() for some in (train[:LOOKED_AT], train))


def _missing(values: pa.ChunkedArray, chosen: Rows) -> int:
    if not values.null_count:
        return 0
    valid: Array = np.asarray(pc.is_valid(values).to_numpy())
    return int((~valid[chosen]).sum())


def check_type(name: str, said: Kind, kind: pa.DataType) -> None:
    """Refuses what a column of a file with types cannot be read as."""
    is_date, is_flag = pa.types.is_temporal(kind), pa.types.is_boolean(kind)
    can_be = not (is_date or is_flag) or said == ("date" if is_date else "flag")
    if not can_be or (said in {"date", "text"} and not (is_date or pa.types.is_string(kind))):
        detail = f"expected a column that can be read as {said}, got {kind} in the column `{name}`"
        refuse("wrong_type", f"{detail}, as the file says", name)


def _check_read(records: Records, name: str, found: InferredColumn, is_said: bool) -> None:
    """Refuses a field that is no number, date or flag in a column that is said to be one, by the
    spec (`is_said`) or by the types of the file."""
    known = found.known
    if found.values.null_count == known.null_count and not is_said:
        return
    if (
        is_said
        and found.kind == "flag"
        and found.words is None
        and not pa.types.is_boolean(known.type)
    ):
        count = pc.count_distinct(known, mode="only_valid").as_py()
        detail = (
            f"expected two different values in the column `{name}`, which the spec says is a flag, "
            f"got {count}"
        )
        refuse("wrong_type", detail, name)
    wrong: Array = np.asarray(pc.and_(pc.is_null(found.values), pc.is_valid(known)).to_numpy())
    if count := int(wrong.sum()):
        row = int(np.flatnonzero(wrong)[0])
        form = found.reading.format
        dates = f"dates in the form {form}" if form else "dates, as 2026-11-26"
        what = {"number": NUMBERS, "date": dates}.get(found.kind, found.kind)
        who, cure = "the file", "write null"
        if is_said:
            who, cure = "the spec", "name them in the spec's `missing`"
        detail = (
            f"expected {what} in the column `{name}`, as {who} says, got {count} of "
            f"{len(known) - known.null_count} values that are none, the first in "
            f"{records.place(row)}; where they mean that nothing is known, {cure}"
        )
        if found.doubt:
            detail = f"{detail}; {found.doubt}"
        refuse("wrong_type", detail, name)


def _checked_days(records: Records, name: str, values: pa.ChunkedArray) -> NDArray[np.float64]:
    """Returns the days since 1970 that dates are; refuses those that no calendar has."""
    days = as_numbers(values)
    beyond = (days < FIRST_DAY) | (days > LAST_DAY)
    if count := int(beyond.sum()):
        row = int(np.flatnonzero(beyond)[0])
        detail = (
            f"expected dates in the years 1 to 9999 in the column `{name}`, got {count} others, "
            f"the first in {records.place(row)}"
        )
        refuse("wrong_type", detail, name)
    return days


def _fitted(
    name: str,
    unit: str,
    found: InferredColumn,
    train: Rows,
    days: NDArray[np.float64] | None,
) -> tuple[Column, NDArray[np.float64]]:
    """`days`: of a column of dates."""
    column: Column
    values = found.values
    match found.kind:
        case "number":
            plain = as_numbers(values)
            column = NumberColumn.fit(name, plain[train], unit)
        case "date":
            assert days is not None
            plain = days
            column = DateColumn.fit(name, plain[train], found.reading.format)
        case "flag":
            if pa.types.is_string(values.type):
                assert found.words is not None
                plain = as_numbers(pc.index_in(values, pa.array(found.words)))
            else:
                plain = as_numbers(values)
                if found.words is not None and found.words != ("0", "1"):
                    plain = np.where(np.isnan(plain), plain, plain == float(found.words[1]))
            misses = bool(np.isnan(plain[train]).any())
            column = FlagColumn(name=name, unit=unit, misses=misses, **_words(found))
        case _:
            codes, texts = _coded(found)
            is_known = codes[train] >= 0
            counts = np.bincount(codes[train][is_known], minlength=len(texts))
            present = np.flatnonzero(counts)
            column = CategoryColumn.fit(
                name,
                [texts[place] for place in present],
                counts[present].tolist(),
                misses=not is_known.all(),
            )
            others = len(column.values)
            places = [float(column.places.get(text, others)) for text in texts]
            plain = np.array([*places, np.nan])[codes]
    return column, plain


def _words(found: InferredColumn) -> dict[str, tuple[str, str]]:
    return {} if found.words is None else {"values": found.words}


def _coded(found: InferredColumn) -> tuple[NDArray[np.int64], list[str]]:
    """(rows,), -1 where missing, and the texts by code. Whole numbers lose their fraction, as
    rows in JSON have them."""
    if found.tally is not None:
        codes, different = found.tally.codes, found.tally.texts.to_pylist()
    else:
        codes, different = coded(found.values)
    each = pa.chunked_array([pa.array(different, found.values.type)])
    plain = numbers(each, found.reading.decimal)
    known = as_numbers(plain)
    if np.isnan(known).any() or has_codes(each, plain) or (known != np.rint(known)).any():
        return codes, [text if isinstance(text, str) else _number_text(text) for text in different]
    texts = [_number_text(number) for number in known.tolist()]
    place = {text: code for code, text in enumerate(dict.fromkeys(texts))}
    places = np.array([*(place[text] for text in texts), NO_LABEL], np.int64)
    return places[codes], list(place)


def _number_text(value: float) -> str:
    try:
        return category_text(value)
    except ValueError:
        return str(value)
