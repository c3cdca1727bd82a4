"""Facts of a table that a user should know before training on it."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.datasets.schemas import Schema
from app.inputs.columns import CategoryColumn, Column, FlagColumn
from app.inputs.mapped import let_go
from worker.intake.duplicates import duplicates
from worker.intake.profile import Findings, balance_of, decided, label_warnings, split_warnings
from worker.intake.tables.column_checks import Splits, column_warnings, left_out_warning
from worker.intake.tables.dividing import Divided
from worker.intake.tables.features import Feature
from worker.intake.tables.records import Records
from worker.intake.tables.repeated_ids import repeated_warnings
from worker.intake.tables.total_rows import total_warnings

CHUNK_ROWS = 2**14
MOST_WARNED = 20  # columns of which sentences stand in the profile
ALIKE = ", alike in all columns that a network sees"
MIXERS = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))  # of SplitMix64


def profile(
    schema: Schema,
    records: Records,
    arrays: Mapping[str, Path],
    features: Sequence[Feature],
    divided: Divided,
) -> dict[str, Any]:
    x = {split: np.load(arrays[f"x_{split}"], mmap_mode="r") for split in schema.splits}
    twins = duplicates(
        {split: _hashes(rows) for split, rows in x.items()}, divided.target.codes(divided.y)
    )
    columns, sentences = _columns(schema, features, divided)
    told = told_of_rows(schema, records, divided)
    return {
        **told,
        "columns": columns,
        "duplicates": twins,
        "warnings": [*told["warnings"], *sentences, *twin_warnings(twins, "rows", ALIKE)],
    }


def told_of_rows(schema: Schema, records: Records, divided: Divided) -> dict[str, Any]:
    """Returns what the profile says of files, labels and splits, whatever the items are."""
    cut, target, y = divided.cut, divided.target, divided.y
    held = Findings(
        cut=cut.fraction if cut.given is None else None,
        left_out=_left_out(divided),
        label_texts=target.texts if divided.is_doubted else (),
        decision=divided.decision,
        label_warnings=target.warnings(y),
        part=target.part if cut.groups is None else f"whole group of `{cut.group}`",
    )
    balance = {split: balance_of(schema, split) for split in schema.splits}
    return {
        "files": [sentence for part in records.parts for sentence in part.found],
        "test_split": {"origin": cut.origin} | ({} if held.cut is None else {"fraction": held.cut}),
        "target": {"columns": list(divided.labels.columns), "reason": divided.labels.reason},
        "task": decided(divided.decision),
        "class_balance": balance,
        "label_values": {split: target.values(rows) for split, rows in y.items()},
        "groups_across_splits": _groups_across(divided),
        "labelled": {split: schema.labelled(split) for split in schema.splits},
        "left_out": dict(held.left_out),
        "warnings": [
            *_target_warnings(divided),
            *cut.said,
            *split_warnings(schema, balance, held),
            *_group_warnings(divided),
            *repeated_warnings(schema, records, divided),
            *_left_out_warnings(divided),
            *total_warnings(records),
            *label_warnings(schema, held),
        ],
    }


def _left_out(divided: Divided) -> dict[str, int]:
    cut = divided.cut
    if cut.given is None:
        stored = sum(map(len, divided.rows.values()))
        return {"all rows": len(divided.labels.known) - stored}
    sides = {"train": ~cut.given, "test": cut.given}
    return {split: int(side.sum()) - len(divided.rows[split]) for split, side in sides.items()}


def _target_warnings(divided: Divided) -> list[str]:
    labels = divided.labels
    if len(labels.columns) != 1 or labels.reason == "the spec says so":
        return []
    return [
        f"The column `{labels.columns[0]}` is taken for the labels: {labels.reason}. "
        '`target`: {"column": …} in the spec says otherwise.'
    ]


def _columns(
    schema: Schema, features: Sequence[Feature], divided: Divided
) -> tuple[dict[str, Any], list[str]]:
    told: dict[str, Any] = {}
    sentences: list[str] = []
    left: dict[str, str] = {}
    is_cut = divided.cut.given is None
    for feature in features:
        info = feature.info
        told[info.name] = {"missing": dict(feature.missing)}
        if feature.doubt:
            sentences.append(f"{feature.doubt[0].upper()}{feature.doubt[1:]}.")
        if feature.column is None or feature.stored is None:
            if info.role in {"id", "ignored"} and "the spec says" not in info.reason:
                left[info.name] = info.reason
            continue
        plain = feature.stored.part(0, len(divided.labels.known)).astype(np.float32)
        values: Splits = {split: plain[chosen] for split, chosen in divided.rows.items()}
        told[info.name] |= _told(feature.column, values)
        sentences += column_warnings(feature.column, values, divided.y, schema.task, is_cut)
    shown = dict(list(left.items())[:MOST_WARNED])
    warnings = [*left_out_warning(shown)]
    if more := len(left) - len(shown):
        warnings.append(f"So are {more} more columns: the schema's `columns` says why.")
    return told, [*warnings, *_shortened(sentences)]


def _shortened(sentences: Sequence[str]) -> Iterator[str]:
    yield from sentences[: 2 * MOST_WARNED]
    if more := max(0, len(sentences) - 2 * MOST_WARNED):
        yield f"{more} more sentences about columns are left off."


def _told(column: Column, x: Splits) -> dict[str, Any]:
    """Ranges of what is measured, by split; how many values a category has, and its commonest."""
    match column:
        case CategoryColumn():
            return {"values": len(column.values), "commonest": list(column.values[:5])}
        case FlagColumn():
            return {"values": list(column.values)}
    ranges = {}
    for split, values in x.items():
        is_missing = np.isnan(values)
        known = values[~is_missing] if is_missing.any() else values
        ranges[split] = (
            [column.shown(known.min()), column.shown(known.max())] if len(known) else None
        )
    return {"range": ranges}


def _hashes(x: NDArray[np.float32]) -> NDArray[np.uint64]:
    """(rows,), equal for rows that are alike in all columns that a network sees."""
    found, columns = np.zeros(len(x), np.uint64), x.shape[1]
    padded = np.zeros((min(len(x), CHUNK_ROWS), columns + columns % 2), np.float32)
    for start in range(0, len(x), CHUNK_ROWS):
        mixed = found[start : start + CHUNK_ROWS]
        rows = padded[: len(mixed)]
        np.add(x[start : start + CHUNK_ROWS], np.float32(0), out=rows[:, :columns])  # no -0
        is_missing = np.isnan(rows)
        if is_missing.any():
            rows[is_missing] = np.nan  # of one form
        for pair in rows.view(np.uint64).T:
            mixed ^= pair
            mixed *= MIXERS[0]
            mixed ^= mixed >> np.uint64(29)
            mixed *= MIXERS[1]
        mixed ^= mixed >> np.uint64(32)
        let_go(x)
    return found


def _groups_across(divided: Divided) -> int:
    """Groups with rows in both splits."""
    groups = divided.cut.groups
    if groups is None:
        return 0
    train, test = (np.unique(groups[divided.rows[split]]) for split in ("train", "test"))
    return len(np.intersect1d(train, test))


def _group_warnings(divided: Divided) -> list[str]:
    count = _groups_across(divided)
    if not count:
        return []
    return [
        f"{count} groups of the column `{divided.cut.group}` have rows in training and in test: "
        "the test is easier than it looks."
    ]


def _left_out_warnings(divided: Divided) -> list[str]:
    """Why rows without a label are not for training where others are."""
    cut, known = divided.cut, divided.labels.known
    if cut.given is not None or cut.groups is None:
        return []
    of_test = np.isin(cut.groups, cut.groups[divided.rows["test"]])
    if not (count := int((of_test & ~known).sum())) or not divided.keeps:
        return []
    return [
        f"{count} rows without a label are of groups of the column `{cut.group}` that the test "
        "split has: they are not for training."
    ]


def twin_warnings(twins: Mapping[str, Any], word: str, alike: str = "") -> list[str]:
    """`word`: what items are called; `alike`: in what those are that are the same."""
    warnings = []
    if across := twins["across_splits"]:
        warnings.append(f"{across} test {word} stand in the training split too{alike}.")
    for split in ("train", "test"):
        if twins[split]:
            warnings.append(f"{twins[split]} {word} of {split} repeat an earlier one{alike}.")
    contradicting = twins["contradicting"]
    if across := contradicting["across_splits"]:
        warnings.append(f"{across} test {word} stand in the training split under another label.")
    for split, count in contradicting["within"].items():
        if count:
            warnings.append(
                f"{count} {word} stand more than once in {split}, under different labels."
            )
    return warnings
