"""Values of JSON among those of a column: the one meaning of `where`, in an upload's spec and in a
dataset of a dataset."""

from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from worker.intake.tables.readings import Column, as_written
from worker.intake.tables.yes_no import as_flags


def has_value(column: Column, value: Any) -> NDArray[np.bool_] | None:
    """Tells which rows have a value that a spec or a request names, (rows,); None where the column
    cannot have such a value. Text that writes a whole number is that number, and true and false are
    the words, or yes and no where a column has these alone."""
    if value is None:
        return np.asarray(pc.is_null(column).to_numpy())
    kind = column.type
    if pa.types.is_string(kind):
        flags = as_flags(column) if isinstance(value, bool) else None
        return _equal(column, as_written(value)) if flags is None else _equal(flags, value)
    if pa.types.is_timestamp(kind) and isinstance(value, str):
        return _at(column, value)
    if pa.types.is_boolean(kind) != isinstance(value, bool) or isinstance(value, str):
        return None
    return _equal(column, value) if isinstance(value, bool) else _is_number(column, value)


def _is_number(column: Column, value: float) -> NDArray[np.bool_] | None:
    if pa.types.is_timestamp(column.type):
        return None
    try:
        if pa.types.is_integer(column.type) and isinstance(value, int):  # 2^53 + 1 is not 2^53
            return _equal(column, value)
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
