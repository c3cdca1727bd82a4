"""MCC: on the target the classifier learns not to take one class for another.

Jin, Wang, Long & Wang, "Minimum class confusion for versatile domain adaptation", ECCV 2020,
arXiv:1912.03699, equations 2 to 7.

L = mean_i CE(z_i, y_i) over the source + weight L_MCC(z_t)

P     = softmax(z_t / temperature)                     (batch, classes)
w_i   = (1 + e^{-H(P_i)}) / mean_j (1 + e^{-H(P_j)})   held constant; H: entropy
C     = (w P)^T P                                      (classes, classes), then rows over their sums
L_MCC = (sum C - trace C) / classes

Beside labelled target items: mean_j CE(z_j, y_j) over these is added, and the target's part of
L is of all its items, with labels and without.

Departure: training starts from the network that was trained on the source, head included.
"""

import tensorflow as tf

from app.spec.strategy_params import MccParams
from worker.backbones.network import Network
from worker.strategies.adapting import two_domain_phase
from worker.strategies.recipe import Batches, Phase, Setting
from worker.strategies.two_domains import features_of_domains, supervised


def phases(network: Network, params: MccParams, setting: Setting) -> tuple[Phase, ...]:
    def loss(batch: Batches, progress: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        f_s, f_t = features_of_domains(network, batch)
        known, logits = supervised(network, f_s, f_t, batch, setting)
        z_t = network.head(f_t, training=True)
        return known + params.weight * confusion(z_t, params.temperature), logits

    return (two_domain_phase(network, params, setting, loss),)


def confusion(logits: tf.Tensor, temperature: float) -> tf.Tensor:
    """L_MCC of logits (batch, classes), float32: a scalar, 0 when all are certain.

    A class of which no item has any probability has no row.
    """
    classes = logits.shape[1]
    logarithms = tf.nn.log_softmax(logits / temperature)
    p = tf.exp(logarithms)
    entropy = -tf.reduce_sum(p * logarithms, 1, keepdims=True)
    w = tf.stop_gradient(1 + tf.exp(-entropy))
    c = tf.matmul(w / tf.reduce_mean(w) * p, p, transpose_a=True)  # (classes, classes)
    c = tf.math.divide_no_nan(c, tf.reduce_sum(c, 1, keepdims=True))
    return (tf.reduce_sum(c) - tf.linalg.trace(c)) / classes
