"""A table -> what is stored: rows as numbers, labels, all columns as values, the schema, the
profile.

x_train.npy, x_test.npy    (rows, columns that a network sees), float32, NaN where missing
y_train.npy, y_test.npy    as of arrays: see worker.intake.take_in
sketch.npy                 see app.inputs
rows.arrow                 Arrow IPC, zstd: all columns of the upload as typed values under their
                           names, the rows of x_train in its order, then those of x_test
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from app.datasets.schemas import DatasetSpec, Schema
from app.datasets.table_spec import Role
from app.inputs.table import TableInputs
from worker.intake.images import store_labels
from worker.intake.missing import refuse_missing
from worker.intake.raw import Array, Limits, refuse
from worker.intake.splits import Rows
from worker.intake.tables.features import Feature, feature_of, said_of
from worker.intake.tables.readings import Reading
from worker.intake.tables.records import SETTING, Records, refuse_said
from worker.intake.tables.rows import store_numbers, store_rows
from worker.intake.tables.splitting import Cut, check_both, cut_of
from worker.intake.tables.table_profile import TableFindings, profile
from worker.intake.tables.target import Labels, check_columns, labels_of, spoken_of
from worker.intake.taken_in import TakenIn, content_hash, store_sketch
from worker.intake.targets import target_of
from worker.intake.targets.contract import Stored, Target
from worker.intake.targets.deciding import decide
from worker.intake.unlabelled import with_unlabelled

ROLES: Mapping[str, Role] = {"where": "domain", "time": "time"}  # of what a split goes by


def prepare_table(records: Records, spec: DatasetSpec, limits: Limits, workdir: Path) -> TakenIn:
    """Raises WorkFailure `dataset_invalid`."""
    _check_spec(records, spec)
    reading = Reading(missing=spec.missing, decimal=records.decimal)
    labels = labels_of(records, spec, reading)
    cut = cut_of(records, spec, spec.test_fraction, reading, labels.known)
    given, keeps = _by_split(labels, cut), spec.unlabelled == "keep"
    with spoken_of(labels.called, (*labels.columns, "label")[0]):
        decision = decide(spec.said_task, given, labels.names is not None)
        target = target_of(decision.kind, given, labels.names, _unit(spec, labels))
        is_doubted = spec.missing_label is not None
        if is_doubted and labels.values is not None and labels.values.ndim == 1:
            refuse_missing(target.texts, labels.values[labels.known], "y_train")
        rows, y = _split(records, labels, cut, target, given)
        if labels.values is not None and keeps:
            others = _unlabelled(labels, cut, rows)
            held, y["train"] = with_unlabelled(rows["train"], y["train"], others, target)
            assert held is not None
            rows["train"] = held
        task = target.task(y)
    features = _features(records, spec, reading, rows, fixed_roles(labels, cut), workdir)
    stored = [each.stored for each in features if each.stored is not None]
    _check_size(len(stored) * sum(map(len, rows.values())), limits)
    arrays: dict[str, Path] = {}
    for split in ("train", "test"):
        arrays[f"x_{split}"], arrays[f"y_{split}"] = (workdir / f"{xy}_{split}.npy" for xy in "xy")
        store_numbers(stored, records.rows, rows[split], arrays[f"x_{split}"])
        store_labels(y[split], arrays[f"y_{split}"])
    readings = {
        each.info.name: replace(each.reading, is_complete=not any(each.missing.values()))
        for each in features
    }
    parsed = {
        each.info.name: each.stored
        for each in features
        if each.stored is not None and each.reading.how == "number"
    }
    hidden = {labels.columns[0]: ~labels.known} if len(labels.columns) == 1 else {}
    arrays["rows"] = store_rows(records, readings, parsed, hidden, rows, workdir / "rows.arrow")
    seen = [each.column for each in features if each.column is not None]
    schema = Schema(
        inputs=TableInputs(columns=tuple(seen)),
        task=task,
        splits={split: len(held) for split, held in y.items()},
        class_counts={split: target.counts(held) for split, held in y.items()},
        columns=tuple(each.info for each in features),
    )
    hashed = content_hash(schema, arrays)
    arrays["sketch"] = store_sketch(arrays["x_train"], schema, workdir)
    findings = TableFindings(features, labels, cut, decision, target, rows, is_doubted, keeps)
    return TakenIn(schema, profile(schema, records, y, arrays, findings), arrays, hashed)


def _check_spec(records: Records, spec: DatasetSpec) -> None:
    names = records.train.names
    for name in spec.columns:
        check_columns([name], names, "columns", name)
    if spec.modality not in {None, "table"}:
        detail = f"expected the modality table for rows of a table, got {spec.modality}"
        refuse_said("not_a_table", f"{detail}; leave it out where the files say it", "modality")
    if spec.image_size is not None:
        detail = "expected `image_size` for files of pictures alone, got a table"
        refuse_said("not_for_tables", detail, "image_size")
    if spec.value_range is not None:
        detail = "expected `value_range` for pictures alone, got a table"
        refuse_said("not_for_tables", detail, "value_range")


def _unit(spec: DatasetSpec, labels: Labels) -> str:
    said = said_of(spec, labels.columns[0]) if len(labels.columns) == 1 else None
    return spec.unit or (said.unit if said else "")


def _by_split(labels: Labels, cut: Cut) -> dict[str, Array | None]:
    """Labels of each split, without the rows that have none; of all rows together where they are
    to be cut."""
    if labels.values is None:
        return {"train": None, "test": None} if cut.given is not None else {"train": None}
    if cut.given is None:
        return {"train": labels.values[labels.known]}
    sides = {"train": ~cut.given, "test": cut.given}
    chosen = {split: side & labels.known for split, side in sides.items()}
    return {split: labels.values[side] if side.any() else None for split, side in chosen.items()}


def _split(
    records: Records,
    labels: Labels,
    cut: Cut,
    target: Target,
    given: Mapping[str, Array | None],
) -> tuple[dict[str, Rows], dict[str, Stored]]:
    """Rows of the upload in each split, ascending, and their labels. A split of which no row has a
    label keeps all its rows."""
    everything = np.arange(records.rows)
    if cut.given is None:
        kept = everything[labels.known]
        y = target.encode(given["train"], len(kept), "train")
        train, test = cut.rows(target, y, labels.values is not None, kept)
        place = np.empty(records.rows, np.intp)
        place[kept] = np.arange(len(kept))
        check_both(train, test, cut)
        rows = {"train": train, "test": test}
        return rows, {split: y[place[chosen]] for split, chosen in rows.items()}
    rows = {}
    for split, side in (("train", ~cut.given), ("test", cut.given)):
        rows[split] = everything[side & labels.known if given[split] is not None else side]
    check_both(rows["train"], rows["test"], cut)
    return rows, {split: target.encode(given[split], len(rows[split]), split) for split in rows}


def _unlabelled(labels: Labels, cut: Cut, rows: Mapping[str, Rows]) -> Rows:
    """Rows without a label that are for training beside those that have one: where the split is
    given, on its side; where it is cut, all but those of groups that the test split has."""
    free = ~labels.known
    free[rows["train"]] = False
    if cut.given is not None:
        free &= ~cut.given
    elif cut.groups is not None:
        free &= ~np.isin(cut.groups, cut.groups[rows["test"]])
    return np.flatnonzero(free)


def fixed_roles(labels: Labels, cut: Cut) -> dict[str, tuple[Role, str]]:
    """Roles, and why, of the columns that the labels and the split need."""
    fixed: dict[str, tuple[Role, str]] = dict.fromkeys(labels.columns, ("label", labels.reason))
    for name in cut.told_by:
        role: Role = ROLES.get(cut.origin, "ignored")
        fixed.setdefault(name, (role, "it tells training rows from test rows"))
    if cut.group is not None:
        fixed.setdefault(cut.group, ("group", "its rows are never cut apart"))
    return fixed


def _features(
    records: Records,
    spec: DatasetSpec,
    reading: Reading,
    rows: Mapping[str, Rows],
    fixed: Mapping[str, tuple[Role, str]],
    workdir: Path,
) -> list[Feature]:
    features = [
        feature_of(records, name, spec, reading, rows, workdir / f"{place}.f32", fixed.get(name))
        for place, name in enumerate(records.train.names)
    ]
    if not any(each.column for each in features):
        reasons = "; ".join(f"`{each.info.name}`: {each.info.reason}" for each in features[:10])
        detail = (
            f"expected a column or more to learn from beside the labels, got none: {reasons}. "
            "`columns` in the spec says what a column is"
        )
        refuse("no_columns", detail)
    return features


def _check_size(numbers: int, limits: Limits) -> None:
    size = numbers * np.dtype(np.float32).itemsize
    if size > limits.bytes:
        detail = (
            f"expected at most {limits.bytes} bytes as the dataset is stored, got {size}: upload "
            f"fewer rows or columns, or raise {SETTING} where the service runs"
        )
        refuse("too_large", detail)
