"""The latest rows of a table as its test split: what a model is asked tomorrow is tomorrow's."""

from dataclasses import dataclass
from typing import NoReturn

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from app.datasets.table_spec import SplitSpec, TableSpec
from worker.intake.raw import refuse
from worker.intake.tables.features import reading_of, said_of
from worker.intake.tables.kinds import infer
from worker.intake.tables.readings import Reading, as_numbers, moments, numbers
from worker.intake.tables.records import Records, refuse_said
from worker.intake.tables.written_dates import MOMENT


@dataclass(frozen=True)
class Times:
    """values: (rows,), numbers as they are, dates as days since 1970; `format` as of Reading."""

    name: str
    values: NDArray[np.float64]
    is_date: bool
    format: str | None

    def shown(self, value: float) -> str:
        if not self.is_date:
            return f"{value:.10g}"
        micro = np.int64(round(value * 86_400 * 10**6))
        text = str(np.datetime64(int(micro), "us"))
        return text.removesuffix("T00:00:00.000000").removesuffix(".000000")


def by_time(
    records: Records,
    spec: TableSpec,
    said: SplitSpec,
    fraction: float,
    reading: Reading,
    known: NDArray[np.bool] | None,
) -> tuple[NDArray[np.bool], tuple[str, ...]]:
    """(rows,) true for testing, and sentences: rows from `said.test_from` on, or from where the
    latest rows are nearest to the fraction. Rows of one moment are never cut apart.

    Args:
        known: (rows,), the rows that have a label, of which the fraction is; None: all.

    Raises:
        WorkFailure: `dataset_invalid`.
    """
    assert said.time is not None
    times = _times(records, spec, said.time, reading)
    counted = times.values if known is None or not known.any() else times.values[known]
    if said.test_from is not None:
        first = _first_said(times, said.test_from)
    else:
        first = _first_of(times, counted, said.test_fraction or fraction)
    in_test = times.values >= first
    tested = int((counted >= first).sum())
    if not 0 < tested < len(counted):
        which = "all rows" if tested else "none"
        low, high = times.shown(counted.min()), times.shown(counted.max())
        detail = (
            f"expected a time in `test_from` that has rows before it and from it on, got one with "
            f"{which} from it on: the column `{times.name}` reaches from {low} to {high}"
        )
        refuse_said("empty_split", detail, "split", "test_from")
    told = (
        f"Rows whose `{times.name}` is {times.shown(first)} or later are for testing: {tested} of "
        f"{len(counted)}, {tested / len(counted):.1%}."
    )
    return in_test, (told,)


def _times(records: Records, spec: TableSpec, name: str, reading: Reading) -> Times:
    reading, column, said = (
        reading_of(spec, name, reading),
        records.column(name),
        said_of(spec, name),
    )
    kind = said.kind if said is not None and said.kind in {"number", "date"} else None
    known = reading.known(column)
    found = infer(name, column, reading, kind)
    if found.kind == "constant":
        _refuse_one(name)
    values = found.values
    if pa.types.is_string(values.type):  # whole numbers that count the rows are told as text
        values = numbers(known, reading.decimal)
    is_time = pa.types.is_timestamp(values.type) or pa.types.is_floating(values.type)
    unreadable = _rows_where(pc.and_(pc.is_null(values), pc.is_valid(known)))
    if not is_time or 2 * len(unreadable) > len(known) - known.null_count:
        detail = (
            f"expected dates or numbers in the column `{name}`, by which the rows are split, got "
            f"{found.kind}: {found.reason}"
        )
        refuse_said("no_times", detail, "split", "time")
    if len(unreadable):
        _refuse_rows(records, name, "that are none", unreadable)
    if known.null_count:
        _refuse_rows(records, name, "without any", _rows_where(pc.is_null(known)))
    is_date = pa.types.is_timestamp(values.type)
    return Times(name, as_numbers(values), is_date, found.reading.format if is_date else None)


def _rows_where(told: pa.ChunkedArray) -> NDArray[np.intp]:
    return np.flatnonzero(np.asarray(told.to_numpy()))


def _refuse_rows(records: Records, name: str, what: str, rows: NDArray[np.intp]) -> NoReturn:
    detail = (
        f"expected a date or a number in each row of the column `{name}`, by which the rows are "
        f"split, got {len(rows)} rows {what}, the first in {records.place(int(rows[0]))}: nothing "
        "tells whether they come before or after; mend them or leave them out of the file"
    )
    refuse("no_times", detail, name)


def _refuse_one(name: str) -> NoReturn:
    detail = (
        f"expected two moments or more in the column `{name}`, as rows of one are never cut apart, "
        "got one, or none, in the rows that count"
    )
    refuse_said("one_time", detail, "split", "time")


def _first_said(times: Times, said: str | float) -> float:
    """What `test_from` is in the column's numbers."""
    if not times.is_date:
        if isinstance(said, str):
            detail = f"expected a number, as the column `{times.name}` has them, got text"
            refuse_said("wrong_time", detail, "split", "test_from")
        return float(said)
    text = pa.chunked_array([pa.array([said if isinstance(said, str) else ""])])
    found = None
    for form in dict.fromkeys((times.format, None)):
        if found is None:
            found = moments(text, form)
    if found is None:
        forms = "as 2026-11-26 or 2026-11-26T08:30:00Z"
        forms += f", or in the column's form {times.format}" if times.format else ""
        detail = f"expected a date, as the column `{times.name}` has them, {forms}, got another"
        refuse_said("wrong_time", detail, "split", "test_from")
    return float(as_numbers(found.cast(MOMENT))[0])


def _first_of(times: Times, counted: NDArray[np.float64], fraction: float) -> float:
    """The moment from which on there are rows enough; the one whose share is nearest."""
    moments_in, counts = np.unique(counted, return_counts=True)
    if len(moments_in) < 2:
        _refuse_one(times.name)
    later = np.cumsum(counts[::-1])[::-1][1:]  # rows from each moment on, but for the first
    return float(moments_in[1:][np.abs(later - fraction * len(counted)).argmin()])
