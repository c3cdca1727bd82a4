"""SHOT: source-free. The features become sure and diverse under the source's frozen head.

Liang, Hu & Feng, "Do we really need to access the source data? Source hypothesis transfer for
unsupervised domain adaptation", ICML 2020, arXiv:2002.08546, equations 2 to 7.

L = mean_i H(p_i) - H(mean_i p_i) + beta q mean_i CE(z_i, ŷ_i)

over the target. p = softmax(z), H: entropy, q: the phase's progress. Before each epoch ŷ_i is the
class with the nearest centroid to f_i by the cosine: first c_k = sum_i p_ik f_i, then, once,
c_k = sum_i [ŷ_i = k] f_i. f: the backbone's features with a 1 appended, at length 1, as the
authors' code has them. A class that is predicted for no item gets no centroid. The backbone alone
is trained.

Beside labelled target items: mean_j CE(z_j, y_j) over these is added, the entropies are of all the
target's items, the pseudo-labels of those without a label.

The paper's source network is the job's to choose: BatchNorm after a bottleneck of 256
(model.bottleneck), label smoothing 0.1 in pretraining (training.label_smoothing).
Departures: the head is linear, without weight normalisation. The paper has 1 for q, and 30 epochs:
in a short phase the first pseudo-labels, still the source network's, held on to its mistakes (USPS
to MNIST in 2 epochs, one seed: 86 % with 1, 98 % with q).
"""

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from app.spec.strategy_params import ShotParams
from worker.backbones.network import Network
from worker.objectives.classification import cross_entropy
from worker.strategies.adapting import adapting
from worker.strategies.recipe import Batches, Features, Group, Labels, Phase, Setting, trainable
from worker.strategies.two_domains import joined


def phases(network: Network, params: ShotParams, setting: Setting) -> tuple[Phase, ...]:
    def loss(batch: Batches, progress: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        x, labels, _ = batch["target"]
        logits = network.outputs(x, training=True)
        pseudo = params.beta * progress * cross_entropy(logits, labels)
        return uncertainty(logits) + pseudo, logits

    def loss_beside(batch: Batches, progress: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        (x, labels, _), (x_known, y, _) = batch["unlabelled"], batch["target"]
        logits, count = network.outputs(joined(x, x_known), training=True), tf.shape(labels)[0]
        z, z_known = logits[:count], logits[count:]
        pseudo = params.beta * progress * cross_entropy(z, labels)
        known = setting.objective.mean_loss(z_known, y, setting.training.label_smoothing)
        return uncertainty(logits) + pseudo + known, z

    def relabel(features: Features) -> Labels:
        return pseudo_labels(features, tf.nn.softmax(network.head(features)).numpy())

    return (
        Phase(
            "adapt",
            loss_beside if setting.unlabelled else loss,
            (Group(trainable(network.backbone), params.backbone_rate * params.learning_rate),),
            setting.training.epochs,
            adapting(params),
            streams=("unlabelled", "target") if setting.unlabelled else ("target",),
            source_head=network.head,
            relabel=relabel,
        ),
    )


def uncertainty(logits: tf.Tensor) -> tf.Tensor:
    """mean H(p) - H(mean p) of logits (batch, classes), float32: a scalar from -log classes, where
    all are certain and diverse, to 0, where all are alike."""
    logarithms = tf.nn.log_softmax(logits)
    p = tf.exp(logarithms)
    mean = tf.reduce_mean(p, 0)
    of_items = -tf.reduce_mean(tf.reduce_sum(p * logarithms, 1))
    return of_items + tf.reduce_sum(tf.math.xlogy(mean, mean))


def pseudo_labels(features: Features, probabilities: NDArray[np.float32]) -> Labels:
    """features (n, d), probabilities (n, classes) -> (n,), int32"""
    f = _at_length_1(np.hstack([features, np.ones((len(features), 1), np.float32)]))
    one_hot = np.eye(probabilities.shape[1], dtype=np.float32)
    labels = _nearest(f, probabilities, probabilities.argmax(1))
    return _nearest(f, one_hot[labels], labels)


def _nearest(f: Features, weights: NDArray[np.float32], present: NDArray[np.integer]) -> Labels:
    """The one of the classes `present` whose centroid by `weights`, (n, classes), has the largest
    cosine with each f; a cosine does not change with the centroid's length."""
    classes = np.unique(present)
    cosines = f @ _at_length_1(weights.T @ f)[classes].T  # (n, present classes)
    nearest: Labels = classes[cosines.argmax(1)].astype(np.int32)
    return nearest


def _at_length_1(rows: Features) -> Features:
    lengths = np.sqrt(np.square(rows).sum(1, keepdims=True))
    at_length_1: Features = rows / np.maximum(lengths, np.float32(1e-12))
    return at_length_1
