"""MobileNetV2: inverted residuals with linear bottlenecks.

Sandler et al., CVPR 2018, arXiv:1801.04381. The layers are those of keras.applications, from random
weights; pixels 0..1 become its -1..1, one channel becomes three equal ones.
"""

import keras

from app.inputs.image import IMAGE
from app.spec.network_params import MobilenetParams
from worker.backbones.convnet import NORM_MOMENTUM
from worker.backbones.nested import layers_within


def build(params: MobilenetParams, shape: tuple[int, int, int]) -> keras.Model:
    """Images (batch, *shape), float32 in 0..1 -> features (batch, 1280), float32."""
    images = x = keras.Input(shape, name=IMAGE)
    if shape[2] == 1:
        x = keras.layers.Concatenate(name="colours")([x, x, x])
    body = keras.applications.MobileNetV2(
        input_tensor=keras.layers.Rescaling(2.0, offset=-1.0, name="symmetric")(x),
        alpha=params.width,
        include_top=False,
        weights=None,
        pooling="avg",
    )
    for layer in layers_within(body, keras.layers.BatchNormalization):
        layer.momentum = NORM_MOMENTUM
    return keras.Model({IMAGE: images}, body.output, name="mobilenet")
