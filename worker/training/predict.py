"""Inference in the trainer, by a function compiled once an architecture."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from worker.backbones.network import Network
from worker.training.data import Rows

BATCH = 1024


def logits(network: Network, x: Rows, batch: int = BATCH) -> NDArray[np.float32]:
    """Raw items (n, height, width, channels) -> logits (n, classes)."""
    return _batched(network.compiled_logits, x, batch, network.architecture.classes)


def features(network: Network, x: Rows, batch: int = BATCH) -> NDArray[np.float32]:
    """Raw items (n, height, width, channels) -> the backbone's features (n, feature_count)."""
    return _batched(network.compiled_features, x, batch, network.feature_count)


def head_logits(network: Network, x: Rows, batch: int = BATCH) -> NDArray[np.float32]:
    """Features (n, feature_count) -> logits (n, classes)."""
    return _batched(network.compiled_head, x, batch, network.architecture.classes)


def _batched(function: Any, x: Rows, batch: int, width: int) -> NDArray[np.float32]:
    out = np.empty((len(x), width), np.float32)
    for start in range(0, len(x), batch):
        rows = np.asarray(x[start : start + batch], np.float32)
        out[start : start + batch] = function(rows).numpy()
    return out
