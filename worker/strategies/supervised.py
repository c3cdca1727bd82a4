"""The task's own loss, of the whole network or of a head on features.

L = mean_i mean_j l(V f_ij, y_i)

f_ij: the features of member j of the backbone. Where members are trained together, by the loss of
their mean, each learns what the others leave, and none is a network of its own (docs/decisions/
tabm.md). Most backbones are one.

Of items of several parts: L + w / P sum_p mean_i l(V f_ip, y_i) over the items that have p,
f_ip: the features where p alone is there (w: `parts_alone`; an auxiliary loss for each modality, as
in Tang et al., arXiv:2412.16243, of the network's own head in place of one for each).
"""

from collections.abc import Mapping
from contextlib import nullcontext

import tensorflow as tf

from worker.backbones.network import Network
from worker.backbones.part_views import PartViews
from worker.inputs.contract import X
from worker.objectives.contract import Objective
from worker.strategies.recipe import FEATURES, Batches, Loss, Setting


def learn_items(network: Network, setting: Setting, batch_norm_frozen: bool = False) -> Loss:
    """The loss of the whole network on raw items."""
    objective, smoothing = setting.objective, setting.training.label_smoothing

    def loss(batch: Batches, progress: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        x, y, _ = batch["target"]
        if views := network.part_views if setting.training.parts_alone else None:
            with network.batch_norm_frozen() if batch_norm_frozen else nullcontext():
                return _with_parts_alone(network, views, x, y, setting)
        with network.batch_norm_frozen() if batch_norm_frozen else nullcontext():
            if network.members == 1:
                outputs = network.outputs(x, training=True)
                return objective.mean_loss(outputs, y, smoothing), outputs
            features = network.members_features(x, training=True)
        return _of_members(network, features, y, objective, smoothing)

    return loss


def _with_parts_alone(
    network: Network, views: PartViews, x: X, y: tf.Tensor, setting: Setting
) -> tuple[tf.Tensor, tf.Tensor]:
    """The loss of items, and `parts_alone` times the mean over the parts of the loss of each alone,
    over the items that have it: a part learns what it can say where it has no other to lean on."""
    objective, smoothing = setting.objective, setting.training.label_smoothing
    said, there = views.said(x, training=True), views.there(x)

    def outputs(shown: Mapping[str, tf.Tensor]) -> tf.Tensor:
        return network.head(views.gathered(said, shown, training=True), training=True)

    whole, alone = outputs(there), []
    for name, own in there.items():
        shown = {part: own if part == name else tf.zeros_like(own) for part in there}
        alone.append(mean_where(objective.loss(outputs(shown), y, smoothing), own[:, 0]))
    weight = setting.training.parts_alone / len(alone)
    return objective.mean_loss(whole, y, smoothing) + weight * tf.add_n(alone), whole


def mean_where(values: tf.Tensor, counts: tf.Tensor) -> tf.Tensor:
    """The mean of values (batch,) whose `counts` (batch,) is 1; 0 where none is."""
    return tf.reduce_sum(values * counts) / tf.maximum(tf.reduce_sum(counts), 1.0)


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
