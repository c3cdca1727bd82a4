"""Focal loss: items that are already told well count for little.

Lin, Goyal, Girshick, He & Dollár, "Focal loss for dense object detection", ICCV 2017,
arXiv:1708.02002, equation 4.

l_i = -(1 - p_i)^gamma log p_i,   p_i = softmax(z_i)_{y_i},   gamma = 2

In inference nothing is changed; the probabilities are less sure than those of cross-entropy, which
the fitted temperature mends.
Departures: softmax in place of the paper's independent sigmoids; no weights alpha, which are
class_weights' part.
"""

from dataclasses import dataclass

import tensorflow as tf

from worker.objectives.wrapped import Wrapped, without_smoothing

GAMMA = 2.0


@dataclass(frozen=True)
class Focal(Wrapped):
    def loss(self, outputs: tf.Tensor, y: tf.Tensor, smoothing: float = 0.0) -> tf.Tensor:
        """Raises ValueError for a smoothing."""
        without_smoothing("focal", smoothing)
        losses = self.inner.loss(outputs, y)  # -log p
        return tf.pow(-tf.math.expm1(-losses), GAMMA) * losses
