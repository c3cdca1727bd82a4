"""Dense layers with ReLU on all numbers of an item."""

from collections.abc import Mapping

import keras

from app.spec.network_params import MlpParams
from worker.backbones.input_rows import Axes, flattened


def build(params: MlpParams, shapes: Mapping[str, tuple[int, ...]]) -> keras.Model:
    """Tensors (batch, *shape), float32, by their names -> features (batch, params.hidden[-1]),
    float32."""
    inputs = {name: keras.Input(shape, name=name) for name, shape in shapes.items()}
    flat = [keras.layers.Flatten(name=f"flatten_{name}")(each) for name, each in inputs.items()]
    x = flat[0] if len(flat) == 1 else keras.layers.Concatenate(name="joined")(flat)
    for index, width in enumerate(params.hidden):
        x = keras.layers.Dense(width, activation="relu", name=f"hidden_{index}")(x)
        if params.dropout:
            x = keras.layers.Dropout(params.dropout, name=f"dropout_{index}")(x)
    return keras.Model(inputs, x, name="mlp")


def input_axes(shapes: Mapping[str, tuple[int, ...]]) -> Axes:
    """Axes that the rows of the first kernel come from."""
    return {"hidden_0/kernel": flattened(shapes)}
