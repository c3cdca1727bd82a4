"""Rows of a stored table whose columns have some values."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, NoReturn

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from app.datasets.derivation import meant, shortened
from app.findings import pointer
from worker.datasets.stored_rows import StoredRows
from worker.intake.chosen_items import refuse_choice
from worker.intake.tables.readings import Column, as_written

MOST_NAMED = 1000  # different values among which near ones are looked for


def rows_where(
    rows: StoredRows, where: Mapping[str, Sequence[Any]], flags: Mapping[str, tuple[str, str]]
) -> NDArray[np.bool_]:
    """(rows,), whether each has one of the values in each of the columns. Raises WorkFailure
    `dataset_invalid` for a value that no row has.

    Args:
        flags: columns that true and false may be asked of, with what stands for false and true.
    """
    found: NDArray[np.bool_] | None = None
    for name, wanted in where.items():
        column = rows.column(name)
        has_one = np.zeros(len(column), np.bool_)
        for place, value in enumerate(wanted):
            has_it = _has(column, _worded(value, flags.get(name), column))
            if has_it is None:
                _refuse_kind(column, name, place)
            if not has_it.any():
                _refuse_value(column, name, place, value)
            has_one |= has_it
        found = has_one if found is None else found & has_one
    assert found is not None
    return found


def _worded(value: Any, words: tuple[str, str] | None, column: Column) -> Any:
    """True and false as the flag's column writes them."""
    if not isinstance(value, bool) or words is None or pa.types.is_boolean(column.type):
        return value
    return words[value] if pa.types.is_string(column.type) else float(words[value])


def _has(column: Column, value: Any) -> NDArray[np.bool_] | None:
    """(rows,); None where the column cannot have such a value. Text that writes a whole number is
    that number, and so are true and false the words."""
    if value is None:
        return np.asarray(pc.is_null(column).to_numpy())
    kind = column.type
    if pa.types.is_string(kind):
        return _equal(column, as_written(value))
    if pa.types.is_timestamp(kind) and isinstance(value, str):
        return _at(column, value)
    if pa.types.is_boolean(kind) != isinstance(value, bool) or isinstance(value, str):
        return None
    return _equal(column, value) if isinstance(value, bool) else _is_number(column, value)


def _is_number(column: Column, value: float) -> NDArray[np.bool_] | None:
    if pa.types.is_timestamp(column.type):
        return None
    try:
        return _equal(pc.cast(column, pa.float64(), safe=False), float(value))
    except OverflowError:
        return np.zeros(len(column), np.bool_)


def _equal(column: Column, value: Any) -> NDArray[np.bool_]:
    same = pc.fill_null(pc.equal(column, pa.scalar(value, column.type)), False)
    found: NDArray[np.bool_] = np.asarray(same.to_numpy())
    return found


def _at(column: Column, text: str) -> NDArray[np.bool_] | None:
    """A day has all its moments."""
    try:
        day = date.fromisoformat(text)
        return _equal(pc.cast(pc.floor_temporal(column, unit="day"), pa.date32(), safe=False), day)
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    plain = moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
    return _equal(column, plain)


def _refuse_kind(column: Column, name: str, place: int) -> NoReturn:
    words = {pa.types.is_boolean: "true or false", pa.types.is_timestamp: "a date as text"}
    expected = next((said for is_it, said in words.items() if is_it(column.type)), "a number")
    detail = f"expected {expected} or null, as the column {shortened(name)} holds, got another"
    refuse_choice("wrong_type", detail, pointer(["where", name, place]))


def _refuse_value(column: Column, name: str, place: int, value: Any) -> NoReturn:
    at = pointer(["where", name, place])
    detail = f"expected a value that rows of the column {shortened(name)} have, got "
    if value is None:
        refuse_choice("unknown_value", f"{detail}null: none of its values is missing", at)
    known = pc.unique(column.drop_null())
    if pa.types.is_string(column.type) and len(known) <= MOST_NAMED:
        detail += f"{shortened(as_written(value))}{meant(as_written(value), known.to_pylist())}"
        refuse_choice("unknown_value", detail, at)
    refuse_choice("unknown_value", f"{detail}one that none has", at)
