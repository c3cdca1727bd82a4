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

Beside labelled target items (semi-supervised learning, or with the source's items semi-supervised
adaptation) these have two such cross-entropies of their own; z' is then of all labelled images, and
t the items without labels, as in the authors' code. Without items of the source, because its
classes are others or it comes as a model, the labelled target items are s.

q, m and E are held constant. A step has `ratio` times as many items of the target as of the source,
of items without labels `ratio` batches.
Adam, its rate falls by a cosine to 0; the weights' moving averages are what is tested.
Departures: the views of worker/inputs instead of CTAugment; no weight decay; the rate falls to 0,
not to a quarter; training starts from the network that was trained on the source, head included
where it has the same classes. Beside labels the moving averages warm up: a phase of 500 steps with
a new head would else be tested with weights that are mostly those it began with.
"""

import math

import keras
import tensorflow as tf

from app.spec.strategy_params import AdaMatchParams
from worker.backbones.network import Network
from worker.backbones.norm_momentum import norm_momentum
from worker.inputs.contract import X
from worker.inputs.counter_random import uniform
from worker.strategies.recipe import (
    Batches,
    Group,
    Optimization,
    Phase,
    Setting,
    Stream,
    trainable,
)
from worker.strategies.seeds import Seeds
from worker.strategies.two_domains import first, joined, rest

AVERAGED_BATCHES = 100


def phases(network: Network, params: AdaMatchParams, setting: Setting) -> tuple[Phase, ...]:
    training, seeds = setting.training, Seeds()
    expected = ExpectedClasses(network.architecture.outputs)
    beside = setting.unlabelled
    learn = [setting.source_objective.mean_loss, *([setting.objective.mean_loss] if beside else [])]

    def loss(batch: Batches, progress: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        parts, x_u = parts_of(batch, params.ratio)
        sizes = [tf.shape(y)[0] for _, y in parts]
        count = tf.add_n(sizes)
        x = joined(*(x for x, _ in parts), x_u)
        weakly = network.inputs.weak(x, seeds.draw())
        strongly = network.inputs.strong(x, seeds.draw())

        with_labels = joined(first(weakly, count), first(strongly, count))
        with norm_momentum(network, 1.0):
            alone = network.outputs(with_labels, training=True)
        without = (rest(weakly, count), rest(strongly, count))
        together = network.outputs(joined(with_labels, *without), training=True)
        z_l, z_u = together[: 2 * count], together[2 * count :]
        share = uniform(tuple(tf.unstack(tf.shape(z_l))), seeds.draw())
        z_l = share * alone + (1 - share) * z_l
        (weak_l, strong_l), (weak_u, strong_u) = tf.split(z_l, 2), tf.split(z_u, 2)

        smoothing, known, start = training.label_smoothing, 0.0, 0
        for (_, y), size, learnt in zip(parts, sizes, learn[-len(parts) :], strict=True):
            of_part = slice(start, start + size)
            known += learnt(weak_l[of_part], y, smoothing)
            known += learnt(strong_l[of_part], y, smoothing)
            start += size
        p_s, p_u = tf.nn.softmax(weak_l[: sizes[0]]), tf.nn.softmax(weak_u)
        labels, mask = pseudo_labels(p_s, p_u, expected.ratio(p_s, p_u), params.threshold)
        of_items = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, strong_u)
        outputs = weak_l[-sizes[-1] :] if beside else weak_u
        return known / 2 + warm_up(progress) * tf.reduce_mean(mask * of_items), outputs

    streams: tuple[Stream, ...] = ("target", "source")
    if beside:
        streams = ("target", "unlabelled", *(("source",) if beside.has_source else ()))
    return (
        Phase(
            "adapt",
            loss,
            (Group(trainable(network.backbone, network.head), params.learning_rate),),
            training.epochs,
            Optimization(
                "adam",
                "cosine",
                ema_momentum=params.ema_momentum,
                ema_warms_up=beside is not None,
            ),
            streams=streams,
            unlabelled_batches=params.ratio,
            companions=(seeds, expected),
            source_head=network.head if beside is None or beside.shares_classes else None,
            augments=False,
        ),
    )


def parts_of(batch: Batches, ratio: int) -> tuple[list[tuple[X, tf.Tensor]], X]:
    """Items with labels, a part each: the source's, by which the others are measured, before the
    target's; and the target's items without."""
    if "unlabelled" not in batch:
        x, y, _ = batch["source"]
        count = tf.maximum(1, tf.shape(y)[0] // ratio)
        return [(first(x, count), y[:count])], batch["target"].x
    streams: list[Stream] = ["source", "target"] if "source" in batch else ["target"]
    return [(batch[each].x, batch[each].y) for each in streams], batch["unlabelled"].x


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
