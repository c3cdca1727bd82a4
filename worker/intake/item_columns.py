"""Facts of items beside the values that a network sees: columns that came with them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from app.datasets.schemas import DatasetSpec
from app.datasets.table_spec import ColumnInfo, ColumnSpec, Role
from worker.intake.splits import Rows
from worker.intake.tables.dividing import fixed_roles
from worker.intake.tables.features import Feature, feature_of
from worker.intake.tables.readings import Reading
from worker.intake.tables.records import Records, refuse_said
from worker.intake.tables.rows import store_rows
from worker.intake.tables.splitting import RowCut
from worker.intake.tables.target import TableLabels, check_columns

UNSEEN = "a network sees the pictures alone; slices and derived datasets can name it"


@dataclass(frozen=True)
class ItemColumns:
    """Columns of items.

    records: a row for each item: of the training split in its order, then of the test split.
    names_files: the column that names the items' files.
    """

    records: Records
    spec: DatasetSpec
    reading: Reading
    labels: TableLabels
    cut: RowCut
    names_files: str

    def columns(self, rows: Mapping[str, Rows], workdir: Path) -> list[Feature]:
        """All of them, none of which a network sees. Raises WorkFailure `dataset_invalid` where
        values are not what the spec says of them."""
        names = self.records.train.names
        for name, said in self.spec.columns.items():
            check_columns([name], names, "columns", name)
            if isinstance(said, ColumnSpec) and said.role == "feature":
                detail = (
                    "expected no column with the role feature beside pictures of the modality "
                    "image, whose networks see the pictures alone: `modality` joined learns from "
                    "both"
                )
                refuse_said("not_for_pictures", detail, "columns", name, "role")
        fixed = fixed_roles(self.labels, self.cut)
        return [self._column(name, rows, fixed.get(name), workdir) for name in names]

    def _column(
        self,
        name: str,
        rows: Mapping[str, Rows],
        fixed: tuple[Role, str] | None,
        workdir: Path,
    ) -> Feature:
        said = self.spec.columns.get(name)
        asked = said.role if isinstance(said, ColumnSpec) else None
        role, why = fixed or (asked or "ignored", "the spec says so" if asked else UNSEEN)
        found = feature_of(
            self.records, name, self.spec, self.reading, rows, workdir / "unused", (role, why)
        )
        info: dict[str, Any] = {}
        if name == self.names_files:
            info = {"kind": "image", "role": "id", "reason": "it names the files of the pictures"}
        elif found.info.kind == "identifier" and role == "ignored" and not asked:
            info = {"role": "id"}
        changed = ColumnInfo.model_validate(found.info.model_dump() | info)
        return Feature(changed, found.reading, found.missing)

    def store(self, columns: Sequence[Feature], rows: Mapping[str, Rows], target: Path) -> Path:
        readings = {each.info.name: each.reading for each in columns}
        return store_rows(self.records, readings, {}, {}, rows, target)

    def apart(self, kept: Rows, test: Rows) -> Rows:
        """Returns the rows kept, without those whose group has items among `test`."""
        groups = self.cut.groups
        return kept if groups is None else kept[~np.isin(groups[kept], groups[test])]

    def told(self, columns: Sequence[Feature], rows: Mapping[str, Rows]) -> dict[str, Any]:
        """Returns what the profile says of them."""
        return {
            "target": {"columns": list(self.labels.columns), "reason": self.labels.reason},
            "columns": {each.info.name: {"missing": dict(each.missing)} for each in columns},
            "groups_across_splits": self._groups_across(rows),
        }

    def warnings(self, rows: Mapping[str, Rows]) -> list[str]:
        across = self._groups_across(rows)
        return list(self.cut.said) + [
            f"{across} groups of the column `{self.cut.group}` have items in training and in test: "
            "the test is easier than it looks."
        ] * bool(across)

    def _groups_across(self, rows: Mapping[str, Rows]) -> int:
        groups = self.cut.groups
        if groups is None:
            return 0
        train, test = (np.unique(groups[rows[split]]) for split in ("train", "test"))
        return len(np.intersect1d(train, test))
