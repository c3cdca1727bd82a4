"""All columns of a table as typed values, in the order in which its rows are stored."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.lib import format as npy
from pyarrow import ipc

from worker.intake.splits import Rows
from worker.intake.tables.readings import MOMENT, Reading
from worker.intake.tables.records import Records

CHUNK_VALUES = 2**20


def store_rows(
    records: Records, readings: Mapping[str, Reading], rows: Mapping[str, Rows], target: Path
) -> Path:
    """Writes an Arrow IPC file, zstd: the rows of the training split, then those of the test split,
    both ascending. The upload is read once for each, a batch at a time.

    Returns:
        `target`.
    """
    options = ipc.IpcWriteOptions(compression="zstd")
    types = {name: _type(readings[name], records.type_of(name)) for name in records.train.names}
    schema = pa.schema(list(types.items()))
    with (
        pa.OSFile(str(target), "wb") as output,
        ipc.new_file(output, schema, options=options) as writer,
    ):
        for chosen in (rows["train"], rows["test"]):
            start = 0
            for part in records.parts:
                for batch in part.batches():
                    stop = start + batch.num_rows
                    low, high = np.searchsorted(chosen, (start, stop))
                    if high > low:
                        picked = batch.take(pa.array(chosen[low:high] - start))
                        writer.write_table(_read(picked, schema, readings))
                    start = stop
    return target


def store_numbers(columns: Sequence[Path], rows: int, chosen: Rows, target: Path) -> None:
    """Writes a .npy file (chosen rows, columns), float32.

    Args:
        columns: a file each, (rows,), float32.
        chosen: ascending.
    """
    shape, step = (len(chosen), len(columns)), max(1, CHUNK_VALUES // len(columns))
    with target.open("wb") as output:
        header = {"descr": "<f4", "fortran_order": False, "shape": shape}
        npy.write_array_header_1_0(output, header)
        for start in range(0, rows, step):
            low, high = np.searchsorted(chosen, (start, start + step))
            chunk = np.empty((high - low, len(columns)), np.float32)
            for place, path in enumerate(columns):
                held = np.fromfile(path, np.float32, step, offset=start * chunk.itemsize)
                chunk[:, place] = held[chosen[low:high] - start]
            output.write(chunk.data)


def _type(reading: Reading, raw: pa.DataType) -> pa.DataType:
    return {"number": pa.float64(), "moment": MOMENT, "as_is": raw}[reading.how]


def _read(batch: pa.RecordBatch, schema: pa.Schema, readings: Mapping[str, Reading]) -> pa.Table:
    columns = []
    for field in schema:
        place = batch.schema.get_field_index(field.name)
        if place < 0:
            columns.append(pa.chunked_array([pa.nulls(batch.num_rows, field.type)]))
            continue
        raw = pa.chunked_array([batch.column(place)])
        columns.append(readings[field.name].values(raw).cast(field.type))
    return pa.table(columns, schema=schema)
