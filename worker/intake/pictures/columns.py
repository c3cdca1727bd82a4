"""Metadata files of pictures -> a row for each picture, labels, and which pictures are tested."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import accumulate
from pathlib import Path

import numpy as np

from app.datasets.schemas import DatasetSpec
from app.datasets.table_spec import TargetSpec
from worker.intake.item_columns import ItemColumns
from worker.intake.pictures.layout import ArchiveLayout, Picture
from worker.intake.pictures.metadata import FILE_NAME, Metadata, place_of, table_of
from worker.intake.raw import IntakeLimits, refuse
from worker.intake.tables.labels_apart import labels_apart
from worker.intake.tables.readings import Reading
from worker.intake.tables.records import FileRows, Records, spill
from worker.intake.tables.splitting import RowCut, check_both, cut_of
from worker.intake.tables.target import TableLabels, labels_of


def split_by_columns(
    layout: ArchiveLayout, spec: DatasetSpec, limits: IntakeLimits, workdir: Path
) -> RowCut | None:
    """Makes pictures those of the test split whose columns say so, and puts them last; None where
    the spec names no such columns. Raises WorkFailure `dataset_invalid`."""
    said = spec.split
    if not layout.described or said is None or not (said.column or said.where or said.time):
        return None
    records = _records(layout, limits, workdir / "unsplit")
    cut = cut_of(records, spec, spec.test_fraction, _reading(records, spec))
    assert cut.given is not None
    check_both(np.flatnonzero(~cut.given), np.flatnonzero(cut.given), cut)
    for picture, is_test in zip(layout.pictures, cut.given, strict=True):
        picture.split = "test" if is_test else "train"
    layout.pictures.sort(key=lambda each: each.split == "test")
    return cut


def beside_of(
    layout: ArchiveLayout,
    cut: RowCut | None,
    spec: DatasetSpec,
    limits: IntakeLimits,
    workdir: Path,
) -> ItemColumns | None:
    """Returns None where no metadata came with the pictures. `cut`: by columns, where there is
    one."""
    if not layout.described:
        return None
    records = _records(layout, limits, workdir / "split")
    reading = _reading(records, spec)
    if layout.label_columns is None:
        everything = np.ones(records.rows, np.bool)
        labels = TableLabels((), None, everything, None, "folders are classes")
    else:
        records, spec = labels_apart(records, _aimed(spec, layout.label_columns), workdir)
        labels = labels_of(records, spec, reading)
    if cut is None:
        cut = cut_of(records, spec, spec.test_fraction, reading, labels.known)
    else:
        cut = replace(cut, given=np.arange(records.rows) >= records.train.rows)
    return ItemColumns(records, spec, reading, labels, cut, FILE_NAME)


def _aimed(spec: DatasetSpec, columns: tuple[str, ...]) -> DatasetSpec:
    """Sets the columns as the spec's target, which may have named none."""
    if spec.target and (spec.target.column is not None or spec.target.columns is not None):
        return spec
    one = columns[0] if len(columns) == 1 else None
    several = None if one else columns
    said = {"column": one, "columns": several, "task": spec.said_task}
    target = (spec.target or TargetSpec()).model_copy(update=said)
    return spec.model_copy(update={"target": target})


def _reading(records: Records, spec: DatasetSpec) -> Reading:
    return Reading(missing=spec.missing, decimal=records.decimal)


def _records(layout: ArchiveLayout, limits: IntakeLimits, target: Path) -> Records:
    """A part for each split that has pictures."""
    parts = []
    for split in ("train", "test"):
        of_split = [each for each in layout.pictures if each.split == split]
        if of_split:
            path = target.with_name(f"{target.name}-{split}.arrow")
            parts.append(_part(layout.described, of_split, limits, path))
    return Records(*parts)


def _part(
    described: Sequence[Metadata], pictures: Sequence[Picture], limits: IntakeLimits, path: Path
) -> FileRows:
    rows = [each.row for each in pictures if each.row is not None]
    whole = table_of(described, rows)
    names = tuple(whole.column_names)
    ends = list(accumulate(each.part.rows for each in described))
    used = {int(place) for place in np.searchsorted(ends, rows, side="right")}
    files = [described[place].part for place in sorted(used)]
    spill(files[0].name, whole.schema, whole.to_batches(), limits, path)
    decimals = {each.decimal for each in files} - {None}
    if len(decimals) > 1:
        detail = (
            "expected one decimal sign in all metadata files, got a comma in one and a point in "
            'another; `csv`: {"decimal": …} in the spec says which it is'
        )
        refuse("mixed_decimals", detail)
    return FileRows(
        name=files[0].name if len(files) == 1 else "the metadata",
        path=path,
        rows=len(rows),
        names=names,
        place=partial(_place, described, rows, len(files) == 1),
        decimal=next(iter(decimals), None),
    )


def _place(described: Sequence[Metadata], rows: Sequence[int], is_short: bool, row: int) -> str:
    said = place_of(described, rows[row])
    return said.partition(" of ")[0] if is_short else said
