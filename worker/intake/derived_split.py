"""Chosen items of arrays, split anew: at random, or by the columns that came with them."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from app.datasets.derivation import Derivation
from app.datasets.schemas import DatasetSpec
from app.datasets.table_spec import ColumnSpec, SplitSpec, TargetSpec
from worker.datasets.stored_rows import StoredRows
from worker.intake.chosen_items import ChosenItems, check_left, refuse_choice
from worker.intake.derived_arrays import store_chosen
from worker.intake.splits import Rows
from worker.intake.tables.readings import Reading
from worker.intake.tables.records import FileRows, Records
from worker.intake.tables.splitting import RowCut, check_both, cut_of
from worker.intake.targets import target_of

FRACTION = 0.2  # of a split that says no other


def split_anew(
    chosen: ChosenItems, derivation: Derivation, arrays: Mapping[str, Path], workdir: Path
) -> ChosenItems:
    """`chosen`: pooled. Raises WorkFailure `dataset_invalid`."""
    split = derivation.selection.split
    assert split is not None
    task, fraction = derivation.origin_schema.task, split.test_fraction or FRACTION
    named = {"column": split.column, "where": split.where, "time": split.time, "group": split.group}
    members = [member for member, said in named.items() if said is not None]
    if not members and _group_of(derivation) is None:
        return chosen.cut(task, fraction, split.seed)
    if "rows" not in arrays:
        detail = (
            f"expected no `{members[0]}` where items came without columns: they are split at "
            "random, by `test_fraction` and `seed`"
        )
        refuse_choice("not_a_table", detail, f"#/split/{members[0]}")
    train, test = _by_columns(chosen, derivation, split, arrays["rows"], workdir)
    rows = chosen.rows["train"]
    found = replace(chosen, rows={"train": rows[train], "test": rows[test]})
    check_left(found, "#/split")
    return found


def _group_of(derivation: Derivation) -> str | None:
    """The column whose rows the origin never cuts apart."""
    columns = derivation.origin_schema.columns
    return next((column.name for column in columns if column.role == "group"), None)


def _by_columns(
    chosen: ChosenItems, derivation: Derivation, split: SplitSpec, stored: Path, workdir: Path
) -> tuple[Rows, Rows]:
    """Places among the pooled items."""
    rows, held = chosen.rows["train"], StoredRows(stored)
    names = list(held.schema.names)
    path = store_chosen(held, names, [rows], workdir / "pooled.arrow")
    part = FileRows("the dataset", path, len(rows), tuple(names), lambda row: f"row {row}")
    group = None if split.group else _group_of(derivation)
    of_origin = derivation.origin_schema.columns
    spec = DatasetSpec(
        name=derivation.name,
        split=split,
        columns={} if group is None else {group: ColumnSpec(role="group")},
        target=TargetSpec(columns=tuple(c.name for c in of_origin if c.role == "label")),
    )
    cut = cut_of(Records(part), spec, FRACTION, Reading())
    places = np.arange(len(rows))
    if cut.given is not None:
        train, test = places[~cut.given], places[cut.given]
    else:
        labelled = chosen.has_label("train")
        train, test = _cut(chosen, derivation, cut, places[labelled])
        others = places[~labelled]
        if cut.groups is not None:
            others = others[~np.isin(cut.groups[others], cut.groups[test])]
        train = np.sort(np.concatenate([train, others]))
    check_both(train, test, cut)
    return train, test


def _cut(
    chosen: ChosenItems, derivation: Derivation, cut: RowCut, labelled: Rows
) -> tuple[Rows, Rows]:
    """Cuts the items that have a label; all where none has."""
    task, y = derivation.origin_schema.task, chosen.y[chosen.rows["train"][labelled]]
    labels = None if chosen.labels("train") is None else y
    class_names = np.array(chosen.names) if chosen.names else None
    target = target_of(task.kind, {"train": labels}, class_names, task.unit)
    return cut.rows(target, y, labels is not None, labelled)
