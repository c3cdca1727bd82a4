"""Parquet files."""

from pathlib import Path

from pyarrow import parquet

from app.datasets.table_spec import TableSpec
from worker.intake.raw import IntakeLimits, RawFile, refuse
from worker.intake.tables.records import SETTING, FileRows
from worker.intake.tables.typed import arrow_damage_refused, spill_typed

name = "Parquet"

MAGIC = b"PAR1"
BATCH_ROWS = 2**14


def recognises(file: RawFile) -> bool:
    with file.path.open("rb") as stream:
        return stream.read(len(MAGIC)) == MAGIC


def read(file: RawFile, spec: TableSpec, limits: IntakeLimits, workdir: Path) -> FileRows:
    with arrow_damage_refused(file.name), parquet.ParquetFile(file.path) as held:
        groups = [held.metadata.row_group(index) for index in range(held.metadata.num_row_groups)]
        size = sum(group.total_byte_size for group in groups)
        if size > limits.bytes:
            detail = (
                f"expected at most {limits.bytes} bytes in `{file.name}` once inflated, got "
                f"{size}: upload fewer rows or columns, or raise {SETTING} where the service runs"
            )
            refuse("too_large", detail, file.name)
        batches = held.iter_batches(batch_size=BATCH_ROWS)
        target = workdir / f"{file.path.name}.arrow"
        return spill_typed(file, held.schema_arrow, batches, spec, limits, target)
