"""Both domains through the backbone in one step."""

import tensorflow as tf

from worker.backbones.network import Network
from worker.inputs.contract import X
from worker.strategies.recipe import Batches, Setting


def features_of_domains(network: Network, batch: Batches) -> tuple[tf.Tensor, tf.Tensor]:
    """-> f_s, f_t, (batch, feature_count) each, float32, of a step of training. Where target items
    without labels stand beside labelled ones, f_t is of both, the labelled ones first.

    Each domain is normalised by its own batch's statistics: with both joined in one batch DANN came
    from MNIST to USPS to 42 % where it came to 73. The network is tested on the target by the
    target's alone, measured when the phase ends (docs/decisions/batch-norm-is-measured.md).
    """
    x_s, x_t = batch["source"].x, batch["target"].x
    if "unlabelled" in batch:
        x_t = joined(x_t, batch["unlabelled"].x)
    return network.features(x_s, training=True), network.features(x_t, training=True)


def supervised(
    network: Network, f_s: tf.Tensor, f_t: tf.Tensor, batch: Batches, setting: Setting
) -> tuple[tf.Tensor, tf.Tensor]:
    """mean_i CE(H f_s,i, y_i) over the source, and where there are labelled target items, as much
    again: mean_j CE(H f_t,j, y_j) over these.

    Args:
        f_s, f_t: of `features_of_domains`.

    Returns:
        The loss, a scalar, and the outputs (batch, classes) of the phase's first stream: the
        labelled target items, else the source.
    """
    smoothing = setting.training.label_smoothing
    z_s = network.head(f_s, training=True)
    loss = setting.source_objective.mean_loss(z_s, batch["source"].y, smoothing)
    if "unlabelled" not in batch:
        return loss, z_s
    y_t = batch["target"].y
    z_t = network.head(f_t[: tf.shape(y_t)[0]], training=True)
    return loss + setting.objective.mean_loss(z_t, y_t, smoothing), z_t


def first(x: X, count: tf.Tensor) -> X:
    return {name: tensor[:count] for name, tensor in x.items()}


def rest(x: X, count: tf.Tensor) -> X:
    return {name: tensor[count:] for name, tensor in x.items()}


def joined(*parts: X) -> X:
    return {name: tf.concat([part[name] for part in parts], 0) for name in parts[0]}
