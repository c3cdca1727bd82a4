"""Deep CORAL: the covariances of the features become alike in both domains.

Sun & Saenko, "Deep CORAL: correlation alignment for deep domain adaptation", ECCV Workshops 2016,
arXiv:1607.01719, equations 1 to 3 and 6.

L = mean_i CE(H B(x_i), y_i) over the source + weight |C_s - C_t|_F^2 / (4 d^2)

C_s, C_t: covariances of a batch's d features B(x) in each domain; H: the head. All is trained.

Beside labelled target items: mean_j CE(H B(x_j), y_j) over these is added, and the target's part of
L is of all its items, with labels and without.
"""

import tensorflow as tf

from app.spec.strategy_params import CoralParams
from worker.backbones.network import Network
from worker.strategies.adapting import two_domain_phase
from worker.strategies.recipe import Batches, Phase, Setting
from worker.strategies.two_domains import features_of_domains, supervised


def phases(network: Network, params: CoralParams, setting: Setting) -> tuple[Phase, ...]:
    def loss(batch: Batches, progress: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        f_s, f_t = features_of_domains(network, batch)
        known, logits = supervised(network, f_s, f_t, batch, setting)
        return known + params.weight * distance(f_s, f_t), logits

    return (two_domain_phase(network, params, setting, loss),)


def distance(f_s: tf.Tensor, f_t: tf.Tensor) -> tf.Tensor:
    """|C_s - C_t|_F^2 / (4 d^2), scalar, of features (batch, d), float32."""
    d = f_s.shape[1]
    return tf.reduce_sum(tf.square(covariance(f_s) - covariance(f_t))) / (4 * d * d)


def covariance(f: tf.Tensor) -> tf.Tensor:
    """f (n, d) -> (d, d), divided by n - 1; 0 for one item."""
    centred = f - tf.reduce_mean(f, 0)
    items = tf.cast(tf.shape(f)[0], tf.float32)
    return tf.matmul(centred, centred, transpose_a=True) / tf.maximum(items - 1, 1)
