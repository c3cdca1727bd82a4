"""Raw arrays -> what is stored: five .npy files, the schema jobs are checked against, the profile.

x_train.npy, x_test.npy    (items, height, width, channels), uint8 or float32, C order
y_train.npy, y_test.npy    (items,), classes as int32, 0..K-1, or quantities as float32, or (items,
                           K), 0 and 1 as int8; -1 or NaN for items without a label, which a
                           training split may have among others, a test split throughout
sketch.npy                 (items, 64), float32: see app.inputs
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from app.datasets.schemas import DatasetSpec, Schema
from app.inputs import ARRAYS
from worker.intake import formats
from worker.intake.array_spec import modality_of
from worker.intake.images import Scan, store, store_labels, stored_type
from worker.intake.ingested import IngestedDataset, content_hash, store_sketch
from worker.intake.joined.prepare import ingest_joined
from worker.intake.joined.upload import JoinedUpload
from worker.intake.label_forms import is_matrix
from worker.intake.pictures.texts import TextFiles
from worker.intake.profile import Findings, profile
from worker.intake.raw import IntakeLimits, RawArrays, RawFile
from worker.intake.raw_splits import RawSplit, check_alike, doubt, encoded_splits, raw_split_of
from worker.intake.scale import check_one_scale, scale_warnings
from worker.intake.sizes import check_stored
from worker.intake.splits import Rows
from worker.intake.tables.items import prepare_items
from worker.intake.tables.labels_apart import labels_apart
from worker.intake.tables.records import Records
from worker.intake.tables.speaking import spoken_of
from worker.intake.targets import target_of
from worker.intake.targets.deciding import decide


def ingest_upload(
    files: Sequence[RawFile], spec: DatasetSpec, limits: IntakeLimits, workdir: Path
) -> IngestedDataset:
    """Reads an upload. Raises WorkFailure `dataset_invalid`, whatever the bytes are."""
    match formats.read(files, spec, limits, workdir):
        case RawArrays() as raw:
            with _spoken(raw):
                return ingest_arrays(raw, spec, limits, workdir)
        case JoinedUpload() as upload:
            records, said = labels_apart(upload.records, spec, workdir)
            return ingest_joined(replace(upload, records=records), said, limits, workdir)
        case Records() as records:
            records, said = labels_apart(records, spec, workdir)
            if spec.modality == "joined":
                return ingest_joined(JoinedUpload(records, {}), said, limits, workdir)
            return prepare_items(records, said, limits, workdir)
        case TextFiles(records, said):
            return prepare_items(records, said, limits, workdir)


def ingest_arrays(
    raw: RawArrays, spec: DatasetSpec, limits: IntakeLimits, workdir: Path
) -> IngestedDataset:
    """Arrays -> what is stored. Raises WorkFailure `dataset_invalid`."""
    modality = ARRAYS[modality_of(spec, raw.pictures is not None, raw.beside is not None)]
    asked = spec.said_task
    sent = {"y_train": raw.y_train, "y_test": None if raw.x_test is None else raw.y_test}
    is_flat = not is_matrix(sent, asked)
    given = {"train": raw_split_of(raw, "train", modality, spec, is_flat)}
    if raw.x_test is not None:
        given["test"] = raw_split_of(raw, "test", modality, spec, is_flat)
        check_alike(given["train"].images, given["test"].images)
    labels = {split: each.labels for split, each in given.items()}
    decision = decide(asked, labels, raw.class_names is not None)
    target = target_of(decision.kind, labels, raw.class_names, spec.unit)
    is_doubted = spec.missing_label is not None and not any(
        each.has_missing for each in given.values()
    )
    if is_doubted:
        doubt(target.texts, given)
    parts = encoded_splits(given, target, raw, spec)
    rows, y = parts.rows, parts.y
    x = {split: each.images for split, each in given.items()}
    dtype = stored_type(x.values())
    task = target.task(y)
    items = {split: len(held) for split, held in y.items()}
    check_stored(x["train"].shape[1:], dtype, items, limits)
    arrays: dict[str, Path] = {}
    scans: dict[str, Scan] = {}
    for split in ("train", "test"):
        arrays[f"x_{split}"] = workdir / f"x_{split}.npy"
        arrays[f"y_{split}"] = workdir / f"y_{split}.npy"
        scans[split] = store(x[split], rows[split], dtype, f"x_{split}", arrays[f"x_{split}"])
        store_labels(y[split], arrays[f"y_{split}"])
    if spec.value_range is None:
        check_one_scale(x, scans)

    shape, seen = x["train"].shape[1:], scans["train"].values
    inputs = modality.fit(shape, dtype.name, seen, spec.value_range)
    schema = Schema(
        inputs=inputs,
        task=task,
        splits=items,
        class_counts={split: target.counts(held) for split, held in y.items()},
    )
    told: dict[str, Any] = {}
    if raw.beside is not None:
        placed = _placed(rows, given, raw.x_test is not None)
        columns = raw.beside.columns(placed, workdir)
        schema = schema.model_copy(update={"columns": tuple(each.info for each in columns)})
        arrays["rows"] = raw.beside.store(columns, placed, workdir / "rows.arrow")
        told = {
            "beside": raw.beside.told(columns, placed),
            "beside_warnings": raw.beside.warnings(placed),
            "origin": raw.beside.cut.origin,
        }
    ignored = raw.ignored
    if raw.class_names is not None and target.ignores_names:
        ignored = ("class_names", *ignored)
    fraction = (spec.split and spec.split.test_fraction) or spec.test_fraction
    grouped = None if raw.beside is None else raw.beside.cut.group
    findings = Findings(
        cut=fraction if raw.x_test is None else None,
        ignored=ignored,
        left_out=parts.left_out,
        label_texts=target.texts if is_doubted else (),
        decision=decision,
        unknown_missing=str(spec.missing_label) if is_doubted else "auto",
        label_values={split: target.values(held) for split, held in y.items()},
        label_warnings=target.warnings(y),
        part=target.part if grouped is None else f"whole group of `{grouped}`",
        scale_warnings=scale_warnings(x, scans, inputs.range, spec.value_range is not None),
        pictures=raw.pictures,
        **told,
    )
    hashed = content_hash(schema, arrays)
    arrays["sketch"] = store_sketch(arrays["x_train"], schema, workdir)
    found = profile(schema, scans, target.codes(y), findings)
    return IngestedDataset(schema, found, arrays, hashed)


def _placed(
    rows: Mapping[str, Rows | None], given: Mapping[str, RawSplit], has_test: bool
) -> dict[str, Rows]:
    """Rows of the columns that came with the items: those of a given test split stand last."""
    first = {"train": 0, "test": len(given["train"].images) if has_test else 0}
    return {
        split: first[split] + (np.arange(len(given[split].images)) if each is None else each)
        for split, each in rows.items()
    }


def _spoken(raw: RawArrays) -> AbstractContextManager[None]:
    """Around what speaks of arrays, which nobody uploaded where pictures came."""
    if raw.pictures is None:
        return nullcontext()
    columns = raw.beside.labels.columns if raw.beside is not None else ()
    if columns:
        return spoken_of(f"the column `{columns[0]}`", columns[0])
    return spoken_of("the folders of classes", None)
