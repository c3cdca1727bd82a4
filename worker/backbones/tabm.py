"""TabM: an MLP that is many, for rows of tables.

Gorishniy, Kotelnikov & Babenko, "TabM: advancing tabular deep learning with parameter-efficient
ensembling", ICLR 2025, arXiv:2410.24210, section 3 (TabM-mini).

h_j = MLP(s_j * x)    f_j = a_j * h_j + b_j    j = 1 … members

The MLP is shared. s_j are random signs to begin with, one for all parts of a number, a_j = 1 and
b_j = 0; all are trained. Each member has a loss of its own (worker/strategies/supervised.py).
Departures: members share a linear head, each behind an affine of its own, so that a network has one
feature vector f = mean_j f_j, which strategies adapt; logits are averaged, not probabilities
(docs/decisions/tabm.md).
"""

from collections.abc import Mapping

import keras

from app.spec.table_params import TabmParams
from worker.backbones.initialisation import SIGNS
from worker.backbones.input_rows import Axes, Axis, flattened


def build(params: TabmParams, shapes: Mapping[str, tuple[int, ...]]) -> keras.Model:
    """Tensors (batch, *shape), float32, by their names -> features (batch, members, hidden[-1]),
    float32."""
    inputs = {name: keras.Input(shape, name=name) for name, shape in shapes.items()}
    many = [_of_members(name, each, params.members) for name, each in inputs.items()]
    x = many[0] if len(many) == 1 else keras.layers.Concatenate(axis=2, name="joined")(many)
    for index, width in enumerate(params.hidden):
        x = keras.layers.Dense(width, activation="relu", name=f"hidden_{index}")(x)
        if params.dropout:
            x = keras.layers.Dropout(params.dropout, name=f"dropout_{index}")(x)
    x = keras.layers.EinsumDense(
        "bmf,mf->bmf", x.shape[1:], bias_axes="mf", kernel_initializer="ones", name="scales"
    )(x)
    return keras.Model(inputs, x, name="tabm")


def input_axes(shapes: Mapping[str, tuple[int, ...]]) -> Axes:
    """Axes that the rows of the first kernel and the members' signs come from."""
    signs = {
        f"{SIGNS}_{name}/kernel": Axis(1, ((name, 1),), starts_silent=False) for name in shapes
    }
    return {"hidden_0/kernel": flattened(shapes), **signs}


def _of_members(name: str, x: keras.KerasTensor, members: int) -> keras.KerasTensor:
    """(batch, *shape) -> (batch, members, numbers)"""
    axes = "xyz"[: len(x.shape) - 1]
    signs = keras.layers.EinsumDense(
        f"b{axes},m{axes}->bm{axes}", (members, *x.shape[1:]), name=f"{SIGNS}_{name}"
    )
    return keras.layers.Reshape((members, -1), name=f"flatten_{name}")(signs(x))
