"""Labels of which a row may have several, a column of 0 and 1 for each."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from worker.intake.raw import Array, refuse
from worker.intake.tables.readings import Column, Reading, as_numbers, numbers
from worker.intake.tables.records import Records, refuse_said
from worker.intake.tables.yes_no import as_flags

SEPARATORS = "|;,/+"  # that are looked for where none is said
SEEN = 0.02  # of the fields have the sign: it may stand between labels


def label_matrix(
    records: Records, columns: Sequence[str], reading: Reading
) -> tuple[Array, NDArray[np.bool]]:
    """(rows, columns), 0 and 1, which text may call no and yes; a row without one of them has no
    labels."""
    if len(columns) < 2:
        (name,) = columns
        sign = separator_of(records.column(name)) or "|"
        detail = (
            "expected two columns or more of 0 and 1 where `task` is multi_label, got one; of one "
            f'that names several labels in each row `target`: {{"column": "{name}", "separator": '
            f'"{sign}"}} says what stands between them, and one of two classes is a `task`: '
            '"classification"'
        )
        refuse_said("one_class", detail, "target")
    values = np.empty((records.rows, len(columns)), np.float64)
    for place, name in enumerate(columns):
        column = reading.known(records.column(name))
        check_plain(column, name)
        flags = column if pa.types.is_boolean(column.type) else as_flags(column)
        found = numbers(column, reading.decimal) if flags is None else pc.cast(flags, pa.float64())
        values[:, place] = as_numbers(found)
        wrong = np.asarray(pc.is_valid(column).to_numpy()) & ~np.isin(values[:, place], (0, 1))
        if count := int(wrong.sum()):
            row = int(np.flatnonzero(wrong)[0])
            detail = (
                f"expected 0 and 1, or yes and no, in the column `{name}`, whether a row has that "
                f"label, got {count} other values, the first in {records.place(row)}"
            )
            refuse("wrong_type", detail, name)
    known = np.isfinite(values).sum(axis=1) == len(columns)
    return np.nan_to_num(values).astype(np.int8), known


def separator_of(column: Column) -> str | None:
    """The sign that may stand between labels: the commonest one; None where there is none."""
    if not pa.types.is_string(column.type) or not len(column):
        return None
    shares = {sign: pc.mean(pc.match_substring(column, sign)).as_py() or 0 for sign in SEPARATORS}
    sign = max(SEPARATORS, key=shares.__getitem__)
    return sign if shares[sign] >= SEEN else None


def check_plain(column: Column, name: str) -> None:
    if pa.types.is_temporal(column.type):
        detail = (
            f"expected text or numbers in the column `{name}`, which holds the labels, got dates"
        )
        refuse("wrong_type", detail, name)
