"""Items of several parts -> what is stored.

x_train.PART.TENSOR.npy, x_test.…   of each part as its modality has it; nothing where it is missing
x_train.PART.present.npy, x_test.…  (items,), uint8: whether a picture is there
y_train.npy, y_test.npy             as of arrays: see worker.intake.take_in
sketch.npy                          see app.inputs
rows.arrow                          as of tables: see worker.intake.tables.table
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from app.datasets.schemas import DatasetSpec, Schema
from app.datasets.table_spec import ColumnInfo, TargetSpec
from app.inputs.contract import InputsContract
from app.inputs.image import ImageInputs
from app.inputs.joined import MOST_PARTS, JoinedInputs
from app.inputs.joined_part import JoinedPart
from app.inputs.table import TableInputs
from app.inputs.text import TextInputs, coded
from app.inputs.text_rule import normalised
from worker.intake.images import laid_out, store, store_labels, stored_type
from worker.intake.ingested import IngestedDataset, content_hash, store_sketch_of
from worker.intake.joined.joined_profile import profile
from worker.intake.joined.upload import (
    ROW_PART,
    JoinedUpload,
    check_part_name,
)
from worker.intake.raw import IntakeLimits, refuse
from worker.intake.splits import Rows
from worker.intake.tables.dividing import Divided
from worker.intake.tables.features import Feature, feature_of, reading_of, said_of
from worker.intake.tables.readings import Reading
from worker.intake.tables.records import SETTING, listed, refuse_said
from worker.intake.tables.rows import store_numbers, store_rows
from worker.intake.tables.target import check_columns

Arrays = dict[str, Path]


@dataclass(frozen=True)
class Intake:
    """An upload that is being taken in."""

    upload: JoinedUpload
    spec: DatasetSpec
    reading: Reading
    divided: Divided
    limits: IntakeLimits
    workdir: Path

    @property
    def rows(self) -> Mapping[str, Rows]:
        return self.divided.rows

    def path(self, split: str, part: str, tensor: str) -> tuple[str, Path]:
        name = f"x_{split}.{part}.{tensor}"
        return name, self.workdir / f"{name}.npy"


def ingest_joined(
    upload: JoinedUpload, spec: DatasetSpec, limits: IntakeLimits, workdir: Path
) -> IngestedDataset:
    """Raises WorkFailure `dataset_invalid`."""
    _check_spec(upload, spec)
    if upload.label is not None:
        said = TargetSpec(column=upload.label, task=spec.said_task)
        spec = spec.model_copy(update={"target": said})
    reading = Reading(missing=spec.missing, decimal=upload.records.decimal)
    divided = Divided.of(upload.records, spec, reading)
    intake = Intake(upload, spec, reading, divided, limits, workdir)
    features = _features(intake)
    arrays: Arrays = {}
    parts = [
        *_pictures(intake, arrays),
        *_tables(intake, features, arrays),
        *_texts(intake, features, arrays),
    ]
    _check_parts(parts, features)
    inputs = JoinedInputs(parts=tuple(parts))
    _check_size(inputs, intake)
    for split, labels in divided.y.items():
        arrays[f"y_{split}"] = workdir / f"y_{split}.npy"
        store_labels(labels, arrays[f"y_{split}"])
    readings = {each.info.name: each.reading for each in features}
    target = workdir / "rows.arrow"
    arrays["rows"] = store_rows(upload.records, readings, {}, divided.hidden, divided.rows, target)
    items = {split: loaded(inputs, arrays, split) for split in divided.rows}
    _check_items(inputs, items, intake)
    schema = Schema(
        inputs=inputs,
        task=divided.task,
        splits=divided.splits,
        class_counts=divided.class_counts,
        columns=tuple(each.info for each in features),
    )
    hashed = content_hash(schema, arrays)
    arrays["sketch"] = store_sketch_of(arrays, schema, workdir)
    found = profile(schema, inputs, upload, features, divided, items)
    return IngestedDataset(schema, found, arrays, hashed)


def loaded(inputs: JoinedInputs, arrays: Arrays, split: str) -> dict[str, NDArray[Any]]:
    """The stored tensors of a split, mapped."""
    return {
        tensor: np.load(arrays[name], mmap_mode="r", allow_pickle=False)
        for tensor, name in inputs.arrays(split).items()
    }


def _check_spec(upload: JoinedUpload, spec: DatasetSpec) -> None:
    for name in spec.columns:
        check_columns([name], upload.records.train.names, "columns", name)
    if spec.modality not in {None, "joined"}:
        detail = f"expected the modality joined for items of several parts, got {spec.modality}"
        refuse_said("not_joined", f"{detail}; leave it out where the files say it", "modality")
    if spec.image_size is not None and upload.findings is None:
        detail = "expected `image_size` for files of pictures alone, got others"
        refuse_said("image_size_of_arrays", detail, "image_size")
    if spec.value_range is not None and not upload.pictures:
        detail = "expected `value_range` for pictures alone, got items without any"
        refuse_said("not_for_tables", detail, "value_range")


def _features(intake: Intake) -> list[Feature]:
    upload, fixed = intake.upload, dict(intake.divided.fixed_roles)
    for name in upload.file_columns:
        fixed[name] = ("id", "it names the files of pictures")
    features = []
    for place, name in enumerate(upload.records.train.names):
        if upload.part_of(name) is None and name not in fixed:
            fixed[name] = ("ignored", "it belongs to no part")
        target = intake.workdir / f"{place}.f32"
        found = feature_of(
            upload.records, name, intake.spec, intake.reading, intake.rows, target, fixed.get(name)
        )
        if name in upload.file_columns:
            info = found.info.model_dump() | {"kind": "image", "role": "id"}
            found = Feature(ColumnInfo.model_validate(info), found.reading, found.missing)
        features.append(found)
    return [_as_text(each) if _is_text(each, intake) else each for each in features]


def _is_text(feature: Feature, intake: Intake) -> bool:
    """Tells whether a column of free text is a part: where nothing says that it is something
    else."""
    info, said = feature.info, said_of(intake.spec, feature.info.name)
    if info.kind != "text" or said is None or said.role not in {None, "feature"}:
        return False
    return info.name not in intake.divided.fixed_roles


def _as_text(feature: Feature) -> Feature:
    reason = feature.info.reason.partition(":")[0]
    info = feature.info.model_copy(update={"role": "feature", "reason": reason})
    return Feature(info, feature.reading, feature.missing)


def _pictures(intake: Intake, arrays: Arrays) -> Iterator[JoinedPart]:
    for name, pictures in intake.upload.pictures.items():
        values = laid_out(pictures.values, ImageInputs, f"x_train.{name}")
        if not pictures.known[intake.rows["train"]].any():
            detail = f"expected pictures of the part `{name}` among the training items, got none"
            refuse("no_pictures", detail, name)
        dtype = stored_type([values])
        scans = {}
        for split, rows in intake.rows.items():
            key, path = intake.path(split, name, "image")
            scans[split] = store(values, rows, dtype, f"x_{split}.{name}", path)
            arrays[key] = path
            key, arrays[f"x_{split}.{name}.present"] = intake.path(split, name, "present")
            np.save(arrays[key], pictures.known[rows].astype(np.uint8), allow_pickle=False)
        inputs = ImageInputs.fit(
            values.shape[1:], dtype.name, scans["train"].values, intake.spec.value_range
        )
        yield JoinedPart(name=name, inputs=inputs)


def _tables(intake: Intake, features: Sequence[Feature], arrays: Arrays) -> Iterator[JoinedPart]:
    upload = intake.upload
    for name in [ROW_PART] if upload.tables is None else upload.tables:
        own = [f for f in features if f.stored is not None and upload.part_of(f.info.name) == name]
        if not own:
            continue
        for split, rows in intake.rows.items():
            key, path = intake.path(split, name, "row")
            stored = [each.stored for each in own if each.stored is not None]
            store_numbers(stored, upload.records.rows, rows, path)
            arrays[key] = path
        columns = tuple(each.column for each in own if each.column is not None)
        yield JoinedPart(name=name, inputs=TableInputs(columns=columns))


def _texts(intake: Intake, features: Sequence[Feature], arrays: Arrays) -> Iterator[JoinedPart]:
    for feature in features:
        name = feature.info.name
        if feature.info.kind != "text" or feature.info.role != "feature":
            continue
        check_part_name(name, f"the column `{name}`")
        reading = reading_of(intake.spec, name, intake.reading)
        column = intake.upload.records.column(name)
        if not pa.types.is_string(column.type):
            refuse("wrong_type", f"expected text in the column `{name}`, got {column.type}", name)
        texts = [normalised(text or "") for text in reading.known(column).to_pylist()]
        lengths = np.array([len(texts[row]) for row in intake.rows["train"]])
        inputs = TextInputs.fit(lengths, intake.spec.max_characters)
        _check_size(inputs, intake)
        for split, rows in intake.rows.items():
            key, path = intake.path(split, name, "text")
            np.save(path, coded([texts[row] for row in rows], inputs.length), allow_pickle=False)
            arrays[key] = path
        yield JoinedPart(name=name, inputs=inputs)


def _check_parts(parts: Sequence[JoinedPart], features: Sequence[Feature]) -> None:
    names = [part.name for part in parts]
    if len(set(names)) < len(names):
        detail = f"expected a name of its own for each part, got {listed(names)}: rename a column"
        refuse("repeated_part", detail)
    if len(parts) > MOST_PARTS:
        refuse("too_many_parts", f"expected at most {MOST_PARTS} parts, got {len(parts)}")
    if len(parts) < 2:
        reasons = "; ".join(f"`{each.info.name}`: {each.info.reason}" for each in features[:10])
        detail = (
            "expected two parts or more, as a picture and columns to learn from, got "
            f"{listed(names) or 'none'}: {reasons}. `columns` in the spec says what a column is"
        )
        refuse("one_part", detail)


def _check_size(inputs: InputsContract, intake: Intake) -> None:
    """Raises WorkFailure `too_large`. `inputs`: of the items, or of one of their parts."""
    size = inputs.bytes * sum(map(len, intake.rows.values()))
    if size > intake.limits.bytes:
        detail = (
            f"expected at most {intake.limits.bytes} bytes as the dataset is stored, got {size}: "
            f"upload fewer items or smaller pictures, or raise {SETTING} where the service runs"
        )
        refuse("too_large", detail)


def _check_items(
    inputs: JoinedInputs, items: Mapping[str, Mapping[str, NDArray[Any]]], intake: Intake
) -> None:
    """Raises WorkFailure `empty_items` where some have no part at all."""
    gone = list[int]()
    for split, tensors in items.items():
        has_one = np.any([part.known(tensors) for part in inputs.parts], axis=0)
        gone += intake.rows[split][~has_one].tolist()
    if gone:
        places = ", ".join(intake.upload.records.place(row) for row in sorted(gone)[:5])
        more = f" and {len(gone) - 5} more" if len(gone) > 5 else ""
        names = listed([part.name for part in inputs.parts])
        detail = (
            f"expected one part or more of {names} in each item, got {len(gone)} items without "
            f"any: {places}{more}. Take them out"
        )
        refuse("empty_items", detail)
