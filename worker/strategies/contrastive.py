"""Contrastive pretraining on pairs of parts, then fine-tuning of the target's.

InfoNCE: van den Oord, Li & Vinyals, "Representation learning with contrastive predictive coding",
2018, arXiv:1807.03748; in both directions, with a learnt temperature: CLIP, Radford et al., ICML
2021, arXiv:2103.00020, figure 3.

1. a_j = P B(v_j) / |P B(v_j)|, b_j = Q B(o_j) / |Q B(o_j)|, s_jk = e^t a_j . b_k
   L = -1/2 mean_j (log softmax_k(s_jk)_j + log softmax_k(s_kj)_j)
2. L = mean_i l(V B(x_i), y_i), as fine_tune

v: the target's part of a source's item alone, o: its other parts alone; pairs of which one side is
missing stand in neither sum. P, Q: linear, e^t at most 100, as in CLIP. Departure: both sides are
one network's features, which is late fusion asked without some parts.
"""

from math import log

import keras
import tensorflow as tf

from app.spec.strategy_params import ContrastiveParams
from worker.backbones.network import Network
from worker.strategies.recipe import (
    Batches,
    Group,
    Optimization,
    Phase,
    Setting,
    fine_tuned,
    trainable,
)
from worker.strategies.supervised import learn_items, mean_where

MOST_SCALE = log(100.0)
NOT_THERE = -1e9  # a logit that no softmax sees


def phases(network: Network, params: ContrastiveParams, setting: Setting) -> tuple[Phase, ...]:
    training = setting.training
    alike = Alikeness(network.feature_count, params.projection, params.temperature)

    def loss(batch: Batches, progress: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        pairs = network.inputs.apart(batch["source"].x, setting.parts)
        own, others = (network.features(x, training=True) for x in (pairs.own, pairs.others))
        return info_nce(alike.scores(own, others), pairs.paired), network.outputs(batch["target"].x)

    return (
        Phase(
            "pretrain",
            loss,
            (Group(trainable(network.backbone, alike), training.learning_rate),),
            params.pretraining_epochs(training.epochs),
            Optimization.of(training.model_copy(update={"early_stopping": None})),
            streams=("target", "source"),
            companions=(alike,),
            hides_parts=False,
            fills_source=True,
        ),
        Phase(
            "finetune",
            learn_items(network, setting),
            fine_tuned(network, params, training),
            training.epochs,
            Optimization.of(training),
        ),
    )


class Alikeness(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """P, Q and t."""

    def __init__(self, features: int, width: int, temperature: float) -> None:
        super().__init__(name="alikeness")
        self.own, self.others = (
            self.add_weight(shape=(features, width), initializer="glorot_uniform", name=name)
            for name in ("own_kernel", "others_kernel")
        )
        first = keras.initializers.Constant(-log(temperature))
        self.log_scale = self.add_weight(shape=(), initializer=first, name="log_scale")

    def scores(self, own: tf.Tensor, others: tf.Tensor) -> tf.Tensor:
        """Features (batch, feature_count) of both sides -> s, (batch, batch)."""
        a = tf.math.l2_normalize(own @ self.own.value, 1)
        b = tf.math.l2_normalize(others @ self.others.value, 1)
        return tf.exp(tf.minimum(self.log_scale.value, MOST_SCALE)) * (a @ tf.transpose(b))


def info_nce(scores: tf.Tensor, paired: tf.Tensor) -> tf.Tensor:
    """Args:
        scores: s, (batch, batch), rows of one side, columns of the other, of one item where both
            numbers are the same.
        paired: (batch,), 1 where the item has both sides, else 0.

    Returns:
        L of the module's formula, a scalar.
    """
    out = NOT_THERE * (1 - paired)
    of_rows = -tf.linalg.diag_part(tf.nn.log_softmax(scores + out[None, :], 1))
    of_columns = -tf.linalg.diag_part(tf.nn.log_softmax(scores + out[:, None], 0))
    return mean_where((of_rows + of_columns) / 2, paired)
