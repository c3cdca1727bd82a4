"""`metadata.csv` or `metadata.jsonl` of an imagefolder: what else is known of each picture.

It is read as such a file is that is uploaded by itself. Its column `file_name` holds paths from the
folder that the file stands in; the label is the column that the spec names, else `label`, or the
first that is there of `labels`, `class`, `category`, `target`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path as FilePath

import pyarrow as pa

from app.datasets.schemas import DatasetSpec
from worker.intake.pictures.archives import ArchiveEntry
from worker.intake.pictures.names import Path, path_of, spoken
from worker.intake.raw import IntakeLimits, RawFile, refuse
from worker.intake.tables import delimited, json_lines
from worker.intake.tables.blank_rows import without_blank_rows
from worker.intake.tables.records import FileRows, listed
from worker.intake.tables.target import target_columns

NAMES = {"metadata.csv", "metadata.jsonl"}
FILE_NAME = "file_name"
LABEL_COLUMNS = ("label", "labels", "class", "category", "target")
MOST_BYTES = 2**26  # of all such files together
MOST_FILES = 200


@dataclass(frozen=True)
class Metadata:
    """One such file.

    rows: by the picture's path, the place of its row in `part`.
    """

    part: FileRows
    rows: dict[Path, int]


def is_metadata(path: Path) -> bool:
    return path[-1].casefold() in NAMES


def read(
    entry: ArchiveEntry, folder: Path, spec: DatasetSpec, limits: IntakeLimits, workdir: FilePath
) -> Metadata:
    """`folder`: where it stands, once what all paths begin with is left out. Raises WorkFailure
    `dataset_invalid`, with the line that is wrong."""
    name = spoken(entry.path)
    copy = workdir / f"metadata-{len([*workdir.glob('metadata-*')])}"
    copy.write_bytes(entry.read())
    reader = delimited if name.casefold().endswith(".csv") else json_lines
    part = without_blank_rows(reader.read(RawFile(name, copy), spec, limits, workdir), workdir)
    if FILE_NAME not in part.names:
        detail = (
            f"expected a column `{FILE_NAME}` in `{name}`, which names the picture of each row, "
            f"got the columns {listed(part.names)}"
        )
        refuse("wrong_header", detail, name)
    rows: dict[Path, int] = {}
    for row, called in enumerate(part.column(FILE_NAME).to_pylist()):
        if not isinstance(called, str) or not called:
            detail = f"expected a text `{FILE_NAME}` in {part.place(row)} of `{name}`, got none"
            refuse("missing_file_name", detail, name)
        path = (*folder, *path_of(called, name))
        if path in rows:
            detail = f"expected each picture once in `{name}`, got `{spoken(path)}` again"
            refuse("repeated_file_name", f"{detail} in {part.place(row)}", name)
        rows[path] = row
    return Metadata(part, rows)


def check_sizes(entries: Sequence[ArchiveEntry]) -> None:
    """Checks sizes before any of these files is read. Raises WorkFailure `dataset_invalid`."""
    if len(entries) > MOST_FILES:
        detail = (
            f"expected at most {MOST_FILES} metadata files, got {len(entries)}: one for all "
            "pictures, with their folders in `file_name`, says the same"
        )
        refuse("too_many_files", detail, spoken(entries[0].path))
    size = sum(entry.bytes for entry in entries)
    if size > MOST_BYTES:
        detail = f"expected at most {MOST_BYTES} bytes in all metadata files, got {size}"
        refuse("too_large", detail, spoken(max(entries, key=lambda each: each.bytes).path))


def label_columns(described: Sequence[Metadata], spec: DatasetSpec) -> tuple[str, ...] | None:
    """That hold the labels: () where the spec says that there are none, None where folders are
    classes. Raises WorkFailure `dataset_invalid`."""
    names = tuple(dict.fromkeys(name for each in described for name in columns_of(each)))
    target = spec.target
    is_said = target is not None and (target.column is not None or target.columns is not None)
    by_role = any(getattr(said, "role", None) == "label" for said in spec.columns.values())
    if is_said or by_role:
        return target_columns(spec, names)
    usual = next((name for name in LABEL_COLUMNS if name in names), None)
    return None if usual is None else (usual,)


def columns_of(each: Metadata) -> list[str]:
    return [name for name in each.part.names if name != FILE_NAME]


def table_of(described: Sequence[Metadata], rows: Sequence[int]) -> pa.Table:
    """Such rows, counted through all files, in their order. Raises WorkFailure `dataset_invalid`
    where two files hold a column in two types."""
    tables = [pa.Table.from_batches([*each.part.batches(each.part.names)]) for each in described]
    try:
        whole = pa.concat_tables(tables, promote_options="permissive")
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        detail = (
            "expected each column in one type in all metadata files, got text in one and numbers "
            "or true and false in another"
        )
        refuse("wrong_type", detail)
    return whole.take(pa.array(rows, pa.int64()))


def place_of(described: Sequence[Metadata], row: int) -> str:
    """Place of a row, counted through all files, in words."""
    for each in described:
        if row < each.part.rows:
            return f"{each.part.place(row)} of `{each.part.name}`"
        row -= each.part.rows
    return f"row {row}"
