"""What a user should know of a table before training on it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.datasets.schemas import Schema
from app.inputs.columns import CategoryColumn, Column, FlagColumn
from app.inputs.table import TableInputs
from worker.intake.duplicates import duplicates
from worker.intake.profile import Findings, balance_of, decided, label_warnings, split_warnings
from worker.intake.splits import Rows
from worker.intake.tables.column_checks import Splits, column_warnings, left_out_warning
from worker.intake.tables.features import Feature
from worker.intake.tables.records import Records
from worker.intake.tables.splitting import Cut
from worker.intake.tables.target import TableLabels
from worker.intake.targets.contract import Stored, TargetContract
from worker.intake.targets.deciding import Decision

CHUNK_ROWS = 2**16
MOST_WARNED = 20  # columns of which sentences stand in the profile
MIXERS = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))  # of SplitMix64


@dataclass(frozen=True)
class TableFindings:
    """What the intake did with the table.

    is_doubted: whether a label may mean that there is none.
    keeps: whether training rows without a label are kept beside those that have one.
    """

    features: Sequence[Feature]
    labels: TableLabels
    cut: Cut
    decision: Decision
    target: TargetContract
    rows: Mapping[str, Rows]
    is_doubted: bool
    keeps: bool


def profile(
    schema: Schema,
    records: Records,
    y: Mapping[str, Stored],
    arrays: Mapping[str, Path],
    findings: TableFindings,
) -> dict[str, Any]:
    cut, target = findings.cut, findings.target
    held = Findings(
        cut=cut.fraction if cut.given is None else None,
        left_out=_left_out(findings),
        label_texts=target.texts if findings.is_doubted else (),
        decision=findings.decision,
        label_warnings=target.warnings(y),
        part=target.part if cut.groups is None else f"whole group of `{cut.group}`",
    )
    balance = {split: balance_of(schema, split) for split in schema.splits}
    x = {split: np.load(arrays[f"x_{split}"], mmap_mode="r") for split in schema.splits}
    hashes = {split: _hashes(rows) for split, rows in x.items()}
    twins = duplicates(hashes, target.codes(y))
    columns, sentences = _columns(schema, findings, x, y)
    return {
        "files": [sentence for part in records.parts for sentence in part.found],
        "test_split": {"origin": cut.origin} | ({} if held.cut is None else {"fraction": held.cut}),
        "target": {"columns": list(findings.labels.columns), "reason": findings.labels.reason},
        "task": decided(findings.decision),
        "class_balance": balance,
        "label_values": {split: target.values(rows) for split, rows in y.items()},
        "columns": columns,
        "duplicates": twins,
        "groups_across_splits": _groups_across(findings),
        "labelled": {split: schema.labelled(split) for split in schema.splits},
        "left_out": dict(held.left_out),
        "warnings": [
            *_target_warnings(findings),
            *cut.said,
            *split_warnings(schema, balance, held),
            *_group_warnings(findings),
            *_left_out_warnings(findings),
            *label_warnings(schema, held),
            *sentences,
            *_twin_warnings(twins),
        ],
    }


def _left_out(findings: TableFindings) -> dict[str, int]:
    cut = findings.cut
    if cut.given is None:
        stored = sum(map(len, findings.rows.values()))
        return {"all rows": len(findings.labels.known) - stored}
    sides = {"train": ~cut.given, "test": cut.given}
    return {split: int(side.sum()) - len(findings.rows[split]) for split, side in sides.items()}


def _target_warnings(findings: TableFindings) -> list[str]:
    labels = findings.labels
    if len(labels.columns) != 1 or labels.reason == "the spec says so":
        return []
    return [
        f"The column `{labels.columns[0]}` is taken for the labels: {labels.reason}. "
        '`target`: {"column": …} in the spec says otherwise.'
    ]


def _columns(
    schema: Schema, findings: TableFindings, x: Splits, y: Mapping[str, Stored]
) -> tuple[dict[str, Any], list[str]]:
    assert isinstance(schema.inputs, TableInputs)
    place = {column.name: at for at, column in enumerate(schema.inputs.columns)}
    told: dict[str, Any] = {}
    sentences: list[str] = []
    left: dict[str, str] = {}
    is_cut = findings.cut.given is None
    for feature in findings.features:
        info = feature.info
        told[info.name] = {"missing": dict(feature.missing)}
        if feature.doubt:
            sentences.append(f"{feature.doubt[0].upper()}{feature.doubt[1:]}.")
        if feature.column is None:
            if info.role in {"id", "ignored"} and "the spec says" not in info.reason:
                left[info.name] = info.reason
            continue
        values = {split: np.ascontiguousarray(x[split][:, place[info.name]]) for split in x}
        told[info.name] |= _told(feature.column, values)
        sentences += column_warnings(feature.column, values, y, schema.task, is_cut)
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
        known = values[~np.isnan(values)]
        ranges[split] = (
            [column.shown(known.min()), column.shown(known.max())] if len(known) else None
        )
    return {"range": ranges}


def _hashes(x: NDArray[np.float32]) -> NDArray[np.uint64]:
    """(rows,), equal for rows that are alike in all columns that a network sees."""
    found = np.zeros(len(x), np.uint64)
    for start in range(0, len(x), CHUNK_ROWS):
        rows = np.ascontiguousarray(x[start : start + CHUNK_ROWS]) + np.float32(0)  # no -0
        bits = np.where(np.isnan(rows), np.float32(np.nan), rows).view(np.uint32)
        mixed = np.zeros(len(rows), np.uint64)
        for column in bits.T:
            mixed = (mixed ^ column) * MIXERS[0]
            mixed = (mixed ^ (mixed >> np.uint64(29))) * MIXERS[1]
        found[start : start + CHUNK_ROWS] = mixed ^ (mixed >> np.uint64(32))
    return found


def _groups_across(findings: TableFindings) -> int:
    """Groups with rows in both splits."""
    groups = findings.cut.groups
    if groups is None:
        return 0
    train, test = (np.unique(groups[findings.rows[split]]) for split in ("train", "test"))
    return len(np.intersect1d(train, test))


def _group_warnings(findings: TableFindings) -> list[str]:
    count = _groups_across(findings)
    if not count:
        return []
    return [
        f"{count} groups of the column `{findings.cut.group}` have rows in training and in test: "
        "the test is easier than it looks."
    ]


def _left_out_warnings(findings: TableFindings) -> list[str]:
    """Why rows without a label are not for training where others are."""
    cut, known = findings.cut, findings.labels.known
    if cut.given is not None or cut.groups is None:
        return []
    of_test = np.isin(cut.groups, cut.groups[findings.rows["test"]])
    if not (count := int((of_test & ~known).sum())) or not findings.keeps:
        return []
    return [
        f"{count} rows without a label are of groups of the column `{cut.group}` that the test "
        "split has: they are not for training."
    ]


def _twin_warnings(twins: Mapping[str, Any]) -> list[str]:
    alike = "alike in all columns that a network sees"
    warnings = []
    if across := twins["across_splits"]:
        warnings.append(f"{across} test rows stand in the training split too, {alike}.")
    for split in ("train", "test"):
        if twins[split]:
            warnings.append(f"{twins[split]} rows of {split} repeat an earlier one, {alike}.")
    contradicting = twins["contradicting"]
    if across := contradicting["across_splits"]:
        warnings.append(f"{across} test rows stand in the training split under another label.")
    for split, count in contradicting["within"].items():
        if count:
            warnings.append(
                f"{count} rows stand more than once in {split}, under different labels."
            )
    return warnings
