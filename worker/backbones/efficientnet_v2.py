"""EfficientNetV2-B0, as keras.applications has it, and its file of ImageNet's weights.

Tan & Le, ICML 2021, arXiv:2104.00298. Its preprocessing is part of the graph. Departure: its
stochastic depth is off, as everywhere in this house where a job does not ask for Dropout.
"""

from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from app.inputs.image import IMAGE
from app.spec.photo_params import EfficientnetV2B0Params
from worker.backbones.convnet import NORM_MOMENTUM
from worker.backbones.nested import layers_within

WHITE = 255.0
LAST = "predictions"  # the layer of ImageNet's classes


def build(params: EfficientnetV2B0Params, shape: tuple[int, int, int]) -> keras.Model:
    """Images (batch, *shape), float32 in 0..1 -> features (batch, 1280), float32."""
    images = x = keras.Input(shape, name=IMAGE)
    if shape[2] == 1:
        x = keras.layers.Concatenate(name="colours")([x, x, x])
    body = keras.applications.EfficientNetV2B0(
        input_tensor=keras.layers.Rescaling(WHITE, name="pixels")(x),
        include_top=False,
        weights=None,
        pooling="avg",
    )
    for layer in layers_within(body, keras.layers.BatchNormalization):
        layer.momentum = NORM_MOMENTUM
    for layer in layers_within(body, keras.layers.Dropout):
        layer.rate = 0.0
    return keras.Model({IMAGE: images}, body.output, name=params.name)


def from_keras(file: Path) -> dict[str, NDArray[np.float32]]:
    """The arrays of Keras' file of weights (.h5, as Keras 2 wrote it, with the layer of ImageNet's
    classes), by the names of worker/backbones/network.py. Nothing in such a file is executed.

    Raises ValueError where the file holds others.
    """
    model = keras.applications.EfficientNetV2B0(weights=None, classifier_activation=None)
    try:
        model.load_weights(file)
    except Exception as error:  # of h5py, whatever it stumbles over
        raise ValueError(f"no weights of EfficientNetV2-B0: {error}"[:300]) from error
    found = {}
    for variable in model.weights:
        layer, _, name = variable.path.rpartition("/")
        place = f"head/logits/{name}" if layer == LAST else f"backbone/{variable.path}"
        found[place] = variable.numpy()
    return found
