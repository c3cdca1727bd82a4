"""Raw arrays -> what is stored: five .npy files, the schema jobs are checked against, the profile.

x_train.npy, x_test.npy    (items, height, width, channels), uint8 or float32, C order
y_train.npy, y_test.npy    (items,), int32, 0..K-1; -1 throughout a split without labels
sketch.npy                 (items, 64), float32: see app.datasets.sketch
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.datasets.schemas import DatasetSpec, Schema
from app.datasets.sketch import sketch
from worker.intake import formats
from worker.intake.images import Scan, store, store_labels, stored_type, value_range, with_channels
from worker.intake.labels import Labels, find_classes, flatten
from worker.intake.profile import profile
from worker.intake.raw import Array, Limits, RawArrays, RawFile, refuse

SPLIT_SEED = 0

Rows = NDArray[np.intp]


@dataclass(frozen=True)
class TakenIn:
    schema: Schema
    profile: dict[str, Any]
    arrays: dict[str, Path]  # x_train, y_train, x_test, y_test, sketch: in the work folder
    content_hash: str  # sha256, hexadecimal, of the schema and the items with their labels


def take_in(files: Sequence[RawFile], spec: DatasetSpec, limits: Limits, workdir: Path) -> TakenIn:
    """Reads an upload. Raises WorkFailure `dataset_invalid`, whatever the bytes are."""
    return prepare(formats.read(files, limits, workdir), spec, workdir)


def prepare(raw: RawArrays, spec: DatasetSpec, workdir: Path) -> TakenIn:
    images, labels = _checked(raw.x_train, raw.y_train, "train")
    x, given = {"train": images}, {"train": labels}
    if raw.x_test is not None:
        x["test"], given["test"] = _checked(raw.x_test, raw.y_test, "test")
        _check_alike(images, x["test"])
    classes = find_classes(given, raw.class_names)
    y = {split: classes.encode(given[split], len(x[split]), split) for split in x}
    rows: dict[str, Rows | None] = {"train": None, "test": None}
    if raw.x_test is None:
        if labels is None:
            train_rows, test_rows = random_split(len(images), spec.test_fraction)
        else:
            train_rows, test_rows = stratified_split(y["train"], classes.names, spec.test_fraction)
        x["test"] = images
        y = {"train": y["train"][train_rows], "test": y["train"][test_rows]}
        rows = {"train": train_rows, "test": test_rows}

    arrays: dict[str, Path] = {}
    scans: dict[str, Scan] = {}
    for split in ("train", "test"):
        arrays[f"x_{split}"] = workdir / f"x_{split}.npy"
        arrays[f"y_{split}"] = workdir / f"y_{split}.npy"
        scans[split] = store(x[split], rows[split], f"x_{split}", arrays[f"x_{split}"])
        store_labels(y[split], arrays[f"y_{split}"])

    dtype = stored_type(images)
    # shifted by one, as bincount takes no -1
    counts = {split: np.bincount(y[split] + 1, minlength=len(classes.names) + 1)[1:] for split in y}
    height, width, channels = images.shape[1:]
    schema = Schema(
        modality=spec.modality,
        task=spec.task,
        shape=(height, width, channels),
        dtype=dtype.name,
        value_range=value_range(scans["train"], dtype),
        classes=classes.names,
        splits={split: len(y[split]) for split in y},
        class_counts={split: tuple(counts[split].tolist()) for split in y},
    )
    cut = spec.test_fraction if rows["test"] is not None else None
    ignored = raw.ignored
    if raw.class_names is not None and not classes.names:
        ignored = ("class_names", *ignored)
    content_hash = _content_hash(schema, arrays)
    arrays["sketch"] = _store_sketch(arrays["x_train"], schema, workdir)
    return TakenIn(schema, profile(schema, scans, cut, ignored), arrays, content_hash)


def stratified_split(
    labels: Labels, names: Sequence[str], test_fraction: float
) -> tuple[Rows, Rows]:
    """Rows of the training and of the test split, ascending; each class has items in both."""
    in_test = np.zeros(len(labels), bool)
    by_class = np.argsort(labels, kind="stable")
    ends = np.cumsum(np.bincount(labels, minlength=len(names)))
    for label, rows in enumerate(np.split(by_class, ends[:-1])):
        if len(rows) < 2:
            detail = (
                f"expected at least 2 items of each class, one for the training and one for the "
                f"test split that is cut from it, got {len(rows)} of `{names[label]}`"
            )
            refuse("empty_split", detail, "y_train")
        chosen = np.random.default_rng([SPLIT_SEED, label]).permutation(rows)
        in_test[chosen[: _test_items(len(rows), test_fraction)]] = True
    return np.flatnonzero(~in_test), np.flatnonzero(in_test)


def random_split(items: int, test_fraction: float) -> tuple[Rows, Rows]:
    """Rows of the training and of the test split, ascending, of items without labels."""
    if items < 2:
        detail = (
            "expected at least 2 items, one for the training and one for the test split that is "
            f"cut from it, got {items}"
        )
        refuse("empty_split", detail, "x_train")
    order = np.random.default_rng(SPLIT_SEED).permutation(items)
    test_items = _test_items(items, test_fraction)
    return np.sort(order[test_items:]), np.sort(order[:test_items])


def _test_items(items: int, test_fraction: float) -> int:
    """At least one, and one is left for training."""
    return min(max(round(items * test_fraction), 1), items - 1)


def _checked(images: Array, labels: Array | None, split: str) -> tuple[Array, Array | None]:
    images = with_channels(images, f"x_{split}")
    if labels is not None:
        labels = flatten(labels, f"y_{split}")
        if len(images) != len(labels):
            detail = (
                f"expected as many labels as images in the {split} split, "
                f"got {len(images)} images and {len(labels)} labels"
            )
            refuse("shape_mismatch", detail, f"y_{split}")
    if not len(images):
        refuse("empty_split", f"expected items in the {split} split, got none", f"x_{split}")
    return images, labels


def _check_alike(train: Array, test: Array) -> None:
    if train.shape[1:] != test.shape[1:]:
        detail = (
            f"expected images of the shape {train.shape[1:]} in x_test as in x_train, "
            f"got {test.shape[1:]}"
        )
        refuse("shape_mismatch", detail, "x_test")
    if stored_type(train) != stored_type(test):
        detail = f"expected {train.dtype} in x_test as in x_train, got {test.dtype}"
        refuse("wrong_type", detail, "x_test")


def _store_sketch(x_train: Path, schema: Schema, workdir: Path) -> Path:
    target = workdir / "sketch.npy"
    images = np.load(x_train, mmap_mode="r", allow_pickle=False)
    np.save(target, sketch(images, schema.value_range), allow_pickle=False)
    return target


def _content_hash(schema: Schema, arrays: dict[str, Path]) -> str:
    digest = sha256(schema.model_dump_json().encode())
    for name in sorted(arrays):
        with arrays[name].open("rb") as stream:
            digest.update(file_digest(stream, "sha256").digest())
    return digest.hexdigest()
