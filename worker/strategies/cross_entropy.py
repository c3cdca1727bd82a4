"""The supervised loss.

L = mean_i -log softmax(z_i)[y_i]
"""

import tensorflow as tf

from worker.backbones.network import Network
from worker.strategies.recipe import Batch, Loss


def cross_entropy(logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """logits (batch, classes), float32; labels (batch,), int32 -> scalar, mean over the batch."""
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
    return tf.reduce_mean(losses)


def classify_images(network: Network, batch_norm_frozen: bool = False) -> Loss:
    """The loss of the whole network on raw images."""

    def loss(batch: Batch) -> tuple[tf.Tensor, tf.Tensor]:
        images, labels = batch["domain"]
        if batch_norm_frozen:
            with network.batch_norm_frozen():
                logits = network.logits(images, training=True)
        else:
            logits = network.logits(images, training=True)
        return cross_entropy(logits, labels), logits

    return loss


def classify_features(network: Network) -> Loss:
    """The loss of the head on features (batch, feature_count)."""

    def loss(batch: Batch) -> tuple[tf.Tensor, tf.Tensor]:
        features, labels = batch["domain"]
        logits = network.head(features, training=True)
        return cross_entropy(logits, labels), logits

    return loss
