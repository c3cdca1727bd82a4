"""Every format that uploads may have. A new one is a file beside this and a name in ARRAYS, or a
file in `tables` and a name in TABLES."""

from collections.abc import Sequence
from pathlib import Path

from app.datasets.table_spec import TableSpec
from worker.intake import idx, npz
from worker.intake.raw import Format, Limits, RawArrays, RawFile, refuse
from worker.intake.tables import arrow, delimited, json_lines, parquet
from worker.intake.tables.files import read_parts
from worker.intake.tables.records import Records, TableFormat

ARRAYS: tuple[Format, ...] = (npz, idx)
TABLES: tuple[TableFormat, ...] = (delimited, parquet, json_lines, arrow)


def read(
    files: Sequence[RawFile], spec: TableSpec, limits: Limits, workdir: Path
) -> RawArrays | Records:
    chosen = [next((each for each in TABLES if each.recognises(file)), None) for file in files]
    readers = [each for each in chosen if each is not None]
    if readers and len(readers) == len(files):
        return read_parts(files, readers, spec, limits, workdir)
    for known in ARRAYS:
        if known.recognises(files):
            return known.read(files, limits, workdir)
    names = ", ".join(f"`{file.name}`" for file in files) or "no file"
    formats = ", ".join([*(each.name for each in ARRAYS), *(each.name for each in TABLES)])
    refuse("unknown_format", f"expected files of one of the formats {formats}, got {names}")
