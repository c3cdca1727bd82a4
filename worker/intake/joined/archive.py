"""Archives of pictures with a metadata file in which items have further columns to learn from.

After Hugging Face's imagefolder: the column `file_name` names the picture of the part `image`, and
`NAME_file_name` that of the part NAME; paths count from the folder of the metadata file. A row is
an item; an empty field is a picture that is missing, and two items may share one. Where each split
has a folder, each has a metadata file.
"""

from collections.abc import Sequence
from math import prod
from pathlib import Path as FilePath
from typing import NoReturn

import numpy as np

from app.datasets.schemas import DatasetSpec
from app.datasets.table_spec import ColumnSpec
from app.errors import Finding
from app.inputs.pictures import Form
from worker.intake.joined.upload import IMAGE_PART, JoinedUpload, PartPictures, check_part_name
from worker.intake.pictures import junk, metadata
from worker.intake.pictures.archives import ArchiveEntry, PictureArchive, archive_damage_refused
from worker.intake.pictures.decoding import decode, look_at
from worker.intake.pictures.findings import findings_of
from worker.intake.pictures.form import decide
from worker.intake.pictures.layout import FOLDERS, ArchiveLayout, Picture
from worker.intake.pictures.metadata import FILE_NAME
from worker.intake.pictures.names import Path, listed, path_of, spoken
from worker.intake.pictures.unreadable import LeftOut, left_out, refuse_unreadable
from worker.intake.raw import Array, IntakeLimits, PictureFindings, RawFile, pointer_to, refuse
from worker.intake.sizes import SETTING
from worker.intake.tables import delimited, json_lines
from worker.intake.tables.records import FileRows, Records, TableFormat

SUFFIX = f"_{FILE_NAME}"
MOST_NAMED = 100  # files in one answer


def is_asked(spec: DatasetSpec) -> bool:
    """True where the spec says that items have more to learn from than a picture each."""
    roles = (said.role for said in spec.columns.values() if isinstance(said, ColumnSpec))
    return spec.modality == "joined" or (spec.modality is None and "feature" in roles)


def read(
    archives: Sequence[PictureArchive], spec: DatasetSpec, limits: IntakeLimits, workdir: FilePath
) -> JoinedUpload:
    """Raises WorkFailure `dataset_invalid`."""
    layout = ArchiveLayout()
    files = _files(archives, layout)
    records, folders = _records(files, spec, limits, workdir)
    columns = [name for name in records.train.names if _part(name)]
    if not columns:
        detail = (
            f"expected a column `{FILE_NAME}` in the metadata, or some that end in `{SUFFIX}`, "
            f"which name the pictures of each item, got {listed(records.train.names)}"
        )
        refuse("wrong_header", detail, records.train.name)
    named = {column: _named(records, column, folders) for column in columns}
    _check_there(named, files, records)
    places = [(column, row) for column in columns for row, path in enumerate(named[column]) if path]
    if not places:
        detail = f"expected pictures in {listed(columns)}, got empty fields alone"
        refuse("no_pictures", detail, columns[0])
    layout.pictures = [
        Picture(files[path], "train", None, row)
        for column, row in places
        if (path := named[column][row])
    ]
    used = {path for paths in named.values() for path in paths if path}
    if unused := [path for path in files if path not in used and not metadata.is_metadata(path)]:
        layout.sentences.append(
            f"{len(unused)} pictures are of no item and were not read: "
            f"{listed([spoken(path) for path in unused[:5]])}."
        )
    stored = records.rows * len(columns)
    values, gone, findings = _decoded(layout, spec, limits, workdir, stored)
    pictures = {}
    for column in columns:
        own = [place for place, (of, _) in enumerate(places) if of == column]
        kept = [place for place in own if place not in gone]
        rows = [places[place][1] for place in kept]
        target = workdir / f"joined_{_part(column)}"
        pictures[str(_part(column))] = _spread(values, kept, gone, rows, records.rows, target)
    return JoinedUpload(records, pictures, None, tuple(columns), findings)


def _part(column: str) -> str | None:
    """The part whose pictures a column names."""
    if column == FILE_NAME:
        return IMAGE_PART
    if not column.endswith(SUFFIX):
        return None
    name = column.removesuffix(SUFFIX)
    check_part_name(name, f"the column `{column}`")
    return name


def _files(archives: Sequence[PictureArchive], layout: ArchiveLayout) -> dict[Path, ArchiveEntry]:
    found: dict[Path, ArchiveEntry] = {}
    for archive in archives:
        with archive_damage_refused(archive.name):
            for entry in archive.entries():
                if not entry.path or entry.is_folder:
                    continue
                kind = junk.kind_of(entry.path, entry.is_folder)
                if kind and not (metadata.is_metadata(entry.path) and kind in KINDS):
                    layout.junk[kind] += 1
                elif (other := found.get(entry.path)) is None:
                    found[entry.path] = entry
                else:
                    _refuse_second(entry, other)
    return found


def _refuse_second(entry: ArchiveEntry, other: ArchiveEntry) -> NoReturn:
    """Rows name pictures by their paths: of two files at one, either may be meant."""
    where = f"twice in `{entry.archive.name}`"
    if entry.archive is not other.archive:
        where = f"in `{other.archive.name}` and in `{entry.archive.name}`"
    detail = (
        f"expected each file once in all archives, got `{spoken(entry.path)}` {where}: pack one "
        "archive, in which each file has a path of its own and one metadata file has all rows, or "
        "the folders `train` and `test` have one each"
    )
    refuse("repeated_file", detail, spoken(entry.path))


KINDS = {None, "tables and annotations"}  # of junk, that a metadata file may be


def _records(
    files: dict[Path, ArchiveEntry], spec: DatasetSpec, limits: IntakeLimits, workdir: FilePath
) -> tuple[Records, list[Path]]:
    """One metadata file, or one for each split; and the folder of each."""
    described = {path: entry for path, entry in files.items() if metadata.is_metadata(path)}
    metadata.check_sizes([*described.values()])
    if not described:
        detail = (
            "expected a metadata.csv or metadata.jsonl beside the pictures, with the columns to "
            "learn from and those that name the pictures, got none"
        )
        refuse("missing_metadata", detail)
    by_split: dict[str, Path] = {}
    for path in sorted(described):
        folder = FOLDERS.get(path[-2].casefold()) if len(path) > 1 else None
        split = "test" if folder == "test" and len(described) > 1 else "train"
        if split in by_split:
            detail = (
                f"expected one metadata file for all items, or one in the folder of each split, "
                f"got `{spoken(by_split[split])}` and `{spoken(path)}`"
            )
            refuse("too_many_files", detail, spoken(path))
        by_split[split] = path
    if "train" not in by_split:
        refuse("empty_split", "expected items to train on, got a test folder alone", "train")
    parts = {
        split: _read(files[path], spec, limits, workdir / f"metadata-{split}")
        for split, path in by_split.items()
    }
    records = Records(parts["train"], parts.get("test"))
    if records.test and set(records.test.names) != set(records.train.names):
        detail = "expected the columns of the training items in the test folder's metadata too"
        refuse("wrong_header", detail, records.test.name)
    folders = [
        by_split[split][:-1]
        for split in ("train", "test")
        if split in parts
        for _ in range(parts[split].rows)
    ]
    return records, folders


def _read(
    entry: ArchiveEntry, spec: DatasetSpec, limits: IntakeLimits, folder: FilePath
) -> FileRows:
    folder.mkdir()
    name = spoken(entry.path)
    copy = folder / "metadata"
    copy.write_bytes(entry.read())
    reader: TableFormat = delimited if name.casefold().endswith(".csv") else json_lines
    return reader.read(RawFile(name, copy), spec, limits, folder)


def _named(records: Records, column: str, folders: Sequence[Path]) -> list[Path | None]:
    """The path of each row's picture; None: it has none."""
    paths: list[Path | None] = []
    for row, called in enumerate(records.column(column).to_pylist()):
        if called is None or called == "":
            paths.append(None)
        elif isinstance(called, str):
            paths.append((*folders[row], *path_of(called, column)))
        else:
            detail = (
                f"expected the name of a picture in `{column}`, {records.place(row)}, got other"
            )
            refuse("wrong_type", detail, column)
    return paths


def _check_there(
    named: dict[str, list[Path | None]], files: dict[Path, ArchiveEntry], records: Records
) -> None:
    """Raises WorkFailure `missing_pictures`, which names each that is in no file."""
    gone = [
        (column, row, path)
        for column, paths in named.items()
        for row, path in enumerate(paths)
        if path and path not in files
    ]
    if not gone:
        return
    findings = [
        Finding(
            f"expected the picture that `{column}` names in {records.place(row)}, got no such file",
            pointer_to(spoken(path)),
        )
        for column, row, path in gone[:MOST_NAMED]
    ]
    names = listed([spoken(path) for _, _, path in gone[:5]])
    more = f" and {len(gone) - 5} more" if len(gone) > 5 else ""
    detail = (
        f"expected all pictures that the metadata name, got {len(gone)} names without a file: "
        f"{names}{more}. Pack them too, or leave the field empty where an item has none"
    )
    left_off = max(0, len(gone) - MOST_NAMED)
    refuse("missing_pictures", detail, spoken(gone[0][2]), findings, left_off)


def _decoded(
    layout: ArchiveLayout, spec: DatasetSpec, limits: IntakeLimits, workdir: FilePath, stored: int
) -> tuple[Array, dict[int, str], PictureFindings]:
    """All pictures in one form, without those that cannot be read where the spec says so. `stored`:
    as how many they will be, those that are missing among them."""
    pictures = layout.pictures
    headers = look_at(pictures)
    if not headers.seen.pictures:
        refuse_unreadable(pictures, headers.unreadable)
    decided = decide(headers.seen, spec.image_size)
    _check_bytes(decided.form, stored, limits)
    leaves_out = spec.unreadable == "leave_out"
    arrays, gone = decode(pictures, headers, decided.form, workdir, leaves_out)
    if gone and not (leaves_out and arrays):
        refuse_unreadable(pictures, gone)
    headers.take_back(pictures, gone)
    lost: LeftOut = left_out(pictures, gone)
    return arrays["train"], gone, findings_of(layout, headers.seen, decided, lost)


def _spread(
    values: Array,
    kept: Sequence[int],
    gone: dict[int, str],
    rows: Sequence[int],
    count: int,
    target: FilePath,
) -> PartPictures:
    """Pictures in the order of the items, zeros where one has none."""
    shape = (count, *values.shape[1:])
    spread = np.memmap(target, values.dtype, "w+", shape=shape)
    known = np.zeros(count, np.bool_)
    before = np.cumsum([0, *(place in gone for place in range(max(kept, default=0) + 1))])
    for place, row in zip(kept, rows, strict=True):
        spread[row] = values[place - int(before[place])]
        known[row] = True
    return PartPictures(spread, known)


def _check_bytes(form: Form, pictures: int, limits: IntakeLimits) -> None:
    size = pictures * prod((form.height, form.width, form.channels, 4 if form.is_deep else 1))
    if size > limits.bytes:
        detail = (
            f"expected at most {limits.bytes} bytes as the dataset is stored, got {size}: "
            f"{pictures} pictures of {form.height} x {form.width}, those that are missing among "
            "them. A smaller `image_size` in the "
            f"spec takes less, or raise {SETTING} where the service runs"
        )
        refuse("too_large", detail)
