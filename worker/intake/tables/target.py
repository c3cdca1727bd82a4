"""Columns that hold the labels, and the labels that they hold."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from app.datasets.derivation import shortened
from app.datasets.schemas import DatasetSpec
from app.datasets.table_spec import ColumnSpec, TableSpec
from app.tasks import TaskKind
from worker.intake.labels import CLASS_LIMIT, text_of
from worker.intake.missing import without_missing
from worker.intake.raw import NAME_CHARACTERS, Array, refuse
from worker.intake.tables.kinds import MOST_EXACT
from worker.intake.tables.label_matrix import check_plain, label_matrix
from worker.intake.tables.readings import Column, Reading, as_numbers, distinct, has_codes, numbers
from worker.intake.tables.records import Records, listed, refuse_said
from worker.intake.tables.speaking import spoken_of

USUAL = ("label", "labels", "target", "class", "y")  # names of columns that hold labels
NEAR = 0.7  # of difflib's ratio: a slip of the keyboard
SEVERAL = (
    'where one column is several, `csv`: {"delimiter": …} in the spec says what stands between them'
)


@dataclass(frozen=True)
class TableLabels:
    """Labels of a table's rows.

    columns: that hold them; none: the table has no labels.
    values: (rows,), whole numbers, float64 or text, or (rows, columns) of several labels; what
        stands where there is none means nothing.
    known: (rows,), whether a row has a label.
    names: of several labels.
    reason: why those columns.
    """

    columns: tuple[str, ...]
    values: Array | None
    known: NDArray[np.bool]
    names: Array | None
    reason: str

    @property
    def labelled(self) -> Array | None:
        """Labels of the rows that have one."""
        return None if self.values is None else _those(self.values, self.known)

    @property
    def called(self) -> str:
        return f"the column{'s' if len(self.columns) > 1 else ''} {listed(self.columns)}"


class TargetRefusal(NamedTuple):
    """Reason why the columns of labels are not known: code, detail, and what of the spec is to
    blame."""

    reason: str
    detail: str
    path: tuple[str, ...]


def check_columns(names: Sequence[str], known: Sequence[str], *path: str) -> None:
    """Refuses names in the spec that no column has."""
    if refusal := _unknown(names, known, *path):
        refuse_said(refusal.reason, refusal.detail, *refusal.path)


def _unknown(names: Sequence[str], known: Sequence[str], *path: str) -> TargetRefusal | None:
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, 1, NEAR)
            meant = f"; did you mean `{near[0]}`?" if near else ""
            detail = f"expected one of the columns {listed(known)}, got {shortened(name)}{meant}"
            return TargetRefusal("unknown_column", detail, path)
    return None


def target_columns(spec: TableSpec, names: Sequence[str]) -> tuple[str, ...]:
    """Finds among the columns `names` those that hold labels; none where the spec says so. Raises
    WorkFailure `dataset_invalid`."""
    found = _found(spec, names)
    if isinstance(found, TargetRefusal):
        refuse_said(found.reason, found.detail, *found.path)
    return found


def known_target(spec: TableSpec, names: Sequence[str]) -> tuple[str, ...]:
    """Finds as `target_columns` does; none where that is unclear, as of pictures whose labels are
    folders."""
    found = _found(spec, names)
    return () if isinstance(found, TargetRefusal) else found


def _found(spec: TableSpec, names: Sequence[str]) -> tuple[str, ...] | TargetRefusal:
    by_role = [
        name
        for name, said in spec.columns.items()
        if isinstance(said, ColumnSpec) and said.role == "label"
    ]
    target = spec.target
    if target and target.columns is not None:
        return _unknown(target.columns, names, "target", "columns") or target.columns
    if target and target.column is not None:
        return _one_said(spec, target.column, by_role, names) or (target.column,)
    if by_role:
        return tuple(by_role)
    usual = [
        name for name in names if name.strip().casefold() in USUAL and _may_be_labels(spec, name)
    ]
    if len(usual) == 1:
        return (usual[0],)
    got = f"got {listed(usual)}" if usual else f"got none among {listed(names)}"
    detail = (
        f"expected one column named {', '.join(USUAL)}, which holds the labels, {got}: "
        '`target`: {"column": …} in the spec says which one does, and `target`: {"columns": []} '
        "that the table has no labels"
    )
    if len(names) == 1:
        detail += f"; {SEVERAL}"
    return TargetRefusal("target_unclear", detail, ("target",))


def _one_said(
    spec: TableSpec, column: str, by_role: Sequence[str], names: Sequence[str]
) -> TargetRefusal | None:
    """Why the column that `target` names cannot hold the labels."""
    if refusal := _unknown([column], names, "target", "column"):
        return refusal
    if not _may_be_labels(spec, column):
        detail = (
            f"expected no other role for the column `{column}`, which `target` says holds the "
            "labels"
        )
        return TargetRefusal("target_unclear", detail, ("columns", column))
    if by_role and by_role != [column]:
        detail = "expected one column of labels, got one in `target` and another by its role"
        return TargetRefusal("target_unclear", detail, ("columns", by_role[0]))
    return None


def _may_be_labels(spec: TableSpec, name: str) -> bool:
    """Tells whether the spec leaves it open that a column holds the labels, or says so."""
    said = spec.columns.get(name)
    role = said.role if isinstance(said, ColumnSpec) else None
    return said != "ignore" and role in {None, "label"}


def labels_of(records: Records, spec: DatasetSpec, reading: Reading) -> TableLabels:
    """Raises WorkFailure `dataset_invalid`."""
    columns = target_columns(spec, records.train.names)
    everything = np.ones(records.rows, np.bool)
    if not columns:
        return TableLabels((), None, everything, None, "the spec says that the table has no labels")
    is_said = spec.target is not None and (spec.target.column or spec.target.columns)
    reason = "the spec says so" if is_said else "its name says that it holds the labels"
    task = spec.said_task
    if len(columns) > 1 or task == "multi_label":
        values, known = label_matrix(records, columns, reading)
        return TableLabels(columns, values, known, np.array(columns), reason)
    (name,) = columns
    values, known = _one(records, name, reading, task)
    with spoken_of(f"the column `{name}`", name):
        left = without_missing(_those(values, known), spec.missing_label, "y_train")
    if left is not None:
        places = np.flatnonzero(known)[left]
        known = np.zeros(len(known), np.bool)
        known[places] = True
    if not known.any():
        detail = (
            f"expected labels in the column `{name}`, got none in any row; "
            '`target`: {"columns": []} says that the table has no labels'
        )
        refuse("no_labels", detail, name)
    return TableLabels(columns, values, known, None, reason)


def _those(values: Array, known: NDArray[np.bool]) -> Array:
    return values if known.all() else values[known]  # no copy of what may be large


def _one(
    records: Records, name: str, reading: Reading, task: TaskKind | None
) -> tuple[Array, NDArray[np.bool]]:
    """Looks at each different field once."""
    codes, fields = distinct(records.column(name))
    fields = reading.known(fields)
    check_plain(fields, name)
    is_known = np.append(np.asarray(pc.is_valid(fields).to_numpy()), False)
    known = is_known[codes]
    if pa.types.is_boolean(fields.type):
        return np.append(pc.fill_null(fields, False).to_numpy(), False)[codes], known
    found = numbers(fields, reading.decimal)
    is_readable = np.append(np.asarray(pc.is_valid(found).to_numpy()), False)
    wrong = (is_known & ~is_readable)[codes]
    if wrong.any() and (task == "regression" or _are_nearly_numbers(fields, codes, wrong)):
        row = int(np.flatnonzero(wrong)[0])
        detail = (
            f"expected numbers in the column `{name}`, of which a quantity is learnt, as most of "
            f"its rows have, got {int(wrong.sum())} others, the first in {records.place(row)}; "
            "where they mean that there is none, name them in the spec's `missing`"
        )
        refuse("wrong_type", detail, name)
    are_names = task != "regression" and (has_codes(fields, found) or _are_merged(fields, found))
    if not wrong.any() and not are_names:
        values = np.append(np.nan_to_num(as_numbers(found)), 0.0)
        is_whole = bool((values == np.rint(values)).all() and np.abs(values).max() < MOST_EXACT)
        if not is_whole and task == "classification":  # as half stars are
            numbered = ["" if value is None else text_of(value, name) for value in _plain(found)]
            return _texts(numbered, codes, known, name), known
        return (values.astype(np.int64) if is_whole else values)[codes], known
    texts = ["" if field is None else str(field) for field in fields.to_pylist()]
    return _texts(texts, codes, known, name), known


def _plain(found: Column) -> list[np.float64 | None]:
    return [None if value is None else np.float64(value) for value in found.to_pylist()]


def _are_merged(fields: Column, found: Column) -> bool:
    """Tells whether labels are codes of so many digits that some become one as float64.

    Args:
        fields: the different ones; found: the numbers that they stand for.
    """
    values = as_numbers(found.drop_null())
    large = values[np.abs(values) >= MOST_EXACT]
    if not len(large) or pa.types.is_floating(fields.type):
        return False
    return bool(len(np.unique(values)) < len(fields) - fields.null_count)


def _are_nearly_numbers(fields: Column, codes: Array, wrong: NDArray[np.bool]) -> bool:
    """Tells whether labels are quantities but for a few fields: all that a file says is a number,
    and text most of which is a number, where most rows have one of their own.

    Args:
        fields: the different ones; codes (rows,): places of rows among them, -1 where there is
            none; wrong (rows,): those that are no number.
    """
    if not pa.types.is_string(fields.type):
        return True
    labelled = int((codes >= 0).sum())
    return 2 * int(wrong.sum()) < labelled and 2 * len(fields) > labelled


def _texts(fields: list[str], codes: Array, known: NDArray[np.bool], name: str) -> Array:
    """`codes` (rows,): places of rows among the fields, -1 where there is none."""
    texts, rows = [text for text in fields if text], int(known.sum())
    if len(texts) == rows > 1:
        detail = (
            f"expected labels that several rows share in the column `{name}`, got another one in "
            f"each of its {rows} rows: is it a name of the row?"
        )
        refuse("unique_labels", detail, name)
    if len(texts) > CLASS_LIMIT:
        detail = (
            f"expected at most {CLASS_LIMIT} classes, got {len(texts)} different labels in the "
            f"column `{name}`"
        )
        refuse("too_many_classes", detail, name)
    longest = max(map(len, texts), default=0)
    if longest > NAME_CHARACTERS:
        detail = (
            f"expected labels of at most {NAME_CHARACTERS} characters in the column `{name}`, got "
            f"{longest}"
        )
        refuse("name_too_long", detail, name)
    found: Array = np.array([*fields, ""])[codes]
    return found
