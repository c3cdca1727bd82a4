"""Weakly and strongly changed rows of a table: some columns of each are another row's.

Bahri, Jiang, Tay & Metzler, "SCARF: self-supervised contrastive learning using random feature
corruption", ICLR 2022, arXiv:2106.15147, algorithm 1: x̃_ij = x_rj with the chance c, else x_ij,
r uniform over the rows: a draw from the column's marginal distribution. c = .6 in the paper, whose
views are to be told apart by nothing else; here the label has to stay true.
Departure: r is drawn from the rows of the batch. A missing value moves with its missing bit.

`seed` is (2,), int64, and decides alone. All of it compiles under XLA.
"""

from collections.abc import Mapping

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from worker.inputs.contract import X
from worker.inputs.counter_random import uniform

WEAK, STRONG = 0.1, 0.3  # shares of the columns that are redrawn

# Of each tensor (batch, places, …), which column of the table each place belongs to: (places,).
Blocks = Mapping[str, NDArray[np.int32]]


def hidden(row: tf.Tensor, misses: NDArray[np.bool_], most: float, seed: tf.Tensor) -> tf.Tensor:
    """Rows (batch, columns), NaN where a value is missing -> the same with more of them missing, in
    the columns that may lack some, `misses` (columns,): each value of a row with one chance, which
    is drawn for the row from U(0, `most`). What is ABSENT stays so."""
    shape = tf.shape(row)
    draws = uniform((shape[0], shape[1] + 1), seed)
    is_hidden = (draws[:, 1:] < most * draws[:, :1]) & misses
    return tf.where(is_hidden & ~tf.math.is_inf(row), np.float32(np.nan), row)


def weak(x: X, blocks: Blocks, seed: tf.Tensor) -> X:
    """A tenth of the columns of each row, by chance, are another row's."""
    return redrawn(x, blocks, WEAK, seed)


def strong(x: X, blocks: Blocks, seed: tf.Tensor) -> X:
    """Three tenths of the columns of each row, by chance, are another row's."""
    return redrawn(x, blocks, STRONG, seed)


def redrawn(x: X, blocks: Blocks, share: float, seed: tf.Tensor) -> X:
    """Args:
        x: tensors (batch, places, …), of equally many rows.
        share: chance of each column of each row to be redrawn, 0 to 1.

    Returns:
        Tensors of the same names, shapes and dtypes.
    """
    columns = 1 + max(int(places.max()) for places in blocks.values())
    rows = tf.shape(next(iter(x.values())))[0]
    draws = uniform((2, rows, columns), seed)
    is_redrawn = draws[0] < share  # (batch, columns)
    others = tf.cast(draws[1] * tf.cast(rows, tf.float32), tf.int32)
    own = tf.range(rows)[:, None]
    picked = tf.where(is_redrawn, tf.minimum(others, rows - 1), own)
    return {
        name: _picked(tensor, tf.gather(picked, blocks[name], axis=1)) for name, tensor in x.items()
    }


def _picked(tensor: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
    """(batch, places, …), `rows` (batch, places), int32 -> the place of that row in each."""
    places = tf.broadcast_to(tf.range(tf.shape(rows)[1])[None, :], tf.shape(rows))
    return tf.gather_nd(tensor, tf.stack([rows, places], axis=2))
