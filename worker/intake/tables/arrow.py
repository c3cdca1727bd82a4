"""Arrow's own files, and its streams."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
from pyarrow import ipc

from app.datasets.table_spec import TableSpec
from worker.intake.raw import IntakeLimits, RawFile
from worker.intake.tables.records import FileRows
from worker.intake.tables.typed import arrow_damage_refused, spill_typed

name = "Arrow"

FILE_MAGIC = b"ARROW1"
STREAM_MAGIC = b"\xff\xff\xff\xff"  # before the length of the schema
SUFFIXES = (".arrow", ".arrows", ".feather", ".ipc")


def recognises(file: RawFile) -> bool:
    with file.path.open("rb") as stream:
        start = stream.read(len(FILE_MAGIC))
    is_stream = start.startswith(STREAM_MAGIC) and file.name.lower().endswith(SUFFIXES)
    return start == FILE_MAGIC or is_stream


def read(file: RawFile, spec: TableSpec, limits: IntakeLimits, workdir: Path) -> FileRows:
    target = workdir / f"{file.path.name}.spilt"
    with file.path.open("rb") as stream:
        is_file = stream.read(len(FILE_MAGIC)) == FILE_MAGIC
    with arrow_damage_refused(file.name), pa.OSFile(str(file.path)) as source:
        if is_file:
            held = ipc.open_file(source)
            return spill_typed(file, held.schema, _batches(held), spec, limits, target)
        reader = ipc.open_stream(source)
        return spill_typed(file, reader.schema, reader, spec, limits, target)


def _batches(held: ipc.RecordBatchFileReader) -> Iterator[pa.RecordBatch]:
    for index in range(held.num_record_batches):
        yield held.get_batch(index)
