"""The gradient reversal layer of adversarial adaptation.

Ganin et al., "Domain-adversarial training of neural networks", JMLR 2016, arXiv:1505.07818,
section 4.2 and, for the schedule, 5.2.2.

R(x) = x,  dR/dx = -lambda,  lambda = 2 / (1 + e^{-10 q}) - 1
"""

import tensorflow as tf


def strength(progress: tf.Tensor) -> tf.Tensor:
    """lambda at q = `progress`, scalar, 0..1: 0 at the beginning, so that a discriminator that
    knows nothing does no harm; near 1 at the end."""
    return 2 / (1 + tf.exp(-10 * progress)) - 1


def reverse(x: tf.Tensor, scale: tf.Tensor) -> tf.Tensor:
    """R(x), of any shape, with lambda = `scale`, scalar."""
    return tf.stop_gradient((1 + scale) * x) - scale * x
