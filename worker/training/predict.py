"""Inference in the trainer, by a function compiled once an architecture."""

from collections.abc import Callable
from itertools import count
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from app.tensors import Tensors
from worker.backbones.network import Network
from worker.inputs.contract import InputLayers, X
from worker.strategies.recipe import FEATURES
from worker.training.items import Items

BATCH_ROWS, BATCH_BYTES = 1024, 16 * 2**20


def outputs_of(network: Network, items: Items) -> NDArray[np.float32]:
    """Computes outputs (n, outputs) of raw items."""
    return _by_network(network, network.compiled_outputs, items, network.architecture.outputs)


def changed_outputs(network: Network, items: Items, seed: int) -> NDArray[np.float32]:
    """Computes outputs as `outputs_of` does, of strongly changed items (worker/inputs); how they
    are changed depends on `seed` alone, so that networks can be compared."""
    numbers = count()

    def of_changed(raw: X) -> tf.Tensor:
        change = tf.constant([seed, next(numbers)], tf.int64)
        return network.outputs(network.inputs.strong(network.inputs.seen(raw), change))

    return _by_network(network, of_changed, items, network.architecture.outputs)


def features(network: Network, items: Items) -> NDArray[np.float32]:
    """Computes the backbone's features (n, feature_count) of raw items."""
    return _by_network(network, network.compiled_features, items, network.feature_count)


def features_seen_by(network: Network, layers: InputLayers, items: Items) -> NDArray[np.float32]:
    """Computes features as `features` does, of items with input layers of their own: a source's,
    whose raw form or scale is another."""

    def seen(raw: X) -> tf.Tensor:
        return network.features(layers.seen(raw))

    compiled = tf.function(seen, input_signature=[layers.raw], autograph=False)
    return _batched(
        lambda raw: compiled(layers.arrays(raw)),
        items,
        network.feature_count,
        network.inference_rows,
    )


def head_outputs(network: Network, items: Items) -> NDArray[np.float32]:
    """Computes outputs (n, outputs) of items that are features."""

    def of_features(x: X) -> tf.Tensor:
        return network.compiled_head(x[FEATURES])

    return _batched(of_features, items, network.architecture.outputs, BATCH_ROWS)


def _by_network(network: Network, function: Any, items: Items, width: int) -> NDArray[np.float32]:
    def of_raw(raw: Tensors) -> tf.Tensor:
        return function(network.inputs.arrays(raw))

    return _batched(of_raw, items, width, network.inference_rows)


def _batched(
    function: Callable[[Any], tf.Tensor], items: Items, width: int, most: int
) -> NDArray[np.float32]:
    """Fewer rows at once where they are large, or what the network makes of them: images resized
    from 28x28 to 128x128 took 4 GB."""
    row = 4 * sum(spec.values for spec in items.specs)
    batch = max(1, min(BATCH_ROWS, BATCH_BYTES // row, most))
    out = np.empty((len(items), width), np.float32)
    for start in range(0, len(items), batch):
        out[start : start + batch] = function(items.read(start, start + batch)).numpy()
    return out
