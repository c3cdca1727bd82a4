"""3x3 convolutions with BatchNorm, ReLU and 2x2 max pooling, then one dense layer."""

import keras

from app.inputs.image import IMAGE
from app.spec.network_params import ConvnetParams

# Of the statistics that validation between epochs goes by, which are to follow weights that move
# fast: with .9 a network with a bottleneck was 34 points less accurate in inference than in
# training mode after 15 steps, with .5 four (MNIST). What stays is measured: population_norms.py.
NORM_MOMENTUM = 0.5


def build(params: ConvnetParams, shape: tuple[int, int, int]) -> keras.Model:
    """Images (batch, *shape), float32 in 0..1 -> features (batch, params.dense), float32."""
    images = x = keras.Input(shape, name=IMAGE)
    for index, filters in enumerate(params.filters):
        x = keras.layers.Conv2D(
            filters, 3, padding="same", use_bias=False, name=f"convolution_{index}"
        )(x)
        x = keras.layers.BatchNormalization(momentum=NORM_MOMENTUM, name=f"norm_{index}")(x)
        # The same as ReLU before pooling, for a quarter of the work.
        x = keras.layers.MaxPooling2D(2, name=f"pooling_{index}")(x)
        x = keras.layers.ReLU(name=f"relu_{index}")(x)
    x = keras.layers.Flatten(name="flatten")(x)
    x = keras.layers.Dense(params.dense, activation="relu", name="dense")(x)
    if params.dropout:
        x = keras.layers.Dropout(params.dropout, name="dropout")(x)
    return keras.Model({IMAGE: images}, x, name="convnet")
