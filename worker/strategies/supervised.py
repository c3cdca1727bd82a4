"""The task's own loss, of the whole network or of a head on features."""

import tensorflow as tf

from worker.backbones.network import Network
from worker.strategies.recipe import FEATURES, Batches, Loss, Setting


def learn_items(network: Network, setting: Setting, batch_norm_frozen: bool = False) -> Loss:
    """The loss of the whole network on raw items."""
    objective, smoothing = setting.objective, setting.training.label_smoothing

    def loss(batch: Batches, progress: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        x, y, _ = batch["domain"]
        if batch_norm_frozen:
            with network.batch_norm_frozen():
                outputs = network.logits(x, training=True)
        else:
            outputs = network.logits(x, training=True)
        return objective.mean_loss(outputs, y, smoothing), outputs

    return loss


def learn_features(network: Network, setting: Setting) -> Loss:
    """The loss of the head on features (batch, feature_count)."""

    def loss(batch: Batches, progress: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        x, y, _ = batch["domain"]
        outputs = network.head(x[FEATURES], training=True)
        return setting.objective.mean_loss(outputs, y), outputs

    return loss
