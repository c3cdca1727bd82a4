"""The supervised loss.

L = mean_i sum_k -t_ik log softmax(z_i)_k,   t_i = (1 - s) onehot(y_i) + s / K

with label smoothing s (Szegedy et al., CVPR 2016, arXiv:1512.00567, section 7).
"""

import tensorflow as tf

from app.spec.training import Training
from worker.backbones.network import Network
from worker.strategies.recipe import FEATURES, Batches, Loss


def cross_entropy(logits: tf.Tensor, labels: tf.Tensor, smoothing: float = 0.0) -> tf.Tensor:
    """logits (batch, classes), float32; labels (batch,), int32 -> scalar, mean over the batch."""
    loss = tf.reduce_mean(
        tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
    )
    if not smoothing:
        return loss
    uniform = -tf.reduce_mean(tf.nn.log_softmax(logits))
    return (1 - smoothing) * loss + smoothing * uniform


def classify_images(network: Network, training: Training, batch_norm_frozen: bool = False) -> Loss:
    """The loss of the whole network on raw images."""

    def loss(batch: Batches, progress: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        x, labels, _ = batch["domain"]
        if batch_norm_frozen:
            with network.batch_norm_frozen():
                logits = network.logits(x, training=True)
        else:
            logits = network.logits(x, training=True)
        return cross_entropy(logits, labels, training.label_smoothing), logits

    return loss


def classify_features(network: Network) -> Loss:
    """The loss of the head on features (batch, feature_count)."""

    def loss(batch: Batches, progress: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        x, labels, _ = batch["domain"]
        logits = network.head(x[FEATURES], training=True)
        return cross_entropy(logits, labels), logits

    return loss
