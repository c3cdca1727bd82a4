"""A table -> what is stored: rows as numbers, labels, all columns as values, the schema, the
profile.

x_train.npy, x_test.npy    (rows, columns that a network sees), float32, NaN where missing
y_train.npy, y_test.npy    as of arrays: see worker.intake.ingestion
sketch.npy                 see app.inputs
rows.arrow                 Arrow IPC, zstd: all columns of the upload as typed values under their
                           names, the rows of x_train in its order, then those of x_test
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np

from app.datasets.schemas import DatasetSpec, Schema
from app.inputs.table import TableInputs
from worker.intake.images import store_labels
from worker.intake.ingested import IngestedDataset, content_hash, store_sketch
from worker.intake.raw import IntakeLimits, refuse
from worker.intake.tables.dividing import Divided
from worker.intake.tables.features import Feature, feature_of
from worker.intake.tables.readings import Reading
from worker.intake.tables.records import SETTING, Records
from worker.intake.tables.rows import store_numbers, store_rows
from worker.intake.tables.table_profile import profile
from worker.intake.tables.target import SEVERAL


def prepare_table(
    records: Records, spec: DatasetSpec, limits: IntakeLimits, workdir: Path
) -> IngestedDataset:
    """Raises WorkFailure `dataset_invalid`."""
    reading = Reading(missing=spec.missing, decimal=records.decimal)
    divided = Divided.of(records, spec, reading)
    rows, y = divided.rows, divided.y
    features = _features(records, spec, reading, divided, workdir)
    stored = [each.stored for each in features if each.stored is not None]
    check_size(len(stored) * sum(map(len, rows.values())), limits)
    readings = {
        each.info.name: replace(each.reading, is_complete=not any(each.missing.values()))
        for each in features
    }
    parsed = {
        each.info.name: each.stored
        for each in features
        if each.stored is not None and each.reading.how == "number"
    }
    arrays: dict[str, Path] = {}
    with ThreadPoolExecutor(1) as beside:  # compression takes about as long as all of the rest
        stored_rows = beside.submit(
            store_rows, records, readings, parsed, divided.hidden, rows, workdir / "rows.arrow"
        )
        for split in ("train", "test"):
            arrays[f"x_{split}"] = workdir / f"x_{split}.npy"
            arrays[f"y_{split}"] = workdir / f"y_{split}.npy"
            store_numbers(stored, records.rows, rows[split], arrays[f"x_{split}"])
            store_labels(y[split], arrays[f"y_{split}"])
        schema = _schema(features, divided)
        told = profile(schema, records, arrays, features, divided)
        arrays["rows"] = stored_rows.result()
    hashed = content_hash(schema, arrays)
    arrays["sketch"] = store_sketch(arrays["x_train"], schema, workdir)
    return IngestedDataset(schema, told, arrays, hashed)


def _schema(features: Sequence[Feature], divided: Divided) -> Schema:
    seen = [each.column for each in features if each.column is not None]
    return Schema(
        inputs=TableInputs(columns=tuple(seen)),
        task=divided.task,
        splits=divided.splits,
        class_counts=divided.class_counts,
        columns=tuple(each.info for each in features),
    )


def _features(
    records: Records,
    spec: DatasetSpec,
    reading: Reading,
    divided: Divided,
    workdir: Path,
) -> list[Feature]:
    rows, fixed = divided.rows, divided.fixed_roles
    features = [
        feature_of(records, name, spec, reading, rows, workdir / f"{place}.f32", fixed.get(name))
        for place, name in enumerate(records.train.names)
    ]
    if not any(each.column for each in features):
        beside = [each for each in features if each.info.role != "label"][:10]
        found = [each.doubt or f"`{each.info.name}`: {each.info.reason}" for each in beside]
        reasons = "; ".join(found) or f"there is no other column; {SEVERAL}"
        detail = (
            f"expected a column or more to learn from beside the labels, got none: {reasons}. "
            "`columns` in the spec says what a column is"
        )
        refuse("no_columns", detail)
    return features


def check_size(numbers: int, limits: IntakeLimits) -> None:
    size = numbers * np.dtype(np.float32).itemsize
    if size > limits.bytes:
        detail = (
            f"expected at most {limits.bytes} bytes as the dataset is stored, got {size}: upload "
            f"fewer rows or columns, or raise {SETTING} where the service runs"
        )
        refuse("too_large", detail)
