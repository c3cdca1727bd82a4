"""How far apart two tables are, column by column, by samples of their training rows."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from app.inputs.columns import CategoryColumn, FlagColumn
from app.inputs.contract import Sketch
from app.inputs.joint_columns import Given, adopted, joint_inputs
from app.inputs.table import TableInputs

Values = NDArray[np.floating]
Measure = Literal["wasserstein", "total_variation"]

WIDEST = 32  # values of a category that a comparison of whole rows tells apart


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
    """Of each shared column, by the target's names.

    Args:
        names: of the shared columns, the target's -> the source's.
        samples: training rows of the target (m, its columns) and of the source (n, its columns),
            NaN where a value is missing.
    """
    joint, one, other = _as_joint(target, source, names, samples)
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
    """Both samples as numbers of one meaning and scale, by which whole rows are compared: of each
    shared column whether it is missing, and its rank among both samples, or 0 and 1 for each of
    its first 32 values.

    Returns:
        (m, d) and (n, d).
    """
    joint, one, other = _as_joint(target, source, names, samples)
    parts = []
    for place, column in enumerate(joint.columns):
        if column.name not in names:
            continue
        values = np.concatenate([one[:, place], other[:, place]])
        is_missing = np.isnan(values)
        parts.append(is_missing[:, None])
        if isinstance(column, CategoryColumn | FlagColumn):
            parts.append(values[:, None] == np.arange(min(len(column.values), WIDEST)))
        else:
            parts.append(_ranks(values, is_missing)[:, None])
    both = np.concatenate(parts, axis=1).astype(np.float32)
    return both[: len(one)], both[len(one) :]


def _ranks(values: Values, is_missing: NDArray[np.bool_]) -> Values:
    """0..1 by the order of the known values, equal ones alike; one half where none is known."""
    ranks = np.full(len(values), 0.5)
    known = values[~is_missing]
    if len(known):
        _, places, counts = np.unique(known, return_inverse=True, return_counts=True)
        ends = np.cumsum(counts)
        ranks[~is_missing] = ((ends - counts / 2) / len(known))[places]
    return ranks


def _as_joint(
    target: TableInputs, source: TableInputs, names: dict[str, str], samples: tuple[Sketch, Sketch]
) -> tuple[TableInputs, Values, Values]:
    joint = joint_inputs(target, 1, [Given(source, names)])
    own = {column.name: column.name for column in target.columns}
    return (
        joint,
        adopted(target, joint, own, samples[0]),
        adopted(source, joint, names, samples[1]),
    )
