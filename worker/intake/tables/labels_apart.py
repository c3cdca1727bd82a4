"""A column that names several labels in each row, as `Cardiomegaly|Effusion` -> a column of true
and false for each label, in its place."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from app.datasets.schemas import DatasetSpec
from app.datasets.table_spec import TargetSpec
from worker.datasets.stored_rows import write_batches
from worker.intake.raw import NAME_CHARACTERS, refuse
from worker.intake.tables.features import reading_of
from worker.intake.tables.readings import Reading, distinct
from worker.intake.tables.records import FileRows, Records, listed, refuse_said
from worker.intake.tables.target import target_columns

MOST_LABELS = 1_000


@dataclass(frozen=True)
class _Told:
    """What the column's fields say.

    places: of the fields in `matrix`, by their text.
    matrix: (fields, labels), the last row of False alone.
    known: (fields,), whether it says anything.
    """

    labels: tuple[str, ...]
    places: Mapping[str | None, int]
    matrix: NDArray[np.bool]
    known: NDArray[np.bool]


def labels_apart(records: Records, spec: DatasetSpec, workdir: Path) -> tuple[Records, DatasetSpec]:
    """The rows, and a spec that names the new columns; both as they are where `target` says no
    separator. Raises WorkFailure `dataset_invalid`."""
    target = spec.target
    if target is None or target.separator is None:
        return records, spec
    names = target_columns(spec, records.train.names)
    if len(names) != 1:
        detail = f"expected one column of labels beside `separator`, got {listed(names)}"
        refuse_said("target_unclear", detail, "target")
    (name,) = names
    reading = Reading(missing=spec.missing, decimal=records.decimal)
    told = _told(records, name, reading_of(spec, name, reading), target.separator, target.none)
    if taken := sorted({*told.labels} & ({*records.train.names} - {name})):
        detail = (
            f"expected labels that no column is called, got {listed(taken)} in the column "
            f"`{name}`; rename these columns, or leave them out of the file"
        )
        refuse("duplicate_column", detail, taken[0])
    parts = [_apart(part, name, told, target.separator, workdir) for part in records.parts]
    said = {column: each for column, each in spec.columns.items() if column != name}
    aimed = TargetSpec(columns=told.labels, task="multi_label")
    return Records(*parts), spec.model_copy(update={"target": aimed, "columns": said})


def _told(records: Records, name: str, reading: Reading, separator: str, none: str | None) -> _Told:
    column = records.column(name)
    if not pa.types.is_string(column.type):
        detail = f"expected text in the column `{name}`, which `separator` parts, got {column.type}"
        refuse("wrong_type", detail, name)
    codes, fields = distinct(column)
    texts, known = fields.to_pylist(), reading.known(fields).to_pylist()
    named: list[tuple[str, ...] | None] = []
    for place, text in enumerate(known):
        labels = None if text is None else _labels(text, separator)
        if labels is not None and (not labels or (none in labels and len(labels) > 1)):
            row = int(np.flatnonzero(codes == place)[0])
            got = f"`{none}` beside others" if labels else "none"
            detail = (
                f"expected labels with `{separator}` between them in the column `{name}`, got "
                f"{got} in {records.place(row)}"
            )
            refuse("wrong_type", detail, name)
        named.append(() if labels == (none,) else labels)
    found = sorted({label for labels in named for label in labels or ()})
    _check(found, name, separator, any(separator in (text or "") for text in known))
    places = {label: place for place, label in enumerate(found)}
    matrix = np.zeros((len(texts) + 1, len(found)), np.bool)
    for row, labels in enumerate(named):
        matrix[row, [places[label] for label in labels or ()]] = True
    is_known = np.array([*(labels is not None for labels in named), False])
    return _Told(tuple(found), {text: row for row, text in enumerate(texts)}, matrix, is_known)


def _labels(text: str, separator: str) -> tuple[str, ...]:
    parts = (part.strip() for part in text.split(separator))
    return tuple(dict.fromkeys(part for part in parts if part))


def _check(labels: Sequence[str], name: str, separator: str, is_there: bool) -> None:
    if not is_there or len(labels) < 2:
        got = "it in no row" if not is_there else f"{len(labels)}"
        detail = (
            f"expected two labels or more with `{separator}` between them in the column `{name}`, "
            f'got {got}; one label in each row is a `task`: "classification", without `separator`'
        )
        refuse_said("one_class", detail, "target", "separator")
    if len(labels) > MOST_LABELS:
        detail = (
            f"expected at most {MOST_LABELS} labels in the column `{name}`, got {len(labels)}: is "
            f"`{separator}` what stands between them?"
        )
        refuse_said("too_many_classes", detail, "target", "separator")
    if any(len(label) > NAME_CHARACTERS for label in labels):
        detail = (
            f"expected labels of at most {NAME_CHARACTERS} characters in the column `{name}`, got "
            f"longer ones: is `{separator}` what stands between them?"
        )
        refuse("name_too_long", detail, name)


def _apart(part: FileRows, name: str, told: _Told, separator: str, workdir: Path) -> FileRows:
    """Writes the rows anew, with the labels' columns in place of the one."""
    if name not in part.own:  # a test file may have no labels
        return part
    others = [each for each in part.names if each != name]
    fields = [part.schema.field(each) for each in others]
    schema = pa.schema([*fields, *(pa.field(label, pa.bool_()) for label in told.labels)])
    path = workdir / f"labels_of_{part.path.name}"

    def parted() -> Iterator[pa.RecordBatch]:
        for batch in part.batches(part.names):
            found = pc.dictionary_encode(batch.column(name))
            places = np.array([told.places[text] for text in found.dictionary.to_pylist()] + [-1])
            rows = places[pc.fill_null(found.indices, -1).to_numpy(zero_copy_only=False)]
            gone = ~told.known[rows]
            columns = [pa.array(column, mask=gone) for column in told.matrix[rows].T]
            kept = [batch.column(each) for each in others]
            yield pa.RecordBatch.from_arrays([*kept, *columns], schema=schema)

    write_batches(path, schema, parted())
    sentence = (
        f"The column `{name}` names labels with `{separator}` between them: it became a column of "
        f"true and false for each of its {len(told.labels)} labels."
    )
    return replace(
        part,
        path=path,
        names=(*others, *told.labels),
        found=(*part.found, sentence),
        as_text=None,
        held=None,
    )
