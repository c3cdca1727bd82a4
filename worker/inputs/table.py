"""Rows of a table -> what every backbone sees, as a graph of stock Keras layers and operations.

Numbers are written piecewise linearly between quantiles of training rows (Gorishniy, Rubachev &
Babenko, "On embeddings for numerical features in tabular deep learning", NeurIPS 2022), each part
clipped to 0..1, so that no outlier reaches a network. Categories and flags are one-hot. Whether a
value is missing is a number of its own. Of a column that is ABSENT all numbers are 0.
"""

import keras
import numpy as np
import tensorflow as tf

from app.inputs.columns import (
    ABSENT,
    BINS,
    CategoryColumn,
    Column,
    ColumnContract,
    DateColumn,
    FlagColumn,
    NumberColumn,
)
from app.inputs.table import ROW, TableInputs
from worker.inputs.contract import InputLayers, X

NUMBERS, PHASES, CATEGORIES = "numbers", "phases", "categories"
TURN, YEAR, WEEK = 2 * np.pi, 365.2425, 7.0  # days


class TableLayers(InputLayers):
    def __init__(self, inputs: TableInputs) -> None:
        self.preprocessing = build(inputs.columns)

    def weak(self, x: X, seed: tf.Tensor) -> X:
        return x

    def strong(self, x: X, seed: tf.Tensor) -> X:
        return x


def build(columns: tuple[Column, ...]) -> keras.Model:
    """Rows (batch, columns), float32, NaN where a value is missing -> those of these that there
    are columns for, all float32 in -1..1:

    `numbers` (batch, numbers and dates, BINS + 1): parts between quantiles, and a missing bit;
    `phases` (batch, dates, 4): sine and cosine of the year's and of the week's phase, 0 if missing;
    `categories` (batch, places): one-hot, each column's `other` and missing places last.
    """
    row = keras.Input((len(columns),), name=ROW)
    seen = {}
    if measured := _places(columns, NumberColumn, DateColumn):
        seen[NUMBERS] = _parts(_taken(row, measured), [columns[place] for place in measured])
    if dates := _places(columns, DateColumn):
        seen[PHASES] = _phases(_taken(row, dates))
    if named := _places(columns, CategoryColumn, FlagColumn):
        hot = [_one_hot(_taken(row, [place]), columns[place].width) for place in named]
        seen[CATEGORIES] = hot[0] if len(hot) == 1 else keras.layers.Concatenate(1)(hot)
    return keras.Model({ROW: row}, seen, name="preprocessing")


def _places(columns: tuple[Column, ...], *kinds: type[ColumnContract]) -> list[int]:
    return [place for place, column in enumerate(columns) if isinstance(column, kinds)]


def _taken(row: keras.KerasTensor, places: list[int]) -> keras.KerasTensor:
    return keras.ops.take(row, np.array(places, np.int32), axis=1)


def _parts(x: keras.KerasTensor, columns: list[Column]) -> keras.KerasTensor:
    """e_t = clip((x - b_t) / (b_t+1 - b_t), 0, 1) for each two neighbouring edges b_t, b_t+1."""
    low = np.zeros((len(columns), BINS), np.float32)
    scale = np.zeros_like(low)  # 0: a part that a column with fewer edges does not have
    for place, column in enumerate(columns):
        edges = np.array(column.edges, np.float32)  # type: ignore[union-attr]  # measured ones
        low[place, : len(edges) - 1] = edges[:-1]
        scale[place, : len(edges) - 1] = 1 / np.diff(edges)
    x = keras.ops.expand_dims(x, 2)
    is_known = x < np.float32(ABSENT)  # neither missing nor absent
    parts = keras.ops.clip((keras.ops.where(is_known, x, 0.0) - low) * scale, 0.0, 1.0)
    missing_bit = keras.ops.cast(keras.ops.isnan(x), "float32")
    return keras.layers.Concatenate(2)(
        [parts * keras.ops.cast(is_known, "float32"), missing_bit]
    )


def _phases(days: keras.KerasTensor) -> keras.KerasTensor:
    days = keras.ops.expand_dims(days, 2)
    is_known = days < np.float32(ABSENT)
    turns = keras.ops.where(is_known, days, 0.0) * np.array([TURN / YEAR, TURN / WEEK], np.float32)
    both = keras.layers.Concatenate(2)([keras.ops.sin(turns), keras.ops.cos(turns)])
    return both * keras.ops.cast(is_known, "float32")


def _one_hot(code: keras.KerasTensor, width: int) -> keras.KerasTensor:
    """(batch, 1), NaN where missing -> (batch, width), whose last place means missing."""
    is_missing = keras.ops.isnan(code)
    place = keras.ops.where(is_missing, float(width - 1), code)
    return keras.ops.cast(keras.ops.equal(place, np.arange(width, dtype=np.float32)), "float32")
