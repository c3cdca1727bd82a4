"""Dense layers with ReLU on the flattened image."""

import keras

from app.spec.backbones import MlpParams


def build(params: MlpParams, shape: tuple[int, int, int]) -> keras.Model:
    """Images (batch, *shape), float32 in 0..1 -> features (batch, params.hidden[-1]), float32."""
    images = keras.Input(shape, name="images")
    x = keras.layers.Flatten(name="flatten")(images)
    for index, width in enumerate(params.hidden):
        x = keras.layers.Dense(width, activation="relu", name=f"hidden_{index}")(x)
        if params.dropout:
            x = keras.layers.Dropout(params.dropout, name=f"dropout_{index}")(x)
    return keras.Model(images, x, name="mlp")
