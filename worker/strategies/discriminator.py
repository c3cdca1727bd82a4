"""The domain discriminator D of adversarial adaptation, and the loss that it plays against.

Ganin et al., JMLR 2016, arXiv:1505.07818, section 4.2. With domain label 1 for the source:

L_D = 1/2 mean_i w_i BCE(D(R(h_i)), 1) over the source + 1/2 mean_j w_j BCE(D(R(h_j)), 0) over the
target, w mostly 1.

D minimises L_D; what made h ascends it by lambda, through the reversal R (gradient_reversal.py).
D itself learns at full strength from the first step (Ganin et al., section 5.2.2).
"""

import keras
import tensorflow as tf

from worker.strategies.gradient_reversal import reverse, strength


def discriminator_of(width: int, hidden: int) -> keras.Model:
    """h (batch, width) -> logits (batch, 1), positive for the source."""
    h = x = keras.Input((width,), name="h")
    for index in range(2):
        x = keras.layers.Dense(hidden, name=f"discriminator_{index}")(x)
        x = keras.layers.BatchNormalization(name=f"discriminator_norm_{index}")(x)
        x = keras.layers.ReLU(name=f"discriminator_relu_{index}")(x)
    return keras.Model(h, keras.layers.Dense(1, name="domain")(x), name="discriminator")


def adversarial(
    model: keras.Model,
    h_s: tf.Tensor,
    h_t: tf.Tensor,
    progress: tf.Tensor,
    w_s: tf.Tensor | float = 1.0,
    w_t: tf.Tensor | float = 1.0,
) -> tf.Tensor:
    """L_D, scalar.

    Each domain goes through D as a batch of its own: BatchNorm then hides the means of its layers
    from it, and a D that is not too good leaves the features something to learn. On digits, both
    ways, CDAN was 2 to 16 points better so than with both domains in one batch.

    Args:
        h_s, h_t: (batch, width), float32, each domain's.
        progress: q, scalar, 0..1.
        w_s, w_t: weights of the items, (batch,), with mean 1.
    """
    by = strength(progress)
    d_s, d_t = (tf.squeeze(model(reverse(h, by), training=True), 1) for h in (h_s, h_t))
    # BCE of the sigmoid: softplus(-d) where the label is 1, softplus(d) where it is 0.
    source, target = w_s * tf.nn.softplus(-d_s), w_t * tf.nn.softplus(d_t)
    return (tf.reduce_mean(source) + tf.reduce_mean(target)) / 2
