"""Columns that may be the same though their names differ: what a user is asked about, no more."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

import numpy as np

from app.inputs.column_distance import Values, quantile_distance
from app.inputs.columns import CategoryColumn, Column, MeasuredColumn
from app.inputs.contract import Sketch
from app.inputs.matching import name_key, obstacle
from app.inputs.table import TableInputs

ALIKE = 0.75  # of two names' letters, 1 for equal ones
BEGINS = 0.9  # likeness of a name and one that begins with it
LEAST_LETTERS = 3  # of a name that begins another
LEAST_VALUES = 3  # of a category that is known by its values: two are found anywhere
SAME_VALUES = 0.8  # of all values of both, so many stand in each
CLOSE = 0.05  # distance in quantile units of samples that may be of one quantity
TELLING = 16  # different values, without which a distribution tells little
DISJOINT = 0.99  # from here two samples have next to nothing in common
MOST_PAIRS = 4000  # that are looked at


@dataclass(frozen=True)
class Similar:
    name: str
    source_name: str
    reason: str
    likeness: float  # 0..1, to rank by


@dataclass(frozen=True)
class _Side:
    column: Column
    values: Values  # (m,), those that are known


def similar_columns(
    target: TableInputs,
    source: TableInputs,
    left: tuple[Sequence[str], Sequence[str]],
    samples: tuple[Sketch | None, Sketch | None] = (None, None),
) -> list[Similar]:
    """Pairs of one kind, each column in one of them at most, the likest first: those whose names
    are alike, unless their distributions do not overlap, those of the same categories, and numbers
    that are distributed alike.

    Args:
        left: columns without a counterpart, of the target and of the source. Of too many pairs
            none is looked at.
        samples: training rows of both; without them names and values alone are looked at.
    """
    own, theirs = (
        _sides(inputs, names, sample)
        for inputs, names, sample in zip((target, source), left, samples, strict=True)
    )
    if len(own) * len(theirs) > MOST_PAIRS:
        return []
    pairs = [pair for one in own for other in theirs if (pair := _pair(one, other))]
    taken, kept = set[tuple[str, str]](), []
    for pair in sorted(pairs, key=lambda pair: (-pair.likeness, pair.name, pair.source_name)):
        sides = {("target", pair.name), ("source", pair.source_name)}
        if not taken & sides:
            taken |= sides
            kept.append(pair)
    return kept


def _sides(inputs: TableInputs, names: Sequence[str], sample: Sketch | None) -> list[_Side]:
    left, found = set(names), []
    for place, column in enumerate(inputs.columns):
        if column.name in left:
            values = np.empty(0) if sample is None else sample[:, place]
            found.append(_Side(column, values[~np.isnan(values)]))
    return found


def _pair(one: _Side, other: _Side) -> Similar | None:
    own, its = one.column, other.column
    if obstacle(own, its) is not None:
        return None
    names, apart = name_likeness(own.name, its.name), _apart(one, other)
    found = list[tuple[float, str]]()
    if names >= ALIKE and (apart is None or apart < DISJOINT):
        found.append((names, "their names are alike"))
    if _same_values(own, its):
        found.append((SAME_VALUES, "they have the same values"))
    if apart is not None and apart <= CLOSE:
        found.append(((1 - apart) / 2, "their values are distributed alike"))
    if not found:
        return None
    return Similar(own.name, its.name, " and ".join(why for _, why in found), max(found)[0])


def name_likeness(one: str, other: str) -> float:
    """0..1: the share of letters that stand in both in one order (Ratcliff & Metzener, 1988); 0.9
    where one name begins with the other, 0 where nothing is left of one, or their digits differ."""
    keys = name_key(one), name_key(other)
    if re.findall(r"\d+", keys[0]) != re.findall(r"\d+", keys[1]):
        return 0.0
    short, long = sorted(keys, key=len)
    if len(short) >= LEAST_LETTERS and long.startswith(short):
        return BEGINS
    return SequenceMatcher(None, *keys, autojunk=False).ratio() if short else 0.0


def _same_values(own: Column, its: Column) -> bool:
    if not isinstance(own, CategoryColumn) or not isinstance(its, CategoryColumn):
        return False
    values, others = ({value.strip().casefold() for value in each.values} for each in (own, its))
    shared = len(values & others) / max(1, len(values | others))
    return shared >= SAME_VALUES and min(len(values), len(others)) >= LEAST_VALUES


def _apart(one: _Side, other: _Side) -> float | None:
    """Distance of numbers and dates that have enough different values; None of others."""
    if not isinstance(one.column, MeasuredColumn):
        return None
    if min(len(np.unique(side.values)) for side in (one, other)) < TELLING:
        return None
    return quantile_distance(one.values, other.values)
