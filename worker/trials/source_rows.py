"""Rows of source tables as an arm has them: written anew by what the target's training rows tell,
of which no label is looked at."""

from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from app.inputs.table import ROW, TableInputs
from app.spec.spec import ResolvedSpec
from app.spec.strategies import Rewriting
from worker.datasets.room import room
from worker.inputs.scaled_rows import ScaledRows
from worker.references.made_up_rows import MadeUpRows
from worker.training.data import Split
from worker.training.items import Items

BLOCK_ROWS = 65_536
MOST_SCALED_BY, MOST_PREDICTED_BY = 2**17, 20_000  # rows

Change = ScaledRows | MadeUpRows


def learnt(how: Rewriting, spec: ResolvedSpec, place: int, source: Items, target: Items) -> Change:
    """Learns a change of the rows of the source at `place`.

    Args:
        source, target: training items of each, in the network's columns.
    """
    inputs = spec.inputs
    if not isinstance(inputs, TableInputs):
        raise ValueError("expected rows of tables to write anew, got other items")
    if how == "made_up":
        names = set(spec.columns[place].target_only)
        lacking = [at for at, column in enumerate(inputs.columns) if column.name in names]
        return MadeUpRows.fit(inputs.columns, lacking, _some(target, MOST_PREDICTED_BY))
    rows = _some(source, MOST_SCALED_BY), _some(target, MOST_SCALED_BY)
    return ScaledRows.fit(inputs.columns, *rows, how)


def written(split: Split, change: Change) -> Split:
    """The split with its rows changed; many are a file without a name, which ends with them."""
    items = split.items
    rows = room((len(items), *items.specs[0].shape))
    for start in range(0, len(items), BLOCK_ROWS):
        block = slice(start, start + BLOCK_ROWS)
        rows[block] = change.applied(items.read(block.start, block.stop)[ROW])
    name = sha256(change.told.tobytes()).hexdigest()
    return replace(split, items=Items.of({ROW: rows}, f"{items.key} {name}"))


def told_of(changes: Mapping[int, Change]) -> NDArray[np.float64] | None:
    """Figures of all changes, by the source's index, (columns, 6): see app.spec.rewritten_columns.
    None: nothing is changed."""
    rows = [
        np.column_stack([np.full(len(change.told), float(index)), change.told])
        for index, change in changes.items()
    ]
    return np.concatenate(rows) if rows else None


def _some(items: Items, most: int) -> NDArray[np.float32]:
    """All rows, or so many that lie evenly among them."""
    if len(items) > most:
        items = items.select(np.linspace(0, len(items) - 1, most).astype(np.int64))
    rows: NDArray[np.float32] = items.read()[ROW]
    return rows
