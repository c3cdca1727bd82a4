"""AdaBN: the source's network with BatchNorm's statistics of the target; no weight is trained.

Li, Wang, Shi, Liu & Hou, "Revisiting batch normalization for practical domain adaptation", ICLR
Workshop 2017, arXiv:1603.04779, algorithm 1.

mu <- mean_t mu_t    var <- mean_t var_t

over the target's batches t of one epoch, each normalised by its own statistics. As a running mean:
m <- t/(t+1) m + 1/(t+1) m_t, t = 0, 1, …; so nothing of the source's statistics is left.
"""

import keras
import tensorflow as tf

from app.jobs.strategy_params import AdaBnParams
from worker.backbones.network import Network
from worker.strategies.norm_momentum import norm_momentum
from worker.strategies.recipe import Batch, Phase, Setting


def phases(network: Network, params: AdaBnParams, setting: Setting) -> tuple[Phase, ...]:
    seen = Seen()

    def loss(batch: Batch, progress: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Always 0: there is nothing to learn."""
        images, _ = batch["domain"]
        with norm_momentum(network, seen.share_before()):
            logits = network.logits(images, training=True)
        return tf.zeros(()), logits

    return (
        Phase("adapt", loss, (), 1, companions=(seen,), source_head=network.head, augments=False),
    )


class Seen(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """Counts batches."""

    def __init__(self) -> None:
        super().__init__(name="seen")
        self.batches = self.add_weight(
            shape=(), initializer="zeros", trainable=False, name="batches"
        )

    def share_before(self) -> tf.Tensor:
        """What those before the next one have in the mean, t/(t+1); counts it."""
        t = tf.identity(self.batches.value)
        self.batches.assign_add(1.0)
        return t / (t + 1)
