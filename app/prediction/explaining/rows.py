"""Rows of a table with another value, or none, in a column."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.inputs.columns import MISSING, Column
from app.inputs.table import ROW, TableInputs
from app.prediction.explaining.contract import Changes
from app.prediction.explaining.schemas import ColumnContribution, TableContributions
from app.prediction.feeds import Part

MOST_VALUES = 8  # of training rows, that a value is compared with


class Instead(NamedTuple):
    """Some columns, by their places, and what they have in the rows that are asked about: (rows,
    columns)."""

    places: NDArray[np.intp]
    values: NDArray[np.float32]


class OccludedRow:
    """Each known value by itself; of more than `most`, neighbours together. It becomes missing
    where training rows lacked some too, since the model has learnt what that means; elsewhere what
    training rows have, a few values one after the other."""

    def __init__(self, inputs: TableInputs, row: NDArray[Any], most: int) -> None:
        self._inputs, self._row = inputs, row
        known = np.flatnonzero(~np.isnan(row))
        self._groups = [*self._instead(known, most)] if len(known) else []
        self._rows = [(own, row) for own in self._groups for row in own.values]

    def _instead(self, known: NDArray[np.intp], most: int) -> Iterator[Instead]:
        each = max(1, min(MOST_VALUES, most // len(known)))
        for places in np.array_split(known, min(most, len(known))):
            columns = [self._inputs.columns[place] for place in places]
            values = [instead_of(column, each) for column in columns]
            yield Instead(places, np.array(values, np.float32).T)

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def leaves_nothing(self) -> bool:
        """Tells whether all becomes missing with the first part that goes."""
        return len(self._groups) == 1 and bool(np.isnan(self._groups[0].values).all())

    def rows(self, which: range) -> Part:
        shown = np.repeat(self._row[None], len(which), axis=0)
        for row, place in zip(shown, which, strict=True):
            group, values = self._rows[place]
            row[group.places] = values
        return shown

    def told(self, changes: Changes) -> TableContributions:
        values = self._shown(self._row)
        columns = self._inputs.columns
        told, at = [], 0
        for group in self._groups:
            own = [*changes[at : at + len(group.values)]]
            at += len(own)
            names = [columns[place].name for place in group.places]
            instead = [self._shown(self._with(group, row)) for row in group.values]
            told.append(
                ColumnContribution(
                    columns=names,
                    values=[values[name] for name in names],
                    instead=[[row[name] for name in names] for row in instead],
                    contribution=_mean(own),
                )
            )
        missing = [columns[place].name for place in np.flatnonzero(np.isnan(self._row))]
        return TableContributions(columns=told, missing=missing)

    def _with(self, group: Instead, values: NDArray[np.float32]) -> NDArray[np.float32]:
        row = self._row.copy()
        row[group.places] = values
        return row

    def _shown(self, row: NDArray[np.float32]) -> dict[str, Any]:
        (shown,) = self._inputs.preview({ROW: row[None]})
        return shown


def instead_of(column: Column, most: int) -> tuple[float, ...]:
    """Chooses what stands in a column in place of its value: nothing, or at most so many values."""
    typical = () if column.misses else column.typical(most)
    return typical or (MISSING,)


def _mean(changes: list[float | None]) -> float | None:
    known = [change for change in changes if change is not None]
    return sum(known) / len(known) if len(known) == len(changes) else None
