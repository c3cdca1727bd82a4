"""Rows of a table -> what every backbone sees, as a graph of stock Keras layers and operations.

Numbers are written piecewise linearly between quantiles of training rows (Gorishniy, Rubachev &
Babenko, "On embeddings for numerical features in tabular deep learning", NeurIPS 2022), each part
clipped to 0..1, so that no outlier reaches a network. Categories and flags are one-hot. Whether a
value is missing is a number of its own: the weights that a network gives it are the learnt vector
of a missing value. Where training rows never missed one, nothing is learnt of it: it counts as the
middle of a number's quantiles, and as no category. Of a column that is ABSENT all numbers are 0.

Of very many columns each number is one, twice its parts' mean less 1: where it lies among the
quantiles, from -1 to 1, and 0 where it is missing or ABSENT (app/inputs/columns/wide.py).
"""

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from app.inputs.columns import (
    ABSENT,
    BINS,
    LARGEST,
    CategoryColumn,
    Column,
    ColumnContract,
    DateColumn,
    FlagColumn,
    MeasuredColumn,
    NumberColumn,
    are_ranked,
)
from app.inputs.table import ROW, TableInputs
from worker.inputs import table_views
from worker.inputs.contract import InputLayers, X

NUMBERS, PHASES, CATEGORIES = "numbers", "phases", "categories"
YEAR, WEEK = 365.2425, 7.0  # days


class TableLayers(InputLayers):
    def __init__(self, inputs: TableInputs) -> None:
        self.preprocessing = build(inputs.columns)
        self.blocks = blocks_of(inputs.columns)
        self.misses = np.array([column.misses for column in inputs.columns], np.bool_)

    def hidden(self, raw: X, most: float, seed: tf.Tensor) -> X:
        return {ROW: table_views.hidden(raw[ROW], self.misses, most, seed)}

    def weak(self, x: X, seed: tf.Tensor) -> X:
        return table_views.weak(x, self.blocks, seed)

    def strong(self, x: X, seed: tf.Tensor) -> X:
        return table_views.strong(x, self.blocks, seed)


def blocks_of(columns: tuple[Column, ...]) -> table_views.Blocks:
    """Column that each place along the second axis of each tensor of `build` belongs to."""
    measured, dates, named = _kinds(columns)
    places = [place for place in named for _ in range(columns[place].width)]
    by_tensor = {NUMBERS: measured, PHASES: dates, CATEGORIES: places}
    return {name: np.array(found, np.int32) for name, found in by_tensor.items() if found}


def build(columns: tuple[Column, ...]) -> keras.Model:
    """Rows (batch, columns), float32, NaN where a value is missing -> those of these that there
    are columns for, all float32 in -1..1:

    `numbers` (batch, numbers and dates, BINS + 1): parts between quantiles, and a missing bit; of
    very many (batch, numbers and dates, 2): a place among the quantiles, and a missing bit;
    `phases` (batch, dates, 4): sine and cosine of the year's and of the week's phase, 0 if missing;
    `categories` (batch, places): one-hot, each column's `other` and missing places last.
    """
    row = keras.Input((len(columns),), name=ROW)
    measured, dates, named = _kinds(columns)
    seen = {}
    if measured:
        written = _ranks if are_ranked(columns) else _parts
        seen[NUMBERS] = written(_taken(row, measured), [columns[place] for place in measured])
    if dates:
        seen[PHASES] = _phases(_taken(row, dates))
    if named:
        seen[CATEGORIES] = _one_hot(_taken(row, named), [columns[place] for place in named])
    return keras.Model({ROW: row}, seen, name="preprocessing")


def _kinds(columns: tuple[Column, ...]) -> tuple[list[int], list[int], list[int]]:
    """Places of what is measured, of the dates among it, and of what is named."""
    return (
        _places(columns, NumberColumn, DateColumn),
        _places(columns, DateColumn),
        _places(columns, CategoryColumn, FlagColumn),
    )


def _places(columns: tuple[Column, ...], *kinds: type[ColumnContract]) -> list[int]:
    return [place for place, column in enumerate(columns) if isinstance(column, kinds)]


def _taken(row: keras.KerasTensor, places: list[int]) -> keras.KerasTensor:
    return keras.ops.take(row, np.array(places, np.int32), axis=1)


def _parts(x: keras.KerasTensor, columns: list[Column]) -> keras.KerasTensor:
    """e_t = clip((x - b_t) / (b_t+1 - b_t), 0, 1) for each two neighbouring edges b_t, b_t+1."""
    low, scale, counts = _bins(columns)
    unlearnt = np.zeros_like(low)  # parts of a missing value where no missing bit was learnt
    for place, (column, count) in enumerate(zip(columns, counts, strict=True)):
        if not column.misses:
            unlearnt[place, :count] = np.clip(count / 2 - np.arange(count), 0, 1)
    bits = np.array([[column.misses] for column in columns], np.float32)
    x = keras.ops.expand_dims(x, 2)
    known, bit, has_none = _known(x)
    parts = keras.ops.clip((known - low) * scale, 0.0, 1.0)
    return keras.layers.Concatenate(2)([parts * (1.0 - has_none) + bit * unlearnt, bit * bits])


def _ranks(x: keras.KerasTensor, columns: list[Column]) -> keras.KerasTensor:
    """2 (e_1 + … + e_n) / n - 1 of the n parts that a column has: (batch, columns) ->
    (batch, columns, 2). One part after the other: all of them at once would be most of what a step
    holds."""
    low, scale, counts = _bins(columns)
    known, bit, has_none = _known(x)
    total = 0.0
    for part in range(int(counts.max())):
        total += keras.ops.clip((known - low[:, part]) * scale[:, part], 0.0, 1.0)
    ranks = total * (2 / np.maximum(counts, 1)).astype(np.float32) - np.float32(counts > 0)
    bits = np.array([column.misses for column in columns], np.float32)
    both = [keras.ops.expand_dims(each, 2) for each in (ranks * (1.0 - has_none), bit * bits)]
    return keras.layers.Concatenate(2)(both)


def _bins(
    columns: list[Column],
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.intp]]:
    """Lower edges of the parts and their inverse widths, (columns, BINS), 0 for parts that a column
    with fewer edges does not have; and how many parts each has, (columns,)."""
    low = np.zeros((len(columns), BINS), np.float32)
    scale = np.zeros_like(low)
    counts = np.zeros(len(columns), np.intp)
    for place, column in enumerate(columns):
        assert isinstance(column, MeasuredColumn)
        edges = np.array(column.edges, np.float32)
        count = counts[place] = max(0, len(edges) - 1)
        low[place, :count] = edges[:-1]
        scale[place, :count] = 1 / np.diff(edges)
    return low, scale, counts


def _known(x: keras.KerasTensor) -> tuple[keras.KerasTensor, ...]:
    """`x` where it is known, else something finite; 1 where it is missing; 1 where it is missing
    or absent."""
    is_missing = keras.ops.isnan(x)
    known = keras.ops.minimum(keras.ops.where(is_missing, 0.0, x), LARGEST)
    bit, absent = (
        keras.ops.cast(each, "float32") for each in (is_missing, keras.ops.equal(x, ABSENT))
    )
    return known, bit, bit + absent


def _phases(days: keras.KerasTensor) -> keras.KerasTensor:
    days = keras.ops.expand_dims(days, 2)
    known, _, has_none = _known(days)
    turns = known * np.array([1 / YEAR, 1 / WEEK], np.float32)
    angles = (turns - keras.ops.floor(turns)) * np.float32(2 * np.pi)
    both = keras.layers.Concatenate(2)([keras.ops.sin(angles), keras.ops.cos(angles)])
    return both * (1.0 - has_none)


MISSING_PLACE = -1.0


def _one_hot(codes: keras.KerasTensor, columns: list[Column]) -> keras.KerasTensor:
    """Places (batch, columns), NaN where missing -> (batch, sum of the columns' widths)."""
    column_of = [number for number, column in enumerate(columns) for _ in range(column.width)]
    wanted = [number for column in columns for number in (*range(column.width - 1), MISSING_PLACE)]
    live = np.concatenate([_learnt(column) for column in columns])
    known = keras.ops.where(keras.ops.isnan(codes), MISSING_PLACE, codes)
    spread = keras.ops.take(known, np.array(column_of, np.int32), axis=1)
    hot = keras.ops.equal(spread, np.array(wanted, np.float32))
    return keras.ops.cast(hot, "float32") * live


def _learnt(column: Column) -> NDArray[np.float32]:
    """1 for each place that training rows have, 0 for `other` and missing where none is."""
    learnt = np.ones(column.width, np.float32)
    learnt[-1] = column.misses
    if isinstance(column, CategoryColumn):
        learnt[-2] = column.others
    return learnt
