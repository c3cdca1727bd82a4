"""Multi-task: the target and the source are learnt together, with one backbone and a head each.

equal        L = L_t + L_s
             Caruana, Machine Learning 28, 1997
uncertainty  L = sum_i L_i / (2 e^{s_i}) + s_i / 2, s_i learnt
             Kendall, Gal & Cipolla, CVPR 2018, arXiv:1705.07115, section 3.2

L_t, L_s: cross-entropy of a batch of the target and one of the source. An epoch is one of the
target; the source's batches go round.
"""

import keras
import tensorflow as tf

from app.jobs.strategies import MultiTaskParams
from worker.backbones.network import Network
from worker.strategies.cross_entropy import cross_entropy
from worker.strategies.recipe import Batch, Group, Optimization, Phase, Setting, trainable

FIRST_LOG_VARIANCE = -0.5


def phases(network: Network, params: MultiTaskParams, setting: Setting) -> tuple[Phase, ...]:
    training = setting.training
    source_head = network.new_head(setting.source_classes)
    weighting = Equal() if params.weighting == "equal" else Uncertainty()

    def loss(batch: Batch, progress: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        (x_t, y_t), (x_s, y_s) = batch["domain"], batch["source"]
        logits = network.logits(x_t, training=True)
        source_logits = source_head(network.features(x_s, training=True), training=True)
        smoothing = training.label_smoothing
        losses = [
            cross_entropy(logits, y_t, smoothing),
            cross_entropy(source_logits, y_s, smoothing),
        ]
        return weighting.total(losses), logits

    rate = training.learning_rate
    groups = [
        Group(trainable(network.backbone), params.backbone_rate * rate),
        Group(trainable(network.head, source_head, weighting), rate),
    ]
    return (
        Phase(
            "finetune",
            loss,
            tuple(groups),
            training.epochs,
            Optimization.of(training),
            streams=("domain", "source"),
            companions=(source_head, weighting),
            source_head=source_head,
        ),
    )


class Equal(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    def total(self, losses: list[tf.Tensor]) -> tf.Tensor:
        return tf.add_n(losses)


class Uncertainty(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """s_i, the logarithm of each task's variance."""

    def __init__(self) -> None:
        super().__init__(name="uncertainty")
        self.log_variances = self.add_weight(
            shape=(2,),
            initializer=keras.initializers.Constant(FIRST_LOG_VARIANCE),
            name="log_variances",
        )

    def total(self, losses: list[tf.Tensor]) -> tf.Tensor:
        s = self.log_variances.value
        return tf.reduce_sum(tf.stack(losses) / (2 * tf.exp(s)) + s / 2)
