"""Texts in one column of a table -> what is stored: code points, labels, all columns as values.

x_train.npy, x_test.npy    (texts, length), int32: see app.inputs.text
y_train.npy, y_test.npy    as of arrays: see worker.intake.take_in
sketch.npy                 see app.inputs
rows.arrow                 as of tables: see worker.intake.tables.table; texts as they came

Rows whose text is missing, or empty by app.inputs.text_rule, are left out, counted and named.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.lib import format as npy
from numpy.typing import NDArray

from app.datasets.schemas import DatasetSpec, Schema
from app.datasets.table_spec import ColumnInfo, Role
from app.inputs.text import TextInputs, coded
from app.inputs.text_rule import normalised
from worker.intake.images import store_labels
from worker.intake.ingested import IngestedDataset, content_hash, store_sketch
from worker.intake.raw import IntakeLimits, refuse
from worker.intake.splits import Rows
from worker.intake.tables.dividing import Divided
from worker.intake.tables.features import Feature, check_type, feature_of, reading_of
from worker.intake.tables.readings import Reading
from worker.intake.tables.records import FileRows, Records
from worker.intake.tables.rows import store_rows
from worker.intake.tables.table import check_size
from worker.intake.tables.text_column import TextColumn
from worker.intake.tables.text_profile import TextsLeftOut, profile

UNSEEN = "a network sees the text alone; slices and derived datasets can name it"
CHUNK_TEXTS = 2**12
MOST_PLACES = 20  # of rows without a text that are named


@dataclass(frozen=True)
class UploadTexts:
    """Rows that have a text, their texts by the rule, (rows,), and what was left out."""

    records: Records
    normal: pa.ChunkedArray
    left_out: TextsLeftOut

    @classmethod
    def of(cls, records: Records, name: str, reading: Reading, workdir: Path) -> "UploadTexts":
        """Raises WorkFailure `dataset_invalid` where a file has no text at all."""
        parts, normal, places = list[FileRows](), list[pa.Array](), list[str]()
        counts = list[int]()
        for part in records.parts:
            texts = pa.chunked_array(_normalised(part, name, reading), pa.string())
            is_there: NDArray[np.bool_] = np.asarray(pc.is_valid(texts).to_numpy())
            kept, lost = np.flatnonzero(is_there), np.flatnonzero(~is_there)
            if not len(kept):
                detail = f"expected texts in the column `{name}`, got none in `{part.name}`"
                refuse("no_text", detail, name)
            of_file = "" if records.test is None else f" of `{part.name}`"
            places += [f"{part.place(int(row))}{of_file}" for row in lost[:MOST_PLACES]]
            counts.append(len(lost))
            parts.append(part.kept(kept, workdir) if len(lost) else part)
            normal += texts.drop_null().chunks
        left_out = TextsLeftOut(sum(counts), tuple(places[:MOST_PLACES]))
        return cls(Records(*parts), pa.chunked_array(normal, pa.string()), left_out)

    def lengths(self, rows: Rows) -> NDArray[np.int64]:
        """Code points of each text, by the rule."""
        found: NDArray[np.int64] = pc.utf8_length(self.normal.take(rows)).to_numpy()
        return found.astype(np.int64)

    def store(self, rows: Rows, inputs: TextInputs, target: Path) -> Path:
        """Writes (rows, length), int32. Returns `target`."""
        with target.open("wb") as output:
            shape = (len(rows), inputs.length)
            header: dict[str, Any] = {"descr": "<i4", "fortran_order": False, "shape": shape}
            npy.write_array_header_1_0(output, header)
            for start in range(0, len(rows), CHUNK_TEXTS):
                some = self.normal.take(rows[start : start + CHUNK_TEXTS]).to_pylist()
                output.write(coded(some, inputs.length).data)
        return target


def prepare_texts(
    records: Records, column: TextColumn, spec: DatasetSpec, limits: IntakeLimits, workdir: Path
) -> IngestedDataset:
    """Raises WorkFailure `dataset_invalid`."""
    reading = Reading(missing=spec.missing, decimal=records.decimal)
    check_type(column.name, "text", records.type_of(column.name))
    texts = UploadTexts.of(records, column.name, reading_of(spec, column.name, reading), workdir)
    records = texts.records
    divided = Divided.of(records, spec, reading)
    features = _features(records, column, spec, reading, divided)
    rows = divided.rows
    lengths = {split: texts.lengths(chosen) for split, chosen in rows.items()}
    inputs = TextInputs.fit(lengths["train"], spec.max_characters)
    check_size(inputs.length * sum(map(len, rows.values())), limits)
    arrays: dict[str, Path] = {}
    for split, chosen in rows.items():
        arrays[f"x_{split}"] = texts.store(chosen, inputs, workdir / f"x_{split}.npy")
        arrays[f"y_{split}"] = workdir / f"y_{split}.npy"
        store_labels(divided.y[split], arrays[f"y_{split}"])
    readings = {each.info.name: each.reading for each in features}
    target = workdir / "rows.arrow"
    arrays["rows"] = store_rows(records, readings, {}, divided.hidden, rows, target)
    schema = Schema(
        inputs=inputs,
        task=divided.task,
        splits=divided.splits,
        class_counts=divided.class_counts,
        columns=tuple(each.info for each in features),
    )
    hashed = content_hash(schema, arrays)
    arrays["sketch"] = store_sketch(arrays["x_train"], schema, workdir)
    found = profile(schema, texts.records, column.name, arrays, features, divided)
    return IngestedDataset(schema, texts.left_out.told(found, lengths), arrays, hashed)


def _features(
    records: Records,
    column: TextColumn,
    spec: DatasetSpec,
    reading: Reading,
    divided: Divided,
) -> list[Feature]:
    """All columns, of which a network sees the text."""
    fixed = divided.fixed_roles
    return [
        _text(records, column, reading_of(spec, name, reading))
        if name == column.name
        else _beside(records, name, spec, reading, divided.rows, fixed.get(name))
        for name in records.train.names
    ]


def _text(records: Records, column: TextColumn, reading: Reading) -> Feature:
    info = ColumnInfo(name=column.name, kind="text", role="feature", reason=column.reason)
    return Feature(info, reading, {"train": 0, "test": 0})


def _beside(
    records: Records,
    name: str,
    spec: DatasetSpec,
    reading: Reading,
    rows: Mapping[str, Rows],
    fixed: tuple[Role, str] | None,
) -> Feature:
    said = spec.columns.get(name)
    asked = getattr(said, "role", None)
    role: Role
    role, why = fixed or (asked or "ignored", "the spec says so" if asked else UNSEEN)
    found = feature_of(records, name, spec, reading, rows, Path("unused"), (role, why))
    if found.info.kind == "identifier" and role == "ignored":
        return replace(found, info=found.info.model_copy(update={"role": "id"}))
    return found


def _normalised(part: FileRows, name: str, reading: Reading) -> Iterator[pa.Array]:
    """Null where there is no text."""
    for chunk in reading.known(part.column(name)).chunks:
        texts = (text and (normalised(text) or None) for text in chunk.to_pylist())
        yield pa.array(texts, pa.string(), size=len(chunk))
