"""The task's own loss, of the whole network or of a head on features.

L = mean_i mean_j l(V f_ij, y_i)

f_ij: the features of member j of the backbone. Where members are trained together, by the loss of
their mean, each learns what the others leave, and none is a network of its own (docs/decisions/
tabm.md). Most backbones are one.
"""

from contextlib import nullcontext

import tensorflow as tf

from worker.backbones.network import Network
from worker.objectives.contract import Objective
from worker.strategies.recipe import FEATURES, Batches, Loss, Setting


def learn_items(network: Network, setting: Setting, batch_norm_frozen: bool = False) -> Loss:
    """The loss of the whole network on raw items."""
    objective, smoothing = setting.objective, setting.training.label_smoothing

    def loss(batch: Batches, progress: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        x, y, _ = batch["target"]
        with network.batch_norm_frozen() if batch_norm_frozen else nullcontext():
            if network.members == 1:
                outputs = network.outputs(x, training=True)
                return objective.mean_loss(outputs, y, smoothing), outputs
            features = network.members_features(x, training=True)
        return _of_members(network, features, y, objective, smoothing)

    return loss


def _of_members(
    network: Network, features: tf.Tensor, y: tf.Tensor, objective: Objective, smoothing: float
) -> tuple[tf.Tensor, tf.Tensor]:
    """`features` (batch, members, feature_count) -> the members' mean loss, a scalar, and the mean
    of their outputs, (batch, outputs)."""
    outputs = network.head(tf.reshape(features, (-1, network.feature_count)), training=True)
    loss = objective.mean_loss(outputs, tf.repeat(y, network.members, 0), smoothing)
    return loss, tf.reduce_mean(tf.reshape(outputs, (-1, network.members, outputs.shape[1])), 1)


def learn_features(network: Network, setting: Setting) -> Loss:
    """The loss of the head on features (batch, feature_count)."""

    def loss(batch: Batches, progress: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        x, y, _ = batch["target"]
        outputs = network.head(x[FEATURES], training=True)
        return setting.objective.mean_loss(outputs, y), outputs

    return loss
