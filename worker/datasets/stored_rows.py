"""The file of a dataset that holds all columns of its upload as typed values under their names: the
training rows in the order of x_train, then the test rows in the order of x_test."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from pyarrow import ipc


@dataclass(frozen=True)
class StoredRows:
    """`path`: an Arrow IPC file. Nothing of it stays in memory."""

    path: Path

    @property
    def schema(self) -> pa.Schema:
        with pa.OSFile(str(self.path)) as file:
            return ipc.open_file(file).schema

    def column(self, name: str) -> pa.ChunkedArray:
        """(rows,). Only that column is read."""
        wanted = ipc.IpcReadOptions(included_fields=[self.schema.get_field_index(name)])
        with pa.OSFile(str(self.path)) as file:
            reader = ipc.open_file(file, options=wanted)
            chunks = [
                reader.get_batch(place).column(0) for place in range(reader.num_record_batches)
            ]
        return pa.chunked_array(chunks, self.schema.field(name).type)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """All columns, some rows at a time."""
        with pa.OSFile(str(self.path)) as file:
            reader = ipc.open_file(file)
            for place in range(reader.num_record_batches):
                yield reader.get_batch(place)


def write_batches(path: Path, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> int:
    """Writes an Arrow file batch by batch; returns how many rows they are."""
    rows = 0
    with pa.OSFile(str(path), "wb") as output, ipc.new_file(output, schema) as writer:
        for batch in batches:
            rows += batch.num_rows
            writer.write_batch(batch)
    return rows
