"""All columns of a table as typed values, in the order in which its rows are stored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.lib import format as npy
from numpy.typing import NDArray
from pyarrow import ipc

from worker.intake.splits import Rows
from worker.intake.tables.readings import Reading, as_numbers
from worker.intake.tables.records import Records
from worker.intake.tables.written_dates import MOMENT

CHUNK_VALUES = 2**20
WIDTH = 8  # bytes of a number


class ColumnNumbers(Protocol):
    """Numbers of one column, of all rows of the upload."""

    def part(self, start: int, stop: int) -> NDArray[np.float64]:
        """(stop - start,), fewer at the end; NaN where missing."""
        ...


@dataclass(frozen=True)
class NumbersOnDisk:
    """`path`: a file (rows,), float64 and nothing else, NaN where missing."""

    path: Path

    def part(self, start: int, stop: int) -> NDArray[np.float64]:
        return np.fromfile(self.path, np.float64, stop - start, offset=start * WIDTH)


@dataclass(frozen=True)
class NumbersHeld:
    """`values`: (rows,), float64, null where missing, as the rows of a small file hold them."""

    values: pa.ChunkedArray

    def part(self, start: int, stop: int) -> NDArray[np.float64]:
        return as_numbers(self.values.slice(start, stop - start))


@dataclass(frozen=True)
class NumbersFloat32:
    """`values`: (rows,), float32, NaN where missing: numbers that lose nothing by it."""

    values: NDArray[np.float32]

    def part(self, start: int, stop: int) -> NDArray[np.float64]:
        return self.values[start:stop].astype(np.float64)


def kept_numbers(plain: NDArray[np.float64], is_held: bool, target: Path) -> ColumnNumbers:
    """Numbers of a column of which more than the file holds had to be made: in memory where they
    take no more of it than their text does, else written.

    Args:
        is_held: whether the column itself is in memory.
    """
    if is_held:
        with np.errstate(over="ignore"):
            short = plain.astype(np.float32)
        if np.array_equal(short, plain, equal_nan=True):
            return NumbersFloat32(short)
    plain.tofile(target)
    return NumbersOnDisk(target)


def store_rows(
    records: Records,
    readings: Mapping[str, Reading],
    parsed: Mapping[str, ColumnNumbers],
    hidden: Mapping[str, NDArray[np.bool]],
    rows: Mapping[str, Rows],
    target: Path,
) -> Path:
    """Writes an Arrow IPC file, zstd: the rows of the training split, then those of the test split,
    both ascending. The upload is read once for each, a batch at a time.

    Args:
        parsed: columns of numbers that have been read already.
        hidden: (rows of the upload,) by column: where what stands there means that there is none.

    Returns:
        `target`.
    """
    options = ipc.IpcWriteOptions(compression="zstd")
    names = records.train.names
    types = {name: _type(readings[name], records.type_of(name)) for name in names}
    schema = pa.schema(list(types.items()))
    raw = [name for name in names if name not in parsed]
    with (
        pa.OSFile(str(target), "wb") as output,
        ipc.new_file(output, schema, options=options) as writer,
    ):
        for chosen in (rows["train"], rows["test"]):
            for start, batch in records.batches(raw):
                stop = start + batch.num_rows
                low, high = np.searchsorted(chosen, (start, stop))
                if high > low:
                    picked = chosen[low:high] - start
                    taken = batch.take(pa.array(picked))
                    columns = [
                        _numbers(parsed[field.name], start, stop, picked)
                        if field.name in parsed
                        else _values(taken, field, readings[field.name], hidden, picked + start)
                        for field in schema
                    ]
                    writer.write_table(pa.table(columns, schema=schema))
    return target


def store_numbers(columns: Sequence[ColumnNumbers], rows: int, chosen: Rows, target: Path) -> None:
    """Writes a .npy file (chosen rows, columns), float32.

    Args:
        chosen: ascending.
    """
    shape, step = (len(chosen), len(columns)), max(1, CHUNK_VALUES // len(columns))
    with target.open("wb") as output:
        header = {"descr": "<f4", "fortran_order": False, "shape": shape}
        npy.write_array_header_1_0(output, header)
        for start in range(0, rows, step):
            low, high = np.searchsorted(chosen, (start, start + step))
            chunk = np.empty((high - low, len(columns)), np.float32)
            for place, numbers in enumerate(columns):
                chunk[:, place] = numbers.part(start, start + step)[chosen[low:high] - start]
            output.write(chunk.data)


def _numbers(column: ColumnNumbers, start: int, stop: int, picked: Rows) -> pa.Array:
    numbers = column.part(start, stop)[picked]
    return pa.array(numbers, from_pandas=bool(np.isnan(numbers).any()))  # NaN is missing


def _type(reading: Reading, raw: pa.DataType) -> pa.DataType:
    return {"number": pa.float64(), "moment": MOMENT, "as_is": raw}[reading.how]


def _values(
    batch: pa.RecordBatch,
    field: pa.Field,
    reading: Reading,
    hidden: Mapping[str, NDArray[np.bool]],
    rows: Rows,
) -> pa.ChunkedArray:
    place = batch.schema.get_field_index(field.name)
    if place < 0:
        return pa.chunked_array([pa.nulls(batch.num_rows, field.type)])
    values = reading.values(pa.chunked_array([batch.column(place)])).cast(field.type)
    if field.name not in hidden:
        return values
    return pc.if_else(hidden[field.name][rows], pa.scalar(None, field.type), values)
