"""BatchNorm's statistics of a population of items, measured with the weights as they are.

mu <- mean_t mu_t    var <- mean_t var_t

over batches t, each normalised by its own statistics, weighted by their items. Moving averages lag
behind weights that move, and after few steps they are of other networks: on its own training items
a network was then right in training mode and at chance in inference. Dropout is off, as in
inference.

References: Wu & Johnson, "Rethinking 'Batch' in BatchNorm", 2021, arXiv:2105.07576, section 3;
Li et al., "Understanding the disharmony between dropout and batch normalization by variance
shift", CVPR 2019, arXiv:1801.05134.
"""

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from worker.backbones.network import Network
from worker.inputs.contract import X
from worker.training.items import Indices, Items

ITEMS = 2048  # that a population is measured on; of more, so many are drawn
BATCH_ROWS, BATCH_BYTES = 256, 16 * 2**20


def measure(network: Network, items: Items, seed: int) -> None:
    """Sets the backbone's moving statistics to those of raw items.

    The same weights, items and seed give the same bits. Nothing happens to a network without
    BatchNorm.
    """
    if not network.norms or not len(items):
        return
    order = np.random.default_rng(seed).permutation(len(items))[:ITEMS]
    seen = 0
    for batch in _batches(order, _batch_rows(network, items)):
        share = np.float32(seen / (seen + len(batch)))
        network.compiled_by_batch(_raw(network, items, batch), tf.constant(share))
        seen += len(batch)


def batch_outputs(network: Network, items: Items, batch_size: int) -> NDArray[np.float32]:
    """Computes outputs (n, classes) of raw items in training mode: each batch of about `batch_size`
    neighbouring rows is normalised by its own statistics; the moving ones stay as they are."""
    batches = _batches(np.arange(len(items)), min(batch_size, _batch_rows(network, items)))
    outputs = [
        network.compiled_by_batch(_raw(network, items, batch), tf.constant(np.float32(1))).numpy()
        for batch in batches
    ]
    return np.concatenate(outputs)


def _batches(order: Indices, size: int) -> list[Indices]:
    """Parts of `order` of nearly equal length, at most `size`: no batch is left with few rows."""
    return np.array_split(order, max(1, -(-len(order) // size)))


def _batch_rows(network: Network, items: Items) -> int:
    affordable = BATCH_BYTES // (4 * sum(spec.values for spec in items.specs))
    return max(2, min(BATCH_ROWS, affordable, network.inference_rows))


def _raw(network: Network, items: Items, chosen: Indices) -> X:
    return network.inputs.arrays(items.select(chosen).read())
