"""Rows of a table for training and for testing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from app.datasets.derivation import shortened
from app.datasets.table_spec import ColumnSpec, SplitSpec, TableSpec
from worker.intake.raw import refuse
from worker.intake.splits import SPLIT_SEED, Rows, random_split, stratified_split
from worker.intake.tables.column_values import has_value
from worker.intake.tables.readings import Column, Reading, as_written, coded
from worker.intake.tables.records import Records, listed, refuse_said
from worker.intake.tables.target import check_columns, known_target
from worker.intake.tables.time_split import by_time
from worker.intake.targets.contract import Stored, TargetContract

TRAINING = {"train", "training"}
TESTING = {"test", "testing"}
VALIDATION = {"validation", "valid", "val", "dev"}
ALONE = (
    "got too few rows of each class to cut some off: join rare classes, upload more rows, or say "
    '`task`: "regression" in the spec where the labels are quantities'
)
DRAWS = 64  # of groups, of which the one is taken that is most like all rows


@dataclass(frozen=True)
class RowCut:
    """Rule by which rows are split.

    given: (rows,) true for testing; None where the rows are to be cut.
    origin: `given`, `column`, `where`, `time` or `cut`.
    said: sentences.
    groups: (rows,), equal for rows that belong together.
    told_by: columns that say it.
    """

    origin: str
    given: NDArray[np.bool] | None = None
    fraction: float = 0.2
    seed: int = SPLIT_SEED
    groups: NDArray[np.int64] | None = None
    group: str | None = None
    told_by: tuple[str, ...] = ()
    said: tuple[str, ...] = field(default=())

    def rows(
        self, target: TargetContract, y: Stored, is_labelled: bool, kept: Rows
    ) -> tuple[Rows, Rows]:
        """Rows of the training and the test split, ascending.

        Args:
            y: of the rows `kept`.
        """
        if self.given is not None:
            in_test = self.given[kept]
            return kept[~in_test], kept[in_test]
        if self.groups is not None:
            train, test = self._by_group(target, y, kept)
        elif is_labelled and target.part == "class":
            train, test = stratified_split(y, target.texts, self.fraction, self.seed, True)
        elif is_labelled:
            train, test = target.cut(y, self.fraction, self.seed)
        else:
            train, test = random_split(len(kept), self.fraction, self.seed)
        return kept[train], kept[test]

    def _by_group(self, target: TargetContract, y: Stored, kept: Rows) -> tuple[Rows, Rows]:
        """Whole groups in a random order until there are test rows enough; of 64 orders the one
        whose test rows have the classes, the labels or the mean most like those of all rows, and
        whose training rows lack as few of the classes as can be."""
        assert self.groups is not None
        _, group = np.unique(self.groups[kept], return_inverse=True)
        sizes = np.bincount(group)
        if len(sizes) < 2:
            detail = (
                f"expected two groups or more in the column `{self.group}`, as a group is never "
                f"cut apart, got {len(sizes)}"
            )
            refuse_said("one_group", detail, "split", "group")
        traits = _traits(target, y)
        of_groups = np.zeros((len(sizes), traits.shape[1]))
        np.add.at(of_groups, group, traits)
        wanted = self.fraction * len(kept)
        best, least = np.zeros(len(sizes), np.bool), np.inf
        rng = np.random.default_rng(self.seed)
        for _ in range(DRAWS):
            order = rng.permutation(len(sizes))
            ends = np.cumsum(sizes[order])
            count = min(max(1, int(np.abs(ends - wanted).argmin()) + 1), len(sizes) - 1)
            chosen = order[:count]
            share = ends[count - 1] / len(kept)
            tested, every = of_groups[chosen].sum(0), of_groups.sum(0)
            apart = np.abs(tested - share * every).sum() / len(kept)
            unlearnt = int((tested == every)[every > 0].sum()) if target.part == "class" else 0
            cost = unlearnt + apart + abs(share - self.fraction)
            if cost < least:
                best, least = np.isin(np.arange(len(sizes)), chosen), cost
        in_test = best[group]
        return np.flatnonzero(~in_test), np.flatnonzero(in_test)


def _traits(target: TargetContract, y: Stored) -> NDArray[np.float64]:
    """(rows, k): what is to be alike in both splits."""
    if y.ndim > 1:
        return y.astype(np.float64)
    codes = target.codes({"train": y})["train"]
    if target.part == "class":
        hot: NDArray[np.float64] = np.eye(int(codes.max(initial=0)) + 1)[np.maximum(codes, 0)]
        return hot
    centred = codes.astype(np.float64) - codes.mean()
    scaled: NDArray[np.float64] = centred / (float(centred.std()) or 1.0)
    return scaled[:, None]


def cut_of(
    records: Records,
    spec: TableSpec,
    fraction: float,
    reading: Reading,
    known: NDArray[np.bool] | None = None,
) -> RowCut:
    """`known`: (rows,), the rows that have a label; None: nothing tells. Raises WorkFailure
    `dataset_invalid`."""
    names = records.train.names
    said = spec.split or SplitSpec()
    by_role = [
        name
        for name, column in spec.columns.items()
        if isinstance(column, ColumnSpec) and column.role == "group"
    ]
    group = said.group or (by_role[0] if by_role else None)
    if len(columns := dict.fromkeys([said.group, *by_role] if said.group else by_role)) > 1:
        detail = f"expected one column of groups, got {listed(columns)}"
        refuse_said("several_groups", detail, "columns")
    if group is not None:
        check_columns([group], names, "split", "group")
        if group in known_target(spec, names):
            detail = (
                f"expected groups in a column beside the labels, got `{group}`, which holds them: "
                "each class would stand in one split alone"
            )
            refuse_said("group_of_labels", detail, "split", "group")
    groups = None if group is None else _codes(reading.known(records.column(group)))
    if records.test is not None:
        if spec.split is not None and (
            said.column or said.where or said.time or said.test_fraction
        ):
            detail = "expected no `split` where one file is for training and one for testing"
            refuse_said("split_twice", detail, "split")
        in_test = np.arange(records.rows) >= records.train.rows
        return RowCut("given", in_test, groups=groups, group=group)
    if said.column is not None:
        check_columns([said.column], names, "split", "column")
        in_test, sentences = _by_names(records, said.column, reading)
        return RowCut(
            "column", in_test, groups=groups, group=group, told_by=(said.column,), said=sentences
        )
    if said.where is not None:
        check_columns([*said.where], names, "split", "where")
        in_test = _where(records, said.where, reading)
        return RowCut("where", in_test, groups=groups, group=group, told_by=tuple(said.where))
    if said.time is not None:
        check_columns([said.time], names, "split", "time")
        in_test, sentences = by_time(records, spec, said, fraction, reading, known)
        return RowCut(
            "time", in_test, groups=groups, group=group, told_by=(said.time,), said=sentences
        )
    return RowCut("cut", None, said.test_fraction or fraction, said.seed, groups, group)


def check_both(train: Rows, test: Rows, cut: RowCut) -> None:
    for rows, split in ((train, "training"), (test, "test")):
        if not len(rows):
            how = f"the column {listed(cut.told_by)} leaves none" if cut.told_by else ALONE
            refuse("empty_split", f"expected rows for the {split} split, {how}")


def _codes(column: Column) -> NDArray[np.int64]:
    """(rows,); a row without a value is a group of its own."""
    codes, values = coded(column)
    alone = codes < 0
    codes[alone] = len(values) + np.arange(int(alone.sum()))
    return codes


def _by_names(
    records: Records, name: str, reading: Reading
) -> tuple[NDArray[np.bool], tuple[str, ...]]:
    column = reading.known(records.column(name))
    if not pa.types.is_string(column.type):
        detail = f"expected the words train and test in the column `{name}`, got {column.type}"
        refuse_said("wrong_split", detail, "split", "column")
    word = np.array(pc.fill_null(pc.utf8_lower(pc.utf8_trim_whitespace(column)), "").to_pylist())
    training, testing, validation = (
        np.isin(word, [*words]) for words in (TRAINING, TESTING, VALIDATION)
    )
    if not (known := training | testing | validation).all():
        row, count = int(np.flatnonzero(~known)[0]), int((~known).sum())
        words = ", ".join(sorted(TRAINING | TESTING | VALIDATION))
        detail = (
            f"expected one of the words {words} in each row of the column `{name}`, got {count} "
            f"others, the first in {records.place(row)}"
        )
        refuse("wrong_split", detail, name)
    if not validation.any():
        return testing, ()
    where = "training" if testing.any() else "testing"
    told = f"{int(validation.sum())} rows for validation are for {where}."
    return (testing if testing.any() else validation), (told,)


def _where(
    records: Records, where: Mapping[str, Sequence[Any]], reading: Reading
) -> NDArray[np.bool]:
    chosen = np.ones(records.rows, np.bool)
    for name, wanted in where.items():
        column = reading.known(records.column(name))
        found = np.zeros(records.rows, np.bool)
        for value in wanted:
            has_it = has_value(column, _as_held(column, value))
            if has_it is None or not has_it.any():
                detail = (
                    f"expected values in `where` that rows of the column `{name}` have, got "
                    f"{shortened(as_written(value))}, which none has"
                )
                refuse_said("empty_split", detail, "split", "where", name)
            found |= has_it
        chosen &= found
    return chosen


def _as_held(column: Column, value: Any) -> Any:
    """True and false as 1 and 0 where a column of numbers holds them, and the other way round."""
    if pa.types.is_string(column.type) or isinstance(value, str):
        return value
    if pa.types.is_boolean(column.type):
        return bool(value) if value in {0, 1} else value
    return int(value) if isinstance(value, bool) else value
