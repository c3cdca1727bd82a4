"""Cross-entropy.

l_i = sum_k -t_ik log softmax(z_i)_k,   t_i = (1 - s) onehot(y_i) + s / K

with label smoothing s (Szegedy et al., CVPR 2016, arXiv:1512.00567, section 7).
"""

from dataclasses import dataclass
from math import log

import keras
import tensorflow as tf


@dataclass(frozen=True)
class ClassObjective:
    """Labels are classes, int32; outputs logits."""

    def loss(self, outputs: tf.Tensor, y: tf.Tensor, smoothing: float = 0.0) -> tf.Tensor:
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=outputs)
        if not smoothing:
            return losses
        uniform = -tf.reduce_mean(tf.nn.log_softmax(outputs), axis=1)
        return (1 - smoothing) * losses + smoothing * uniform

    def mean_loss(self, outputs: tf.Tensor, y: tf.Tensor, smoothing: float = 0.0) -> tf.Tensor:
        return cross_entropy(outputs, y, smoothing)

    def apart(self, teacher: tf.Tensor, outputs: tf.Tensor, temperature: float) -> tf.Tensor:
        """T² KL of the softened probabilities."""
        t = tf.nn.log_softmax(teacher / temperature)
        s = tf.nn.log_softmax(outputs / temperature)
        return temperature**2 * tf.reduce_sum(tf.exp(t) * (t - s), 1)

    def activate(self, outputs: tf.Tensor, temperature: float | None = None) -> tf.Tensor:
        return tf.nn.softmax(outputs / temperature if temperature else outputs)

    def averaged(self, outputs: tf.Tensor) -> tf.Tensor:
        logs = keras.ops.log_softmax(outputs, axis=-1)
        return keras.ops.logsumexp(logs, axis=0) - log(outputs.shape[0])

    def statistic(self, outputs: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        """The predicted class, (batch, 1)."""
        return tf.argmax(outputs, 1, tf.int32)[:, None]

    @property
    def has_classes(self) -> bool:
        return True

    @property
    def statistic_spec(self) -> tuple[tf.DType, int]:
        return tf.int32, 1

    @property
    def label_type(self) -> tf.DType:
        return tf.int32

    @property
    def label_shape(self) -> tuple[int, ...]:
        return ()


CLASSES = ClassObjective()


def cross_entropy(logits: tf.Tensor, labels: tf.Tensor, smoothing: float = 0.0) -> tf.Tensor:
    """logits (batch, classes), float32; labels (batch,), int32 -> scalar, mean over the batch."""
    loss = tf.reduce_mean(
        tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
    )
    if not smoothing:
        return loss
    uniform = -tf.reduce_mean(tf.nn.log_softmax(logits))
    return (1 - smoothing) * loss + smoothing * uniform
