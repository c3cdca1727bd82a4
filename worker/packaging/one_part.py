"""A network of items of several parts, asked about items that are one of these alone."""

from collections.abc import Mapping

import keras
import numpy as np

from app.inputs import Inputs
from app.inputs.joined import JoinedInputs
from app.prediction.feeds import ONE


def of_one_part(raw_model: keras.Model, inputs: Inputs, name: str | None) -> keras.Model:
    """Builds a model that shares the weights of `raw_model`, which takes items of `inputs`, and
    takes the one raw tensor of the part `name`, as `inputs` (n, *shape): the other parts of its
    items are missing. Without a name it is `raw_model` itself. Raises ValueError where there is no
    such part."""
    if name is None:
        return raw_model
    part = inputs.part(name) if isinstance(inputs, JoinedInputs) else None
    if part is None or not isinstance(inputs, JoinedInputs):
        raise ValueError(f"expected a part {name}, got none")
    (spec,) = part.inputs.tensors
    takes: Mapping[str, keras.KerasTensor] = raw_model.input
    own = takes[f"{name}.{spec.name}"]
    given = keras.Input(own.shape[1:], name=ONE, dtype=own.dtype)
    flat = keras.ops.reshape(
        keras.ops.cast(keras.ops.zeros_like(given), "float32"), (-1, spec.values)
    )
    zero = keras.ops.sum(flat, axis=1)  # (n,), whatever the item is
    whole = {f"{name}.{spec.name}": given}
    for other in inputs.parts:
        fills = {f"{other.name}.{key}": value for key, value in other.nothing(1).items()}
        if other.has_flag:
            fills[other.flag] = np.array([other.name == name])
        for tensor, value in fills.items():
            if tensor not in whole:
                tall = _tall(zero + float(value.flat[0]), value.shape[1:])
                whole[tensor] = keras.ops.cast(tall, takes[tensor].dtype)
    return keras.Model(given, raw_model(whole), name="network")


def _tall(fill: keras.KerasTensor, shape: tuple[int, ...]) -> keras.KerasTensor:
    """(n,) -> (n, *shape), one number in all of an item."""
    if not shape:
        return fill
    return keras.ops.tile(keras.ops.reshape(fill, (-1, *[1] * len(shape))), (1, *shape))
