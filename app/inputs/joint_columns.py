"""One set of columns for several tables, and rows of each as rows of it.

A job has one network. Its columns are the target's, in their order and under their names; what
training rows taught of them is joined with what the sources' taught of their counterparts.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any, Literal, assert_never

import numpy as np
from numpy.typing import NDArray

from app.inputs.columns import (
    ABSENT,
    MOST_VALUES,
    CategoryColumn,
    Column,
    DateColumn,
    FlagColumn,
    MeasuredColumn,
    NumberColumn,
    are_ranked,
)
from app.inputs.joint_edges import joint_edges, joint_edges_of_many
from app.inputs.matching import Names, same_values, value_key
from app.inputs.table import TableInputs

Rows = NDArray[np.float32]  # (n, columns)


Hides = Literal["all", "lacking"]


@dataclass(frozen=True)
class SourceColumns:
    """A source's columns, and by what names the target has them.

    `rows`: of its training split, by which its quantiles count. `is_learnt`: a network has learnt
    by its edges, which therefore stay.
    """

    inputs: TableInputs
    names: Names
    rows: int = 1
    is_learnt: bool = False

    def counterpart(self, name: str) -> Column | None:
        return self._columns.get(self.names.get(name))

    @cached_property
    def _columns(self) -> dict[str | None, Column]:
        return {column.name: column for column in self.inputs.columns}


def joint_inputs(
    target: TableInputs,
    rows: int,
    sources: Sequence[SourceColumns],
    uses_labels: bool = True,
    hides: Hides | None = None,
) -> TableInputs:
    """The columns of the target, `rows` its training rows, with what the sources know of them:

    - a number's or a date's edges are those of the first source whose network has learnt by its
      own, else quantiles of all tables' edges, each table weighing as its training rows;
    - a category's values are the target's and then, in the order of the sources, those that only
      these have, 256 at most; what differs in case, spaces or Unicode's forms alone is one value;
    - a flag stays as the target has it;
    - something is learnt of missing values, and of other values than these, where rows that are
      learnt from lack some, or have others.

    Args:
        uses_labels: whether the target's rows are learnt from too. If not, they count for nothing
            where a source has the column.
        hides: in which columns training hides values, so that something is learnt of missing ones:
            all, or those that lack some in any table, learnt from or not.
    """
    columns = []
    known = _edges_at_once(target, rows, sources) if are_ranked(target.columns) else {}
    for column in target.columns:
        found = [(given, other) for given in sources if (other := given.counterpart(column.name))]
        seen = [other for _, other in found] + ([column] if uses_labels or not found else [])
        joined = _joint(column, rows, found, known.get(column.name))
        looked_at = [*(other for _, other in found), column] if hides else seen
        lacks = any(each.misses for each in looked_at)
        learnt: dict[str, Any] = {"misses": hides == "all" or lacks}
        if isinstance(joined, CategoryColumn):
            categories = [each for each in seen if isinstance(each, CategoryColumn)]
            learnt["others"] = any(
                each.others or len(same_values(each.values, joined.values)) < len(each.values)
                for each in categories
            )
        columns.append(joined.model_copy(update=learnt))
    return target.model_copy(update={"columns": tuple(columns)})


Found = Sequence[tuple[SourceColumns, Column]]  # a column's counterparts


def _edges_at_once(
    target: TableInputs, rows: int, sources: Sequence[SourceColumns]
) -> dict[str, tuple[float, ...]]:
    """Edges of the numbers and dates of very many columns."""
    weighted = {}
    for column in target.columns:
        if isinstance(column, MeasuredColumn):
            found = [(each, other) for each in sources if (other := each.counterpart(column.name))]
            weighted[column.name] = _weighted(column, rows, found)
    return joint_edges_of_many(weighted)


def _weighted(own: MeasuredColumn, rows: int, found: Found) -> list[tuple[tuple[float, ...], int]]:
    measured = [
        (other.edges, given.rows)
        for given, other in found
        if isinstance(other, MeasuredColumn) and other.edges
    ]
    return [(own.edges, rows), *measured]


def _joint(own: Column, rows: int, found: Found, known: tuple[float, ...] | None = None) -> Column:
    """`known`: edges that were found already."""
    match own:
        case NumberColumn() | DateColumn():
            learnt = [
                other.edges
                for given, other in found
                if isinstance(other, MeasuredColumn) and other.edges and given.is_learnt
            ]
            if known is None or learnt:
                known = learnt[0] if learnt else joint_edges(_weighted(own, rows, found))
            return own.model_copy(update={"edges": known})
        case CategoryColumn():
            joined = [*own.values]
            for _, other in found:
                if isinstance(other, CategoryColumn):
                    same = same_values(other.values, joined)
                    joined += [value for value in other.values if value not in same]
            # Made anew: a copy would keep the places of its own values that were looked up.
            return CategoryColumn(**dict(own) | {"values": tuple(joined)[:MOST_VALUES]})
        case FlagColumn():
            return own
        case _:
            assert_never(own)


@dataclass(frozen=True)
class Adoption:
    """Rule by which rows of one table become rows of the joint columns; `names`: of the joint
    columns those that it has, by the names that it has them under."""

    joint: TableInputs
    names: Names

    def is_plain(self, own: TableInputs) -> bool:
        """Tells whether rows stay as they are."""
        return [(column.name, _code_meanings(column)) for column in own.columns] == [
            (self.names.get(column.name), _code_meanings(column)) for column in self.joint.columns
        ]

    @property
    def key(self) -> str:
        """Key of what rows become: sha256, hexadecimal."""
        said = self.joint.model_dump_json() + json.dumps(sorted(self.names.items()))
        return sha256(said.encode()).hexdigest()

    def rows(self, own: TableInputs, rows: NDArray[np.floating], out: Rows) -> None:
        """Writes (n, own columns) into `out` (n, joint columns): ABSENT in columns that the table
        does not have."""
        places = {column.name: place for place, column in enumerate(own.columns)}
        for joint_place, column in enumerate(self.joint.columns):
            name = self.names.get(column.name)
            if name is None:
                out[:, joint_place] = ABSENT
                continue
            place = places[name]
            out[:, joint_place] = _recoded(own.columns[place], column, rows[:, place])


def adopted(own: TableInputs, joint: TableInputs, names: Names, rows: NDArray[np.floating]) -> Rows:
    """Rows (n, own columns) as (n, joint columns): see Adoption."""
    out = np.empty((len(rows), len(joint.columns)), np.float32)
    Adoption(joint, names).rows(own, rows, out)
    return out


def joint_codes(own: Column, joint: Column) -> Mapping[int, int]:
    """The code in the joint column of each code of a table's own; {} where values are no codes."""
    match own, joint:
        case CategoryColumn(), CategoryColumn():
            other = len(joint.values)
            same = same_values(own.values, joint.values)
            codes = [joint.places[same[v]] if v in same else other for v in own.values]
            return dict(enumerate([*codes, other]))
        case FlagColumn(), FlagColumn():
            turned = [*map(value_key, own.values)] == [*map(value_key, joint.values[::-1])]
            return {0: 1, 1: 0} if turned else {0: 0, 1: 1}
    return {}


def _code_meanings(column: Column) -> tuple[str, ...]:
    return column.values if isinstance(column, CategoryColumn | FlagColumn) else ()


def _recoded(own: Column, joint: Column, values: NDArray[np.floating]) -> NDArray[np.floating]:
    codes = joint_codes(own, joint)
    if not codes:
        return values
    table = np.array([codes[code] for code in range(len(codes))], np.float32)
    known = np.isfinite(values)
    recoded = np.array(values, np.float32)
    recoded[known] = table[recoded[known].astype(np.int64)]
    return recoded
