"""Generalized cross-entropy: between cross-entropy and the mean absolute error, which no single
wrong label can pull far.

Zhang & Sabuncu, "Generalized cross entropy loss for training deep neural networks with noisy
labels", NeurIPS 2018, arXiv:1805.07836, equation 6.

l_i = (1 - p_i^q) / q,   p_i = softmax(z_i)_{y_i},   q = 0.7

q -> 0 is cross-entropy, q = 1 the mean absolute error. In inference nothing is changed.
Departure: the loss is not truncated (the paper's section 3.3).
"""

from dataclasses import dataclass

import tensorflow as tf

from worker.objectives.wrapped import Wrapped, without_smoothing

Q = 0.7


@dataclass(frozen=True)
class GeneralizedCrossEntropy(Wrapped):
    def loss(self, outputs: tf.Tensor, y: tf.Tensor, smoothing: float = 0.0) -> tf.Tensor:
        """Raises ValueError for a smoothing."""
        without_smoothing("gce", smoothing)
        return -tf.math.expm1(-Q * self.inner.loss(outputs, y)) / Q
