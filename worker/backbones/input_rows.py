"""Rows of a backbone's first kernels, by the columns of a table that they belong to.

By them weights that were learnt on one table's columns go into a network for another's, and rows
that no training row speaks to are silent instead of noise.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.inputs.columns import CategoryColumn, DateColumn, FlagColumn, MeasuredColumn
from app.inputs.joint_columns import joint_codes
from app.inputs.matching import Names
from app.inputs.table import TableInputs
from worker.inputs.table import CATEGORIES, NUMBERS, PHASES

MISSING = -1  # in place of a code
CATEGORY_COLUMNS = "category_columns"  # in place of a tensor: one place for each


class Axis(NamedTuple):
    """An axis of a kernel along which the first axes of tensors that a backbone sees stand one
    after the other; each of their places takes `times` rows."""

    axis: int
    tensors: tuple[tuple[str, int], ...]  # name, times
    starts_silent: bool = True  # whether rows that have learnt nothing are 0, or as they were drawn


Axes = Mapping[str, Axis]  # by the paths of a backbone's variables
Key = tuple[str, int]  # the joint column's name, and a code of it where it has some
Keys = Mapping[str, Sequence[Key | None]]  # by tensors; None: no joint column
Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True)
class Learnt:
    """The columns by which a stored backbone has learnt. `names`: of the job's columns, those that
    it has, by its own names for them."""

    inputs: TableInputs
    names: Names


def silenced(
    kernel: NDArray[np.float32], axis: Axis, seen: Mapping[str, NDArray[np.bool_]]
) -> NDArray[np.float32]:
    """The kernel with 0 in rows of what is never seen.

    Args:
        seen: by tensors, whether any item has another number than 0 at each place (*shape).
    """
    shown = [_spread(seen[name], times) for name, times in axis.tensors if name in seen]
    rows = np.ones(kernel.shape[axis.axis], np.float32)  # 1 for offsets too, which stand last
    of_tensors = np.concatenate(shown)
    rows[: len(of_tensors)] = of_tensors
    shape = [1] * kernel.ndim
    shape[axis.axis] = len(rows)
    return kernel * rows.reshape(shape)


def _spread(seen: NDArray[np.bool_], times: int) -> NDArray[np.bool_]:
    """Spreads each row over a tensor's places: of one number each, or of all numbers of a place."""
    if seen.size == len(seen) * times:
        return seen.reshape(-1)
    return np.repeat(seen.reshape(len(seen), -1).any(axis=1), times)


def flattened(shapes: Shapes) -> Axis:
    """The first axis of a dense layer's kernel on all tensors flattened and joined."""
    return Axis(0, tuple((name, int(np.prod(shape[1:]))) for name, shape in shapes.items()))


def keys_of(inputs: TableInputs, joint: TableInputs, names: Names) -> Keys:
    """Keys of what stands at each place of the first axis of the tensors that are seen of `inputs`
    (worker/inputs/table.py), in terms of the job's columns."""
    joint_names = {own: name for name, own in names.items()}
    of_joint = {column.name: column for column in joint.columns}
    keys: dict[str, list[Key | None]] = {
        name: [] for name in (NUMBERS, PHASES, CATEGORIES, CATEGORY_COLUMNS)
    }
    for column in inputs.columns:
        name = joint_names.get(column.name)
        key = None if name is None else (name, 0)
        if isinstance(column, MeasuredColumn):
            keys[NUMBERS].append(key)
        if isinstance(column, DateColumn):
            keys[PHASES].append(key)
        if isinstance(column, CategoryColumn | FlagColumn):
            keys[CATEGORY_COLUMNS].append(key)
            if name is None:
                keys[CATEGORIES] += [None] * column.width
                continue
            codes = joint_codes(column, of_joint[name])
            keys[CATEGORIES] += [(name, codes[code]) for code in range(column.width - 1)]
            keys[CATEGORIES].append((name, MISSING))
    return keys


def carried(
    stored: NDArray[np.float32] | None,
    own: tuple[Axis, Keys],
    theirs: tuple[Axis, Keys],
    drawn: NDArray[np.float32],
) -> NDArray[np.float32]:
    """A kernel whose rows are those of `stored` for the same columns and values, and for all others
    0, so that what is new says nothing before it has learnt, or as they were `drawn`.

    Raises ValueError where `stored` has not as many rows as its columns take.
    """
    rows, places = _rows(*theirs), _rows(*own)
    axis = own[0].axis
    if stored is None:  # of a tensor that is not seen of the source's columns
        stored = drawn.take([], axis=axis)
    if stored.shape[axis] != len(rows) or drawn.shape[axis] != len(places):
        raise ValueError("expected a row for each number that is seen of the columns")
    # A later one of equals wins: of values beyond the 256 that have a place, `other` itself.
    source = {key: row for row, key in enumerate(rows) if key is not None}
    found = [(row, source[key]) for row, key in enumerate(places) if key in source]
    kernel = np.moveaxis(drawn, axis, 0) * np.float32(not own[0].starts_silent)
    for row, from_ in found:
        kernel[row] = np.moveaxis(stored, axis, 0)[from_]
    return np.moveaxis(kernel, 0, axis)


def _rows(axis: Axis, keys: Keys) -> list[tuple[str, Key, int] | None]:
    return [
        None if key is None else (tensor, key, part)
        for tensor, times in axis.tensors
        for key in keys[tensor]
        for part in range(times)
    ]
