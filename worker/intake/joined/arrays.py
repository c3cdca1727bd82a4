"""NumPy archives of items of several parts: x_train.PART[, x_test.PART], y_train[, y_test].

An array of three or four axes holds pictures; one of two, a row of numbers of each item, whose
columns `columns.PART` names, else c0, c1 and so on; one of one axis, one such number. NaN is a
number that is missing; a picture of NaN alone is missing as a whole.
"""

import re
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from app.datasets.schemas import DatasetSpec
from worker.intake.joined.upload import JoinedUpload, PartPictures, check_part_name
from worker.intake.raw import Array, IntakeLimits, refuse
from worker.intake.tables.records import COLUMN_LIMIT, FileRows, Records, spill

X = re.compile(r"x_(train|test)\.(.+)")
LABEL = "label"
BLOCK = 4096  # rows


def are_parts(names: Sequence[str]) -> bool:
    return any(X.fullmatch(name) for name in names)


def roles_of(names: Sequence[str]) -> dict[str, str]:
    """Names the arrays that are read, by the names that they have here and in the file."""
    found = {name: name for name in names if X.fullmatch(name) or name.startswith("columns.")}
    return found | {
        name: name for name in ("y_train", "y_test", "class_names") if name in set(names)
    }


def upload_of(
    arrays: Mapping[str, Array], spec: DatasetSpec, limits: IntakeLimits, workdir: Path
) -> JoinedUpload:
    """Raises WorkFailure `dataset_invalid`."""
    held: dict[str, dict[str, Array]] = {}
    for name, array in arrays.items():
        if found := X.fullmatch(name):
            check_part_name(found[2], f"the array `{name}`")
            held.setdefault(found[2], {})[found[1]] = array
    splits = [split for split in ("train", "test") if any(split in own for own in held.values())]
    _check_splits(held, splits, arrays)
    pictures, tables, columns = {}, dict[str, tuple[str, ...]](), dict[str, list[Array]]()
    for part, own in held.items():
        if own["train"].ndim <= 2:
            names = _names(part, own["train"], arrays.get(f"columns.{part}"), len(held))
            tables[part] = tuple(names)
            for place, name in enumerate(names):
                if name in columns:
                    detail = f"expected a name of its own for each column, got `{name}` twice"
                    refuse("duplicate_column", detail, f"columns.{part}")
                columns[name] = [_numbers(own[split], place, part) for split in splits]
        else:
            pictures[part] = _pictures([own[split] for split in splits], part, workdir)
    labels = {split: _labels(arrays, split) for split in splits}
    rows = {split: len(held[next(iter(held))][split]) for split in splits}
    parts = [
        _part(place, split, columns, labels, rows[split], limits, workdir)
        for place, split in enumerate(splits)
    ]
    return JoinedUpload(
        Records(*parts), pictures, tables, label=LABEL if labels["train"] is not None else None
    )


def _check_splits(
    held: Mapping[str, Mapping[str, Array]], splits: Sequence[str], arrays: Mapping[str, Array]
) -> None:
    for part, own in held.items():
        for split in ("train", *splits):
            if split not in own:
                detail = f"expected an array `x_{split}.{part}`, as of the other parts, got none"
                refuse("missing_array", detail, f"x_{split}.{part}")
        if len({array.shape[1:] for array in own.values()}) > 1:
            detail = f"expected one shape of the part `{part}` in both splits, got two"
            refuse("shape_mismatch", detail, f"x_test.{part}")
    for split in splits:
        counts = {part: len(own[split]) for part, own in held.items()}
        labels = arrays.get(f"y_{split}")
        if labels is not None:
            counts["its labels"] = len(labels)
        if len(set(counts.values())) > 1:
            shown = ", ".join(f"{name} {count}" for name, count in counts.items())
            refuse("shape_mismatch", f"expected as many items of each part in {split}, got {shown}")
        if not next(iter(counts.values())):
            refuse("empty_split", f"expected items in the {split} split, got none")


def _names(part: str, table: Array, said: Array | None, parts: int) -> list[str]:
    width = table.shape[1] if table.ndim == 2 else 1
    if table.dtype.kind not in "biuf":
        detail = f"expected numbers in x_train.{part}, got {table.dtype}"
        refuse("wrong_type", detail, f"x_train.{part}")
    if width > COLUMN_LIMIT:
        detail = f"expected at most {COLUMN_LIMIT} columns in x_train.{part}, got {width}"
        refuse("too_many_columns", detail, f"x_train.{part}")
    if said is None:
        return [f"{part}.c{number}" for number in range(width)]
    names = [str(name) for name in np.atleast_1d(said).tolist()]
    if len(names) != width or len(set(names)) < width or LABEL in names:
        detail = (
            f"expected {width} different names in columns.{part}, none of them `{LABEL}`, got "
            f"{len(names)}"
        )
        refuse("wrong_header", detail, f"columns.{part}")
    return names


def _numbers(table: Array, place: int, part: str) -> Array:
    return table[:, place] if table.ndim == 2 else table


def _pictures(splits: Sequence[Array], part: str, workdir: Path) -> PartPictures:
    """Pictures of all splits together; those of NaN alone become zeros."""
    count, shape = sum(map(len, splits)), splits[0].shape[1:]
    if splits[0].dtype.kind not in "biuf":
        detail = f"expected numbers in x_train.{part}, got {splits[0].dtype}"
        refuse("wrong_type", detail, f"x_train.{part}")
    kind = np.result_type(*(each.dtype for each in splits))
    whole = np.memmap(workdir / f"joined_{part}", kind, "w+", shape=(count, *shape))
    known: NDArray[np.bool_] = np.ones(count, np.bool_)
    at = 0
    for array in splits:
        for start in range(0, len(array), BLOCK):
            block = np.array(array[start : start + BLOCK])
            if kind.kind == "f":
                gone = np.isnan(block.reshape(len(block), -1)).all(axis=1)
                known[at : at + len(block)] = ~gone
                block[gone] = 0
            whole[at : at + len(block)] = block
            at += len(block)
    return PartPictures(whole, known)


def _labels(arrays: Mapping[str, Array], split: str) -> Array | None:
    labels = arrays.get(f"y_{split}")
    if labels is None:
        return None
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1:
        detail = "expected one label per item of several parts, (items,), got several"
        refuse("shape_mismatch", detail, f"y_{split}")
    names = arrays.get("class_names")
    if names is None:
        return labels
    if labels.dtype.kind not in "iu" or (labels < 0).any() or (labels >= len(names)).any():
        detail = f"expected labels from 0 to {len(names) - 1}, places in `class_names`, got others"
        refuse("wrong_type", detail, f"y_{split}")
    return np.asarray(names).astype(str)[labels]


def _part(
    place: int,
    split: str,
    columns: Mapping[str, Sequence[Array]],
    labels: Mapping[str, Array | None],
    rows: int,
    limits: IntakeLimits,
    workdir: Path,
) -> FileRows:
    held: dict[str, Any] = {name: _arrow(arrays[place]) for name, arrays in columns.items()}
    if (own := labels[split]) is not None:
        held[LABEL] = _arrow(own)
    table = pa.table(held or {"item": pa.array(np.arange(rows))})
    path = workdir / f"items-{split}.arrow"
    spill(split, table.schema, table.to_batches(), limits, path)
    return FileRows(split, path, rows, tuple(table.column_names), partial(_place, split))


def _arrow(values: Array) -> pa.Array:
    if values.dtype.kind in "SU":
        return pa.array(np.asarray(values).astype(str).tolist(), pa.string())
    if values.dtype.kind == "b":
        return pa.array(np.asarray(values))
    return pa.array(
        np.asarray(values, np.float64 if values.dtype.kind == "f" else None), from_pandas=True
    )


def _place(split: str, row: int) -> str:
    return f"item {row} of {split}"
