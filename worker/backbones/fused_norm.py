"""BatchNorm of images by TensorFlow's fused kernel, for CPUs outside XLA.

Keras writes it as a dozen operations there, which take longer than the convolution before them
(5.2 against 1.3 ms for 64x28x28x32, both ways). Same weights and results, up to rounding.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import keras
import tensorflow as tf

from worker.backbones.nested import layers_within

Call = Callable[..., tf.Tensor]


@contextmanager
def fused_norms(model: keras.Model) -> Iterator[None]:
    """Calls of `model` inside train its BatchNorm layers that way."""
    replaced = []
    for layer in layers_within(model, keras.layers.BatchNormalization):
        if layer.axis in {-1, 3}:
            layer.call = partial(_normalise, layer, layer.call)
            replaced.append(layer)
    try:
        yield
    finally:
        for layer in replaced:
            del layer.call


def _normalise(
    layer: keras.layers.BatchNormalization,
    stock: Call,
    x: tf.Tensor,
    training: bool | None = None,
    mask: Any = None,
) -> tf.Tensor:
    if not (training and layer.trainable) or x.shape.rank != 4 or mask is not None:
        return stock(x, training=training, mask=mask)
    scale = layer.gamma if layer.scale else tf.ones(x.shape[-1])
    offset = layer.beta if layer.center else tf.zeros(x.shape[-1])
    y, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
        x=x,
        scale=tf.convert_to_tensor(scale),
        offset=tf.convert_to_tensor(offset),
        mean=[],
        variance=[],
        epsilon=layer.epsilon,
        is_training=True,
    )
    count = tf.cast(tf.size(x) / x.shape[-1], tf.float32)
    biased = variance * (count - 1) / count  # as Keras has it
    for moving, now in ((layer.moving_mean, mean), (layer.moving_variance, biased)):
        moving.assign(moving * layer.momentum + now * (1 - layer.momentum))
    return y
