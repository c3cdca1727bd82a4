"""Rows of a stored table whose columns have some values."""

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from app.datasets.derivation import meant, shortened
from app.findings import pointer
from worker.datasets.stored_rows import StoredRows
from worker.intake.chosen_items import refuse_choice
from worker.intake.tables.column_values import has_value
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
            has_it = has_value(column, _worded(value, flags.get(name), column))
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
