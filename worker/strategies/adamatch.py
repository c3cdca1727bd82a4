"""AdaMatch: pseudo-labels, aligned to the source's classes, on weakly and strongly changed images.

Berthelot, Roelofs, Sohn, Carlini & Kurakin, "AdaMatch: a unified approach to semi-supervised
learning and domain adaptation", ICLR 2022, arXiv:2106.04732, section 3 and algorithm 1.

z_s = l z'_s + (1 - l) z''_s, l ~ U(0, 1) for each logit; z', z'': BatchNorm of the source's images
    alone, and of all images together, which alone moves its statistics
p_s, p_t = softmax of the weakly changed images' logits
q   = p_t E[p_s] / E[p_t], over its sum     E: moving averages over batches, as in the authors' code
m_i = [max_k q_ik >= threshold mean_j max_k p_sjk]
L   = (mean CE(z_s,weak, y) + mean CE(z_s,strong, y)) / 2
      + (1 - cos(min(pi, 2 pi progress))) / 2 mean_i m_i CE(z_t,strong, argmax_k q_ik)

q, m and E are held constant. A step has `ratio` times as many items of the target as of the source.
Adam, its rate falls by a cosine to 0; the weights' moving averages are what is tested.
Departures: augmentation.py instead of CTAugment; no weight decay; the rate falls to 0, not to a
quarter; training starts from the network that was trained on the source, head included.
"""

import math

import keras
import tensorflow as tf

from app.spec.strategy_params import AdaMatchParams
from worker.backbones.network import Network
from worker.backbones.norm_momentum import norm_momentum
from worker.inputs.contract import X
from worker.inputs.counter_random import uniform
from worker.strategies.recipe import Batches, Group, Optimization, Phase, Setting, trainable
from worker.strategies.seeds import Seeds

AVERAGED_BATCHES = 100


def phases(network: Network, params: AdaMatchParams, setting: Setting) -> tuple[Phase, ...]:
    training, seeds = setting.training, Seeds()
    expected = ExpectedClasses(network.architecture.outputs)

    def loss(batch: Batches, progress: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        x_t, (x_s, y_s, _) = batch["domain"].x, batch["source"]
        count = tf.maximum(1, tf.shape(y_s)[0] // params.ratio)
        x_s, y_s = first(x_s, count), y_s[:count]
        x = joined(x_s, x_t)
        weakly = network.inputs.weak(x, seeds.draw())
        strongly = network.inputs.strong(x, seeds.draw())

        of_source = joined(first(weakly, count), first(strongly, count))
        with norm_momentum(network, 1.0):
            alone = network.logits(of_source, training=True)
        of_target = (rest(weakly, count), rest(strongly, count))
        together = network.logits(joined(of_source, *of_target), training=True)
        z_s, z_t = together[: 2 * count], together[2 * count :]
        share = uniform(tuple(tf.unstack(tf.shape(z_s))), seeds.draw())
        z_s = share * alone + (1 - share) * z_s
        (weak_s, strong_s), (weak_t, strong_t) = tf.split(z_s, 2), tf.split(z_t, 2)

        smoothing, learn = training.label_smoothing, setting.source_objective.mean_loss
        supervised = learn(weak_s, y_s, smoothing) + learn(strong_s, y_s, smoothing)
        p_s, p_t = tf.nn.softmax(weak_s), tf.nn.softmax(weak_t)
        labels, mask = pseudo_labels(p_s, p_t, expected.ratio(p_s, p_t), params.threshold)
        of_items = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, strong_t)
        return supervised / 2 + warm_up(progress) * tf.reduce_mean(mask * of_items), weak_t

    return (
        Phase(
            "adapt",
            loss,
            (Group(trainable(network.backbone, network.head), params.learning_rate),),
            training.epochs,
            Optimization("adam", "cosine", ema_momentum=params.ema_momentum),
            streams=("domain", "source"),
            companions=(seeds, expected),
            source_head=network.head,
            augments=False,
        ),
    )


def first(x: X, count: tf.Tensor) -> X:
    return {name: tensor[:count] for name, tensor in x.items()}


def rest(x: X, count: tf.Tensor) -> X:
    return {name: tensor[count:] for name, tensor in x.items()}


def joined(*parts: X) -> X:
    return {name: tf.concat([part[name] for part in parts], 0) for name in parts[0]}


def warm_up(progress: tf.Tensor) -> tf.Tensor:
    """The pseudo-labels' weight: from 0 to 1 over the first half of the phase."""
    return (1 - tf.cos(tf.minimum(math.pi, 2 * math.pi * progress))) / 2


def pseudo_labels(
    p_s: tf.Tensor, p_t: tf.Tensor, ratio: tf.Tensor, threshold: float
) -> tuple[tf.Tensor, tf.Tensor]:
    """Args:
    p_s, p_t: probabilities (items, classes), float32.
    ratio: of the classes expected in the source over those in the target, (classes,).

    Returns:
        argmax q, (target items,), int32, and m, likewise, float32: 0 or 1.
    """
    q = p_t * ratio
    q /= tf.reduce_sum(q, 1, keepdims=True)
    enough = threshold * tf.reduce_mean(tf.reduce_max(p_s, 1))
    mask = tf.cast(tf.reduce_max(q, 1) >= enough, tf.float32)
    return tf.argmax(q, 1, tf.int32), mask


class ExpectedClasses(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """E[p_s] and E[p_t], (classes,), from equal shares on. The mean of one batch would not do: of
    the source's few items some classes have none."""

    def __init__(self, classes: int) -> None:
        super().__init__(name="expected_classes")
        equal = keras.initializers.Constant(1 / classes)
        self._source, self._target = (
            self.add_weight(shape=(classes,), initializer=equal, trainable=False, name=name)
            for name in ("source", "target")
        )

    def ratio(self, p_s: tf.Tensor, p_t: tf.Tensor) -> tf.Tensor:
        """E[p_s] / E[p_t], (classes,), with these batches in it."""
        for average, p in ((self._source, p_s), (self._target, p_t)):
            now = tf.stop_gradient(tf.reduce_mean(p, 0))
            average.assign_add((now - average.value) / AVERAGED_BATCHES)
        return (self._source.value + 1e-6) / (self._target.value + 1e-6)
