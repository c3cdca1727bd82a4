"""Both domains through the backbone in one step."""

import tensorflow as tf

from worker.backbones.network import Network
from worker.strategies.recipe import Batches


def features_of_domains(network: Network, batch: Batches) -> tuple[tf.Tensor, tf.Tensor]:
    """-> f_s, f_t, (batch, feature_count) each, float32, of a step of training.

    Each domain is normalised by its own batch's statistics: with both joined in one batch DANN came
    from MNIST to USPS to 42 % where it came to 73. The network is tested on the target by the
    target's alone, measured when the phase ends (docs/decisions/batch-norm-is-measured.md).
    """
    x_s, x_t = batch["source"].x, batch["domain"].x
    return network.features(x_s, training=True), network.features(x_t, training=True)
