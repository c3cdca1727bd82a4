"""The tables of a job beside one another: which columns are one, and which its network has."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from app.datasets.schemas import Schema
from app.errors import Coded, Finding
from app.inputs.column_distance import column_distances
from app.inputs.columns import BINS, CategoryColumn, FlagColumn, are_ranked
from app.inputs.columns.wide import PIECEWISE_COLUMNS
from app.inputs.contract import Sketch
from app.inputs.joint_columns import Hides, SourceColumns, joint_inputs
from app.inputs.matching import Match, matched, obstacle
from app.inputs.similar_columns import similar_columns
from app.inputs.table import TableInputs
from app.spec.shared_columns import (
    SharedColumn,
    SharedColumns,
    SimilarColumns,
    UnlikeColumns,
    listed,
)
from app.spec.sources import SourceFacts

if TYPE_CHECKING:
    from app.spec.source import Source
    from app.spec.spec import JobSpec


@dataclass(frozen=True)
class SourceTable:
    """A source's columns beside the target's. `place`: the source's, from 0."""

    place: int
    target: TableInputs
    inputs: TableInputs
    facts: SourceFacts
    match: Match

    @classmethod
    def of(
        cls, place: int, source: "Source", facts: SourceFacts, target: TableInputs
    ) -> Self | None:
        """Returns None for a source that is no table."""
        inputs = facts.schema.inputs
        if not isinstance(inputs, TableInputs):
            return None
        own, theirs = _names(target), _names(inputs)
        said = {
            name: other
            for name, other in source.columns.items()
            if name in own and (other is None or other in theirs)
        }
        return cls(place, target, inputs, facts, matched(target, inputs, said))

    @property
    def target_only(self) -> list[str]:
        return [name for name in _names(self.target) if name not in self.match.names]

    @property
    def source_only(self) -> list[str]:
        shared = set(self.match.names.values())
        return [name for name in _names(self.inputs) if name not in shared]

    @property
    def given(self) -> SourceColumns:
        rows = self.facts.schema.splits.get("train", 1)
        return SourceColumns(self.inputs, self.match.names, rows, is_learnt=not self.facts.has_data)

    def told(self, said: Mapping[str, str | None], target_sample: Sketch | None) -> SharedColumns:
        """Tells the shared columns with distances and proposals; `said`: by the job of its
        columns."""
        sample, names = self.facts.sample(), dict(self.match.names)
        distances = {}
        if sample is not None and target_sample is not None:
            distances = column_distances(self.target, self.inputs, names, (target_sample, sample))
        unlike = {each.name for each in self.match.unlike}
        left = (
            [name for name in self.target_only if name not in unlike and name not in said],
            [
                name
                for name in self.source_only
                if name not in {each.source_name for each in self.match.unlike}
            ],
        )
        return SharedColumns(
            source=self.place + 1,
            shared=[
                SharedColumn(
                    name=column.name,
                    source_name=names[column.name],
                    kind=column.kind,
                    confirmed=column.name in self.match.confirmed,
                    measure=(
                        "total_variation"
                        if isinstance(column, CategoryColumn | FlagColumn)
                        else "wasserstein"
                    ),
                    distance=found.distance if found else None,
                    missing=found.missing if found else None,
                )
                for column in self.target.columns
                if column.name in names
                for found in (distances.get(column.name),)
            ],
            target_only=self.target_only,
            source_only=self.source_only,
            unlike=[
                UnlikeColumns(name=each.name, source_name=each.source_name, reason=each.reason)
                for each in self.match.unlike
            ],
            similar=[
                SimilarColumns(name=each.name, source_name=each.source_name, reason=each.reason)
                for each in similar_columns(self.target, self.inputs, left, (target_sample, sample))
            ],
        )


def tables_of(
    sources: Sequence["Source"], facts: Sequence[SourceFacts], target: Schema
) -> list[SourceTable]:
    """The sources that are tables, where the target is one."""
    if not isinstance(target.inputs, TableInputs):
        return []
    given = enumerate(zip(sources, facts, strict=True))
    found = (SourceTable.of(place, *each, target.inputs) for place, each in given)
    return [table for table in found if table]


def joint_table(
    tables: Sequence[SourceTable], target: Schema, uses_labels: bool, hides: Hides | None
) -> TableInputs | None:
    """Returns what the one network of a job sees; None where its items are no rows of tables.

    `hides`: in which columns training hides values. Of models without labels nothing is trained.
    """
    if not isinstance(target.inputs, TableInputs):
        return None
    rows = target.splits.get("train", 1)
    given = [table.given for table in tables]
    trains = uses_labels or not any(each.is_learnt for each in given)
    return joint_inputs(target.inputs, rows, given, uses_labels, hides if trains else None)


def column_findings(
    spec: "JobSpec", sources: Sequence[SourceFacts], target: Schema
) -> Iterator[Coded]:
    """Returns what is wrong with what a job says of its sources' columns, and with the columns."""
    tables = {table.place: table for table in tables_of(spec.sources, sources, target)}
    for place, source in enumerate(spec.sources):
        pointer = f"#/sources/{place}/columns"
        if place in tables:
            yield from _said_findings(source, tables[place], pointer)
        elif source.columns:
            detail = "expected no `columns` where source and target are not both tables, got some"
            yield "not_a_table", Finding(detail, pointer)
    for place, table in tables.items():
        kind = "dataset" if table.facts.has_data else "model"
        pointer = f"#/sources/{place}/{kind}"
        if not table.match.names:
            yield "no_shared_column", Finding(_nothing_shared(table), pointer)
        elif not table.facts.has_data:
            yield from _model_findings(spec, table, [*tables.values()], pointer)


def _said_findings(source: "Source", table: SourceTable, pointer: str) -> Iterator[Coded]:
    own = {column.name: column for column in table.target.columns}
    theirs = {column.name: column for column in table.inputs.columns}
    seen = set[str]()
    for name, other in source.columns.items():
        at = f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}"
        if name not in own:
            detail = f"expected the name of a column of the target, one of {listed([*own])}"
            yield "unknown_column", Finding(detail, at)
        elif other is None:
            continue
        elif other not in theirs:
            detail = f"expected a column of the source, one of {listed([*theirs])}, or null"
            yield "unknown_column", Finding(detail, at)
        elif other in seen:
            detail = f"expected each column of the source once, got `{other}` again"
            yield "repeated_column", Finding(detail, at)
        elif reason := obstacle(own[name], theirs[other], is_said=True):
            detail = f"expected two columns that can be one, got `{name}` and `{other}`: {reason}"
            yield "columns_differ", Finding(detail, at)
        seen.add(other or "")


def _nothing_shared(table: SourceTable) -> str:
    said = (
        "expected a column that source and target share, by its name and kind, got none: the "
        f"target has {listed(_names(table.target))}, the source {listed(_names(table.inputs))}"
    )
    if table.match.unlike:
        first = table.match.unlike[0]
        return f"{said}. `{first.name}`: {first.reason}"
    return (
        f"{said}. Name them alike, or say in the source's `columns` which are the same: by the "
        "target's name the source's"
    )


def _model_findings(
    spec: "JobSpec", table: SourceTable, tables: Sequence[SourceTable], pointer: str
) -> Iterator[Coded]:
    """A network has learnt by its own columns and their edges."""
    if table.source_only and not spec.target.use_labels:
        detail = (
            "expected a model whose columns the target has: without target labels nothing takes "
            f"the place of {listed(table.source_only)}; train on the model's dataset as a source, "
            "which then leaves them out"
        )
        yield "columns_lost", Finding(detail, pointer)
    ranked = [are_ranked(inputs.columns) for inputs in (table.inputs, table.target)]
    if ranked[0] != ranked[1]:
        detail = (
            f"expected a model whose network sees numbers as the target's does, got one of "
            f"{len(table.inputs.columns)} columns for a table of {len(table.target.columns)}: of "
            f"more than {PIECEWISE_COLUMNS} numbers each is seen as one, of fewer in {BINS} parts. "
            "Train on the model's dataset as a source instead"
        )
        yield "weights_do_not_fit", Finding(detail, pointer)
        return
    first = next(each for each in tables if not each.facts.has_data)
    if table is first:
        return
    for name in table.match.names:
        one, other = (each.given.counterpart(name) for each in (first, table))
        if one and other and getattr(one, "edges", ()) != getattr(other, "edges", ()):
            detail = (
                f"expected models that cut the column `{name}` at the same edges, got another "
                f"than the model of #/sources/{first.place}: give each a job of its own"
            )
            yield "weights_do_not_fit", Finding(detail, pointer)
            return


def _names(inputs: TableInputs) -> list[str]:
    return [column.name for column in inputs.columns]
