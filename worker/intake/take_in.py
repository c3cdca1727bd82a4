"""Raw arrays -> what is stored: five .npy files, the schema jobs are checked against, the profile.

x_train.npy, x_test.npy    (items, height, width, channels), uint8 or float32, C order
y_train.npy, y_test.npy    (items,), classes as int32, 0..K-1, or quantities as float32, or (items,
                           K), 0 and 1 as int8; -1 or NaN for items without a label, which a
                           training split may have among others, a test split throughout
sketch.npy                 (items, 64), float32: see app.inputs
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from app.datasets.schemas import DatasetSpec, Schema
from app.inputs import ARRAYS
from worker.intake import formats
from worker.intake.array_spec import modality_of
from worker.intake.images import Scan, laid_out, store, store_labels, stored_type
from worker.intake.label_forms import check_known, flatten, is_matrix
from worker.intake.missing import refuse_missing, without_missing
from worker.intake.profile import Findings, profile
from worker.intake.raw import Array, Limits, RawArrays, RawFile, refuse
from worker.intake.scale import check_one_scale, scale_warnings
from worker.intake.sizes import check_stored
from worker.intake.splits import Rows, random_split
from worker.intake.tables.records import Records
from worker.intake.tables.table import prepare_table
from worker.intake.taken_in import TakenIn, content_hash, store_sketch
from worker.intake.targets import target_of
from worker.intake.targets.deciding import decide
from worker.intake.unlabelled import with_unlabelled


def take_in(files: Sequence[RawFile], spec: DatasetSpec, limits: Limits, workdir: Path) -> TakenIn:
    """Reads an upload. Raises WorkFailure `dataset_invalid`, whatever the bytes are."""
    match formats.read(files, spec, limits, workdir):
        case RawArrays() as raw:
            return prepare(raw, spec, limits, workdir)
        case Records() as records:
            return prepare_table(records, spec, limits, workdir)


@dataclass(frozen=True)
class _Given:
    """A split as it came, and which of its items have a label."""

    images: Array
    labels: Array | None  # (rows,) or (rows, K)
    rows: Rows | None  # of the images that have a label, ascending; None: all
    has_missing: bool  # items whose label means none

    def __len__(self) -> int:
        return len(self.images) if self.rows is None else len(self.rows)

    @property
    def unlabelled(self) -> Rows:
        """Rows of items whose label means none, beside others that have one."""
        everything = np.arange(len(self.images), dtype=np.intp)
        return everything[:0] if self.rows is None else np.setdiff1d(everything, self.rows)

    def placed(self, chosen: Rows) -> Rows:
        return chosen if self.rows is None else self.rows[chosen]


def prepare(raw: RawArrays, spec: DatasetSpec, limits: Limits, workdir: Path) -> TakenIn:
    """Arrays -> what is stored. Raises WorkFailure `dataset_invalid`."""
    modality, asked = modality_of(spec, has_files=raw.pictures is not None), spec.said_task
    sent = {"y_train": raw.y_train, "y_test": None if raw.x_test is None else raw.y_test}
    is_flat = not is_matrix(sent, asked)
    given = {"train": _given(raw.x_train, raw.y_train, "train", spec, is_flat)}
    if raw.x_test is not None:
        given["test"] = _given(raw.x_test, raw.y_test, "test", spec, is_flat)
        _check_alike(given["train"].images, given["test"].images)
    labels = {split: each.labels for split, each in given.items()}
    decision = decide(asked, labels, raw.class_names is not None)
    target = target_of(decision.kind, labels, raw.class_names, spec.unit)
    is_doubted = spec.missing_label is not None and not any(
        each.has_missing for each in given.values()
    )
    if is_doubted:
        _doubt(target.texts, given)
    y = {split: target.encode(each.labels, len(each), split) for split, each in given.items()}
    kept = given["train"].unlabelled[: 0 if spec.unlabelled == "leave_out" else None]
    left_out = {
        split: len(each.unlabelled) - (len(kept) if split == "train" else 0)
        for split, each in given.items()
    }
    rows: dict[str, Rows | None] = {split: each.rows for split, each in given.items()}
    if raw.x_test is None:
        whole = given["test"] = given["train"]
        if whole.labels is None:
            train_rows, test_rows = random_split(len(whole), spec.test_fraction)
        else:
            train_rows, test_rows = target.cut(y["train"], spec.test_fraction)
        y = {"train": y["train"][train_rows], "test": y["train"][test_rows]}
        rows = {"train": whole.placed(train_rows), "test": whole.placed(test_rows)}
    rows["train"], y["train"] = with_unlabelled(rows["train"], y["train"], kept, target)

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
    inputs = ARRAYS[modality].fit(shape, dtype.name, seen, spec.value_range)
    schema = Schema(
        inputs=inputs,
        task=task,
        splits=items,
        class_counts={split: target.counts(held) for split, held in y.items()},
    )
    ignored = raw.ignored
    if raw.class_names is not None and target.ignores_names:
        ignored = ("class_names", *ignored)
    findings = Findings(
        cut=spec.test_fraction if raw.x_test is None else None,
        ignored=ignored,
        left_out=left_out,
        label_texts=target.texts if is_doubted else (),
        decision=decision,
        unknown_missing=str(spec.missing_label) if is_doubted else "auto",
        label_values={split: target.values(held) for split, held in y.items()},
        label_warnings=target.warnings(y),
        part=target.part,
        scale_warnings=scale_warnings(x, scans, inputs.range, spec.value_range is not None),
        pictures=raw.pictures,
    )
    hashed = content_hash(schema, arrays)
    arrays["sketch"] = store_sketch(arrays["x_train"], schema, workdir)
    found = profile(schema, scans, target.codes(y), findings)
    return TakenIn(schema, found, arrays, hashed)


def _given(
    images: Array, labels: Array | None, split: str, spec: DatasetSpec, is_flat: bool
) -> _Given:
    """`is_flat`: one label per item; else the target checks the form."""
    images = laid_out(images, ARRAYS[modality_of(spec, has_files=True)], f"x_{split}")
    rows, has_missing = None, False
    if labels is not None:
        labels = flatten(labels, f"y_{split}") if is_flat else labels
        if len(images) != len(labels):
            detail = (
                f"expected as many labels as images in the {split} split, "
                f"got {len(images)} images and {len(labels)} labels"
            )
            refuse("shape_mismatch", detail, f"y_{split}")
        rows = without_missing(labels, spec.missing_label, f"y_{split}")
        has_missing = rows is not None
        if rows is not None and not len(rows):  # not one item has a label: a split without labels
            labels = rows = None
        elif rows is not None:
            labels = labels[rows]
    if labels is not None and is_flat:
        check_known(labels, f"y_{split}")
    if not len(images):
        refuse("empty_split", f"expected items in the {split} split, got none", f"x_{split}")
    return _Given(images, labels, rows, has_missing)


def _doubt(texts: Sequence[str], given: Mapping[str, _Given]) -> None:
    """Of the split that the classes come from."""
    for split, each in given.items():
        if each.labels is not None:
            refuse_missing(texts, each.labels, f"y_{split}")
            return


def _check_alike(train: Array, test: Array) -> None:
    if train.shape[1:] != test.shape[1:]:
        detail = (
            f"expected images of the shape {train.shape[1:]} in x_test as in x_train, "
            f"got {test.shape[1:]}"
        )
        refuse("shape_mismatch", detail, "x_test")
