"""Distance of two tables, column by column, by samples of their training rows."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from app.inputs.columns import CategoryColumn, FlagColumn, MeasuredColumn
from app.inputs.contract import Sketch
from app.inputs.joint_columns import SourceColumns, adopted, joint_inputs
from app.inputs.table import TableInputs

Values = NDArray[np.floating]
Measure = Literal["wasserstein", "total_variation"]


@dataclass(frozen=True)
class ColumnDistance:
    """`distance`: None where one of the two has no value. `missing`: shares of the target's and of
    the source's rows."""

    measure: Measure
    distance: float | None
    missing: tuple[float, float]


def column_distances(
    target: TableInputs, source: TableInputs, names: dict[str, str], samples: tuple[Sketch, Sketch]
) -> dict[str, ColumnDistance]:
    """Distances of each shared column, by the target's names.

    Args:
        names: of the shared columns, the target's -> the source's.
        samples: training rows of the target (m, its columns) and of the source (n, its columns),
            NaN where a value is missing.
    """
    joint, one, other = _as_joint(_without_edges(target), _without_edges(source), names, samples)
    found = {}
    for place, column in enumerate(joint.columns):
        if column.name not in names:
            continue
        values = one[:, place], other[:, place]
        known = [each[~np.isnan(each)] for each in values]
        is_named = isinstance(column, CategoryColumn | FlagColumn)
        apart = total_variation if is_named else quantile_distance
        found[column.name] = ColumnDistance(
            "total_variation" if is_named else "wasserstein",
            apart(known[0], known[1]) if all(map(len, known)) else None,
            (float(np.isnan(values[0]).mean()), float(np.isnan(values[1]).mean())),
        )
    return found


def _without_edges(inputs: TableInputs) -> TableInputs:
    """Columns by which values are what they are, at next to no cost."""
    columns = tuple(
        column.model_copy(update={"edges": ()}) if isinstance(column, MeasuredColumn) else column
        for column in inputs.columns
    )
    return inputs.model_copy(update={"columns": columns})


def quantile_distance(one: Values, other: Values) -> float:
    """The 1-Wasserstein distance of two samples whose values are written as their mid-ranks in
    both together, each sample weighing one half, times 2: 0 for equal ones, 1 for samples that do
    not overlap; whatever rises with the values changes nothing.

    Args:
        one, other: (m,) and (n,), finite, neither empty.
    """
    points, places = np.unique(np.concatenate([one, other]), return_inverse=True)
    shares = [
        np.bincount(part, minlength=len(points)) / len(part)
        for part in (places[: len(one)], places[len(one) :])
    ]
    both = (shares[0] + shares[1]) / 2
    ranks = np.cumsum(both) - both / 2
    gaps = np.abs(np.cumsum(shares[0] - shares[1]))[:-1]
    return float(2 * (gaps * np.diff(ranks)).sum())


def total_variation(one: Values, other: Values) -> float:
    """Half the sum of |p - q| over the values of two samples, (m,) and (n,), neither empty: 0 for
    equal shares, 1 where no value stands in both."""
    points, places = np.unique(np.concatenate([one, other]), return_inverse=True)
    p = np.bincount(places[: len(one)], minlength=len(points)) / len(one)
    q = np.bincount(places[len(one) :], minlength=len(points)) / len(other)
    return float(np.abs(p - q).sum() / 2)


def comparable(
    target: TableInputs, source: TableInputs, names: dict[str, str], samples: tuple[Sketch, Sketch]
) -> tuple[Sketch, Sketch]:
    """Both samples by the shared columns, as the joint columns sketch them: numbers in 0..1 of one
    meaning, by which whole rows are compared.

    Returns:
        (m, d) and (n, d).
    """
    joint, one, other = _as_joint(target, source, names, samples)
    both = np.concatenate([one, other])
    shared = [
        column.sketch(both[:, place])
        for place, column in enumerate(joint.columns)
        if column.name in names
    ]
    sketches = np.concatenate(shared, axis=1)
    return sketches[: len(one)], sketches[len(one) :]


def _as_joint(
    target: TableInputs, source: TableInputs, names: dict[str, str], samples: tuple[Sketch, Sketch]
) -> tuple[TableInputs, Values, Values]:
    joint = joint_inputs(target, 1, [SourceColumns(source, names)])
    own = {column.name: column.name for column in target.columns}
    return (
        joint,
        adopted(target, joint, own, samples[0]),
        adopted(source, joint, names, samples[1]),
    )
