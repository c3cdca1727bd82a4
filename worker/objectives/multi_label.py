"""Binary cross entropy of each label.

l_i = -1/K sum_k (y_ik log s(z_ik) + (1 - y_ik) log(1 - s(z_ik))),   s(z) = 1 / (1 + exp(-z))
"""

from dataclasses import dataclass

import keras
import tensorflow as tf


@dataclass(frozen=True)
class LabelsObjective:
    """Labels are 0 and 1, (batch, K), int32; outputs logits, (batch, K).

    `labels`: how many there are, K.
    """

    labels: int

    def loss(self, outputs: tf.Tensor, y: tf.Tensor, smoothing: float = 0.0) -> tf.Tensor:
        """Raises ValueError for a smoothing: it mixes classes that exclude each other."""
        if smoothing:
            raise ValueError(f"expected label_smoothing 0 of several labels, got {smoothing}")
        of_labels = tf.nn.sigmoid_cross_entropy_with_logits(
            labels=tf.cast(y, outputs.dtype), logits=outputs
        )
        return tf.reduce_mean(of_labels, axis=1)

    def mean_loss(self, outputs: tf.Tensor, y: tf.Tensor, smoothing: float = 0.0) -> tf.Tensor:
        return tf.reduce_mean(self.loss(outputs, y, smoothing))

    def apart(self, teacher: tf.Tensor, outputs: tf.Tensor, temperature: float) -> tf.Tensor:
        """T² KL of the softened probabilities of each label, their mean."""
        t, s = teacher / temperature, outputs / temperature
        likely = tf.nn.sigmoid(t)
        of_labels = likely * (tf.math.log_sigmoid(t) - tf.math.log_sigmoid(s))
        of_labels += (1 - likely) * (tf.math.log_sigmoid(-t) - tf.math.log_sigmoid(-s))
        return temperature**2 * tf.reduce_mean(of_labels, 1)

    def activate(self, outputs: tf.Tensor, temperature: float | None = None) -> tf.Tensor:
        return tf.nn.sigmoid(outputs / temperature if temperature else outputs)

    def averaged(self, outputs: tf.Tensor) -> tf.Tensor:
        given, withheld = (
            keras.ops.logsumexp(keras.ops.log_sigmoid(each), axis=0) for each in (outputs, -outputs)
        )
        return given - withheld

    def statistic(self, outputs: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        """The predicted labels, (batch, K), 0 or 1: a probability of 0.5 is a logit of 0."""
        return tf.cast(outputs >= 0, tf.int32)

    @property
    def has_classes(self) -> bool:
        return False

    @property
    def statistic_spec(self) -> tuple[tf.DType, int]:
        return tf.int32, self.labels

    @property
    def label_type(self) -> tf.DType:
        return tf.int32

    @property
    def label_shape(self) -> tuple[int, ...]:
        return (self.labels,)
