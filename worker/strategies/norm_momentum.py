"""How much of BatchNorm's moving statistics stays when a batch is seen in training."""

from collections.abc import Iterator
from contextlib import contextmanager

import keras
import tensorflow as tf

from worker.backbones.network import Network


@contextmanager
def norm_momentum(network: Network, momentum: tf.Tensor | float) -> Iterator[None]:
    """Calls of the backbone inside make of each moving statistic m and the batch's b
    momentum m + (1 - momentum) b. `momentum`: scalar, 0..1.
    """
    norms = [
        layer
        for layer in network.backbone.layers
        if isinstance(layer, keras.layers.BatchNormalization)
    ]
    before = [layer.momentum for layer in norms]
    for layer in norms:
        layer.momentum = momentum
    try:
        yield
    finally:
        for layer, own in zip(norms, before, strict=True):
            layer.momentum = own
