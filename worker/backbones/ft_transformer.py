"""FT-Transformer: the columns of a row attend to each other.

Gorishniy, Rubachev, Khrulkov & Babenko, "Revisiting deep learning models for tabular data", NeurIPS
2021, arXiv:2106.11959, section 3.3.

t_c = W_c x_c + b_c for each column c, and one learnt token [CLS], with which it begins
t <- t + attention(norm(t))    t <- t + W (relu(U norm(t)) * V norm(t))    in each block
f = relu(norm(t_CLS))

Departures: numbers are written between quantiles first (worker/inputs/table.py), which gives W_c
the form of their piecewise-linear embedding, and the phases of a date are a token of their own; the
first norm stays; the same dropout everywhere.
"""

from collections.abc import Mapping

import keras
import numpy as np
from numpy.typing import NDArray

from app.spec.table_params import FtTransformerParams
from worker.backbones.input_rows import CATEGORY_COLUMNS, Axes, Axis


def build(
    params: FtTransformerParams,
    shapes: Mapping[str, tuple[int, ...]],
    blocks: Mapping[str, NDArray[np.int32]],
) -> keras.Model:
    """Tensors (batch, columns, …) or (batch, places), float32, by their names -> features
    (batch, width), float32.

    Args:
        blocks: which column each place of a tensor belongs to, (places,).
    """
    inputs = {name: keras.Input(shape, name=name) for name, shape in shapes.items()}
    tokens = [
        _columns(name, each, params.width)
        if len(each.shape) == 3
        else _joined_columns(name, each, params.width, blocks[name])
        for name, each in inputs.items()
    ]
    x = keras.layers.Concatenate(axis=1, name="tokens")([_cls(tokens[0], params.width), *tokens])
    for index in range(params.blocks):
        x = _attended(x, params, index)
        x = _fed_forward(x, params, index)
    x = keras.layers.LayerNormalization(epsilon=1e-5, name="norm")(x[:, 0])
    return keras.Model(inputs, keras.layers.ReLU(name="relu")(x), name="ft_transformer")


def input_axes(shapes: Mapping[str, tuple[int, ...]]) -> Axes:
    """Axes that the tokens' kernels and offsets come from."""
    axes = dict[str, Axis]()
    for name, shape in shapes.items():
        if len(shape) == 1:  # places of columns, then their offsets
            axes[f"tokens_{name}/kernel"] = Axis(0, ((name, 1), (CATEGORY_COLUMNS, 1)))
        else:
            axes[f"tokens_{name}/kernel"] = Axis(0, ((name, 1),))
            axes[f"tokens_{name}/bias"] = Axis(0, ((name, 1),), starts_silent=False)
    return axes


def _columns(name: str, x: keras.KerasTensor, width: int) -> keras.KerasTensor:
    """(batch, columns, numbers) -> (batch, columns, width)"""
    shape = (x.shape[1], width)
    tokens = keras.layers.EinsumDense("bcn,cnd->bcd", shape, bias_axes="cd", name=f"tokens_{name}")
    return tokens(x)


def _joined_columns(
    name: str, x: keras.KerasTensor, width: int, column_of: NDArray[np.int32]
) -> keras.KerasTensor:
    """(batch, places) of columns one after the other -> (batch, columns, width)

    Each column's places stand in a row of their own, and zeros elsewhere, with a one that is the
    column's: its weights are the offset.
    """
    columns, place = np.unique(column_of, return_inverse=True)
    own = np.eye(len(columns), dtype=np.float32)
    spread = keras.ops.expand_dims(x, 1) * own[:, place]
    ones = keras.ops.ones_like(spread[:, :, :1]) * own
    joined = keras.layers.Concatenate(axis=2, name=f"spread_{name}")([spread, ones])
    return keras.layers.Dense(width, use_bias=False, name=f"tokens_{name}")(joined)


def _cls(token: keras.KerasTensor, width: int) -> keras.KerasTensor:
    one = keras.ops.ones_like(token[:, :1, :1])
    return keras.layers.Dense(width, use_bias=False, name="cls")(one)


def _attended(x: keras.KerasTensor, params: FtTransformerParams, index: int) -> keras.KerasTensor:
    normed = keras.layers.LayerNormalization(epsilon=1e-5, name=f"attention_norm_{index}")(x)
    attention = keras.layers.MultiHeadAttention(
        params.heads,
        params.width // params.heads,
        dropout=params.dropout,
        name=f"attention_{index}",
    )
    return keras.layers.Add(name=f"attended_{index}")([x, attention(normed, normed)])


def _fed_forward(
    x: keras.KerasTensor, params: FtTransformerParams, index: int
) -> keras.KerasTensor:
    normed = keras.layers.LayerNormalization(epsilon=1e-5, name=f"forward_norm_{index}")(x)
    gate = keras.layers.Dense(params.inner, activation="relu", name=f"gate_{index}")(normed)
    value = keras.layers.Dense(params.inner, name=f"value_{index}")(normed)
    inner = keras.layers.Multiply(name=f"gated_{index}")([gate, value])
    if params.dropout:
        inner = keras.layers.Dropout(params.dropout, name=f"dropout_{index}")(inner)
    back = keras.layers.Dense(params.width, name=f"back_{index}")(inner)
    return keras.layers.Add(name=f"forward_{index}")([x, back])
