"""Every format that uploads may have. A new one is a file beside this and a name in ARRAYS, or a
file in `tables` and a name in TABLES."""

from collections.abc import Sequence
from pathlib import Path

from app.datasets.schemas import DatasetSpec
from worker.intake import idx, npz, pictures
from worker.intake.joined.arrays import upload_of
from worker.intake.joined.upload import JoinedUpload
from worker.intake.pictures.texts import TEXTS, TextFiles
from worker.intake.raw import Format, IntakeLimits, RawArrays, RawFile, refuse
from worker.intake.tables import arrow, delimited, json_lines, parquet
from worker.intake.tables.files import read_parts
from worker.intake.tables.records import Records, TableFormat

ARRAYS: tuple[Format, ...] = (npz, idx)
TABLES: tuple[TableFormat, ...] = (delimited, parquet, json_lines, arrow)


def read(
    files: Sequence[RawFile], spec: DatasetSpec, limits: IntakeLimits, workdir: Path
) -> RawArrays | Records | TextFiles | JoinedUpload:
    if pictures.recognises(files):  # first: others take any zip and any gzip for theirs
        return pictures.read(files, spec, limits, workdir)
    if npz.recognises(files) and (parts := npz.read_parts(files, limits, workdir)):
        return upload_of(parts, spec, limits, workdir)
    chosen = [next((each for each in TABLES if each.recognises(file)), None) for file in files]
    readers = [each for each in chosen if each is not None]
    if readers and len(readers) == len(files):
        return read_parts(files, readers, spec, limits, workdir)
    for known in ARRAYS:
        if known.recognises(files):
            return known.read(files, limits, workdir)
    names = ", ".join(f"`{file.name}`" for file in files) or "no file"
    known_names = [
        pictures.name,
        TEXTS,
        *(each.name for each in ARRAYS),
        *(each.name for each in TABLES),
    ]
    formats = ", ".join(known_names)
    detail = (
        f"expected files of one of the formats {formats}, got {names}; a table's name ends in "
        ".csv, .tsv, .parquet, .jsonl or .arrow: save a sheet of another program as CSV; pack "
        "what another archive holds as .zip or .tar.gz"
    )
    refuse("unknown_format", detail)
