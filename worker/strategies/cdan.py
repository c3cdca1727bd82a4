"""CDAN: as DANN, and the discriminator sees the features together with the predicted classes.

Long, Cao, Wang & Jordan, "Conditional adversarial domain adaptation", NeurIPS 2018,
arXiv:1705.10667, equations 3 to 8.

L = mean_i CE(z_i, y_i) over the source + trade_off L_D(h_s, h_t; w_s, w_t)

f = B(x), z = H f, g = softmax(z) held constant.
h = vec(f g^T), or (f R_f) * (g R_g) / sqrt(random_width) where f has so many entries and g so many
    classes that the product would be wider than 4096; R: fixed, entries with mean 0, variance 1.
w = 1 + e^{-H(g)}, H the entropy, over its mean in the domain's batch (CDAN+E); 1 without `entropy`.

L_D: discriminator.py. As g is held constant, L_D reaches the backbone and not the head.
Beside labelled target items: as in dann.py.
Departures: those of dann.py; the entries of R are uniform, not normal (the paper allows both).
"""

import keras
import tensorflow as tf

from app.spec.strategy_params import WIDEST_PRODUCT, CdanParams
from worker.backbones.network import Network
from worker.strategies.adapting import two_domain_phase
from worker.strategies.discriminator import adversarial, discriminator_of
from worker.strategies.recipe import Batches, Phase, Setting
from worker.strategies.two_domains import features_of_domains, supervised


def phases(network: Network, params: CdanParams, setting: Setting) -> tuple[Phase, ...]:
    features, classes = network.feature_count, network.architecture.outputs
    joint: Product | RandomProduct = Product(features, classes)
    if joint.width > WIDEST_PRODUCT:
        joint = RandomProduct(features, classes, params.random_width)
    discriminator = discriminator_of(joint.width, params.hidden)

    def loss(batch: Batches, progress: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        f_s, f_t = features_of_domains(network, batch)
        known, logits = supervised(network, f_s, f_t, batch, setting)
        z_s, z_t = network.head(f_s, training=True), network.head(f_t, training=True)
        g_s, g_t = (tf.stop_gradient(tf.nn.softmax(z)) for z in (z_s, z_t))
        weights = (certainty(g_s), certainty(g_t)) if params.entropy else (1.0, 1.0)
        against = adversarial(discriminator, joint(f_s, g_s), joint(f_t, g_t), progress, *weights)
        return known + params.trade_off * against, logits

    return (two_domain_phase(network, params, setting, loss, discriminator, joint),)


def certainty(g: tf.Tensor) -> tf.Tensor:
    """w of probabilities g (batch, classes) -> (batch,), mean 1."""
    entropy = -tf.reduce_sum(tf.math.xlogy(g, g), 1)
    w = 1 + tf.exp(-entropy)
    return w / tf.reduce_mean(w)


class Product(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """h = vec(f g^T)"""

    def __init__(self, features: int, classes: int) -> None:
        super().__init__(name="product")
        self.width = features * classes

    def call(self, f: tf.Tensor, g: tf.Tensor) -> tf.Tensor:
        """f (batch, features), g (batch, classes) -> (batch, width)"""
        return tf.reshape(f[:, :, None] * g[:, None, :], (-1, self.width))


class RandomProduct(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """h = (f R_f) * (g R_g) / sqrt(width)"""

    def __init__(self, features: int, classes: int, width: int) -> None:
        super().__init__(name="random_product")
        self.width = width
        self.of_features, self.of_classes = (
            keras.layers.Dense(width, use_bias=False, trainable=False, name=name)
            for name in ("of_features", "of_classes")
        )
        self.of_features.build((None, features))
        self.of_classes.build((None, classes))
        # A kernel starts as U(-a, a), a^2 = 6 / (inputs + outputs): variance a^2 / 3.
        variances = 2 / (features + width) * 2 / (classes + width)
        self._scale = (variances * width) ** -0.5

    def call(self, f: tf.Tensor, g: tf.Tensor) -> tf.Tensor:
        """f (batch, features), g (batch, classes) -> (batch, width)"""
        return self._scale * self.of_features(f) * self.of_classes(g)
