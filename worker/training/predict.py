"""Inference in the trainer, by a function compiled once an architecture."""

from itertools import count
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from worker.backbones.network import Network
from worker.strategies.augmentation import strong
from worker.training.data import Rows

BATCH_ROWS, BATCH_BYTES = 1024, 16 * 2**20


def logits(network: Network, x: Rows) -> NDArray[np.float32]:
    """Raw items (n, height, width, channels) -> logits (n, classes)."""
    return _batched(
        network.compiled_logits, x, network.architecture.classes, network.inference_rows
    )


def changed_logits(network: Network, x: Rows, seed: int) -> NDArray[np.float32]:
    """As `logits`, of the items strongly changed (worker/strategies/augmentation.py); how, hangs on
    `seed` alone, so that networks can be compared."""
    numbers = count()

    def of_changed(rows: NDArray[np.float32]) -> tf.Tensor:
        images = network.preprocessing(rows)
        return network.logits(strong(images, tf.constant([seed, next(numbers)], tf.int64)))

    return _batched(of_changed, x, network.architecture.classes, network.inference_rows)


def features(network: Network, x: Rows) -> NDArray[np.float32]:
    """Raw items (n, height, width, channels) -> the backbone's features (n, feature_count)."""
    return _batched(network.compiled_features, x, network.feature_count, network.inference_rows)


def head_logits(network: Network, x: Rows) -> NDArray[np.float32]:
    """Features (n, feature_count) -> logits (n, classes)."""
    return _batched(network.compiled_head, x, network.architecture.classes)


def _batched(function: Any, x: Rows, width: int, most: int = BATCH_ROWS) -> NDArray[np.float32]:
    """Fewer rows at once where they are large, or what the network makes of them: images resized
    from 28x28 to 128x128 took 4 GB."""
    row = 4 * int(np.prod(x.shape[1:]))
    batch = max(1, min(BATCH_ROWS, BATCH_BYTES // row, most))
    out = np.empty((len(x), width), np.float32)
    for start in range(0, len(x), batch):
        rows = np.asarray(x[start : start + batch], np.float32)
        out[start : start + batch] = function(rows).numpy()
    return out
