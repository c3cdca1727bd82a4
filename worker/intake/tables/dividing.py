"""Labels of a table's rows, and which rows are for training and which for testing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from app.datasets.schemas import DatasetSpec
from app.datasets.table_spec import Role
from app.tasks import Task
from worker.intake.missing import refuse_missing
from worker.intake.raw import Array
from worker.intake.splits import Rows
from worker.intake.tables.features import said_of
from worker.intake.tables.readings import Reading
from worker.intake.tables.records import Records
from worker.intake.tables.speaking import spoken_of
from worker.intake.tables.splitting import RowCut, check_both, cut_of
from worker.intake.tables.target import TableLabels, labels_of
from worker.intake.targets import target_of
from worker.intake.targets.contract import Stored, TargetContract
from worker.intake.targets.deciding import Decision, decide
from worker.intake.unlabelled import with_unlabelled

ROLES: Mapping[str, Role] = {"where": "domain", "time": "time"}  # of what a split goes by


@dataclass(frozen=True)
class Divided:
    """Rows of the upload in each split, ascending, and their labels.

    is_doubted: whether a label may mean that there is none.
    keeps: whether training rows without a label are kept beside those that have one.
    """

    labels: TableLabels
    cut: RowCut
    decision: Decision
    target: TargetContract
    task: Task
    rows: Mapping[str, Rows]
    y: Mapping[str, Stored]
    is_doubted: bool
    keeps: bool

    @classmethod
    def of(cls, records: Records, spec: DatasetSpec, reading: Reading) -> Self:
        """Raises WorkFailure `dataset_invalid`."""
        labels = labels_of(records, spec, reading)
        cut = cut_of(records, spec, spec.test_fraction, reading, labels.known)
        given, keeps = _by_split(labels, cut), spec.unlabelled == "keep"
        with spoken_of(labels.called, (*labels.columns, "label")[0]):
            decision = decide(spec.said_task, given, labels.names is not None)
            target = target_of(decision.kind, given, labels.names, _unit(records, spec, labels))
            is_doubted, held = spec.missing_label is not None, labels.labelled
            if is_doubted and held is not None and held.ndim == 1:
                refuse_missing(target.texts, held, "y_train")
            rows, y = _split(records, labels, cut, target, given)
            if labels.values is not None and keeps:
                others = _unlabelled(labels, cut, rows)
                held, y["train"] = with_unlabelled(rows["train"], y["train"], others, target)
                assert held is not None
                rows["train"] = held
            task = target.task(y)
        return cls(labels, cut, decision, target, task, rows, y, is_doubted, keeps)

    @property
    def splits(self) -> dict[str, int]:
        return {split: len(held) for split, held in self.y.items()}

    @property
    def class_counts(self) -> dict[str, tuple[int, ...]]:
        return {split: self.target.counts(held) for split, held in self.y.items()}

    @property
    def fixed_roles(self) -> dict[str, tuple[Role, str]]:
        return fixed_roles(self.labels, self.cut)

    @property
    def hidden(self) -> dict[str, NDArray[np.bool]]:
        """Rows (of the upload,) in which what stands in the column of labels means none."""
        labels = self.labels
        return {labels.columns[0]: ~labels.known} if len(labels.columns) == 1 else {}


def _unit(records: Records, spec: DatasetSpec, labels: TableLabels) -> str:
    if len(labels.columns) != 1:
        return spec.unit
    said = said_of(spec, labels.columns[0])
    return spec.unit or (said.unit if said else "") or records.unit(labels.columns[0])


def _by_split(labels: TableLabels, cut: RowCut) -> dict[str, Array | None]:
    """Labels of each split, without the rows that have none; of all rows together where they are
    to be cut."""
    if labels.values is None:
        return {"train": None, "test": None} if cut.given is not None else {"train": None}
    if cut.given is None:
        return {"train": labels.labelled}
    sides = {"train": ~cut.given, "test": cut.given}
    chosen = {split: side & labels.known for split, side in sides.items()}
    return {split: labels.values[side] if side.any() else None for split, side in chosen.items()}


def _split(
    records: Records,
    labels: TableLabels,
    cut: RowCut,
    target: TargetContract,
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


def _unlabelled(labels: TableLabels, cut: RowCut, rows: Mapping[str, Rows]) -> Rows:
    """Rows without a label that are for training beside those that have one: where the split is
    given, on its side; where it is cut, all but those of groups that the test split has."""
    free = ~labels.known
    free[rows["train"]] = False
    if cut.given is not None:
        free &= ~cut.given
    elif cut.groups is not None:
        free &= ~np.isin(cut.groups, cut.groups[rows["test"]])
    return np.flatnonzero(free)


def fixed_roles(labels: TableLabels, cut: RowCut) -> dict[str, tuple[Role, str]]:
    """Roles, and why, of the columns that the labels and the split need."""
    fixed: dict[str, tuple[Role, str]] = dict.fromkeys(labels.columns, ("label", labels.reason))
    for name in cut.told_by:
        role: Role = ROLES.get(cut.origin, "ignored")
        fixed.setdefault(name, (role, "it tells training rows from test rows"))
    if cut.group is not None:
        fixed.setdefault(cut.group, ("group", "its rows are never cut apart"))
    return fixed
