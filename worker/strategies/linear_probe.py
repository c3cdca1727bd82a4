"""Linear probe: the source's backbone stays frozen, a new head is trained on its features.

f = backbone(x), fixed;  L(V, b) = mean_i CE(V f_i + b, y_i) + l2/2 |V|^2, over the head alone.
The features are computed once. L is convex: the head is trained until L has converged.
"""

import tensorflow as tf

from app.spec.strategy_params import LinearProbeParams
from worker.backbones.network import Network
from worker.strategies.recipe import (
    Batches,
    Convergence,
    Group,
    Loss,
    Phase,
    Setting,
    trainable,
)
from worker.strategies.supervised import learn_features


def phases(network: Network, params: LinearProbeParams, setting: Setting) -> tuple[Phase, ...]:
    return (
        Phase(
            "head",
            _pulled(learn_features(network, setting), network, params.l2),
            (Group(trainable(network.head), params.head_learning_rate),),
            params.max_epochs,
            stop=Convergence(params.tolerance),
            inputs="features",
            norms=None,
        ),
    )


def _pulled(supervised: Loss, network: Network, l2: float) -> Loss:
    if not l2:
        return supervised

    def loss(batch: Batches, progress: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        of_items, outputs = supervised(batch, progress)
        kernel, _ = network.head.trainable_variables
        return of_items + l2 / 2 * tf.reduce_sum(tf.square(kernel.value)), outputs

    return loss
