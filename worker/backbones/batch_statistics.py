"""A network whose BatchNorm normalises a batch by its own statistics, without Dropout."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import keras
import tensorflow as tf

from worker.backbones.fused_norm import fused_norms
from worker.backbones.nested import layers_within
from worker.backbones.network import Network
from worker.backbones.norm_momentum import norm_momentum
from worker.inputs.contract import X
from worker.machine.device import this_device


def by_batch(network: Network) -> Any:
    """Compiles (raw rows, share of the moving statistics that stays) -> outputs, normalised by the
    batch's own statistics, without Dropout."""
    layers = nullcontext if this_device().is_gpu else fused_norms

    def outputs(raw: X, share: tf.Tensor) -> tf.Tensor:
        x = network.inputs.seen(raw)
        with norm_momentum(network, share), layers(network.backbone), _without_dropout(network):
            features = network.features(x, training=True)
        return network.head(features)

    signature = [network.inputs.raw, tf.TensorSpec((), tf.float32)]
    return tf.function(outputs, input_signature=signature, autograph=False)


@contextmanager
def _without_dropout(network: Network) -> Iterator[None]:
    within = layers_within(network.backbone, keras.layers.Dropout)
    dropouts = [(layer, layer.rate) for layer in within]
    for layer, _ in dropouts:
        layer.rate = 0
    try:
        yield
    finally:
        for layer, rate in dropouts:
            layer.rate = rate
