from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf
from scipy.spatial.distance import cdist

from tests.strategies.losses import cross_entropy, log_softmax, scene
from worker.strategies.shot import pseudo_labels, uncertainty


def test_the_information_maximisation_by_hand() -> None:
    """Unsure of all: H(p) = H(mean p) = log 3. Sure and the same: 0 and 0. Sure and diverse: 0 and
    log 3."""
    sure = 1e3 * tf.eye(3)
    assert float(uncertainty(tf.zeros((4, 3)))) == pytest.approx(0, abs=1e-6)
    assert float(uncertainty(tf.repeat(sure[:1], 3, 0))) == 0
    assert float(uncertainty(sure)) == pytest.approx(-np.log(3))


def test_it_has_a_finite_gradient_where_a_class_is_impossible() -> None:
    z = tf.constant([[1e3, 0.0, -1e3], [0.0, 1e3, -1e3]])
    with tf.GradientTape() as tape:
        tape.watch(z)
        loss = uncertainty(z)
    assert np.isfinite(tape.gradient(loss, z).numpy()).all()


def test_the_loss_by_an_independent_writing() -> None:
    here = scene("shot", beta=0.3)
    labels = np.arange(len(here.y), dtype=np.int32) % 3
    z = here.network.outputs(here.x).numpy()
    p = np.exp(log_softmax(z))
    mean = p.mean(0)
    expected = -(p * np.log(p)).sum(1).mean() + (mean * np.log(mean)).sum()
    assert replace(here, y=labels).loss(0.0) == pytest.approx(expected, rel=1e-4)
    expected += 0.3 * 0.5 * cross_entropy(z, labels)
    assert replace(here, y=labels).loss(0.5) == pytest.approx(expected, rel=1e-4)


def test_the_backbone_is_trained_and_the_head_stays() -> None:
    here = scene("shot", learning_rate=0.02, backbone_rate=0.5)
    (backbone,) = here.phase.groups
    assert [v.path for v in backbone.variables] == ["hidden_0/kernel", "hidden_0/bias"]
    assert backbone.learning_rate == 0.01
    assert here.phase.source_head is here.network.head
    assert here.phase.streams == ("target",)


def test_pseudo_labels_by_hand() -> None:
    """Two directions. The head takes one of the second's items for class 0 and is in doubt about
    the others, but the centroids lie right."""
    features = np.array([[9, 0], [9, 1], [0, 9], [1, 9], [2, 9]], np.float32)
    probabilities = np.array([[0.9, 0.1], [0.8, 0.2], [0.6, 0.4], [0.4, 0.6], [0.2, 0.8]])
    assert pseudo_labels(features, np.float32(probabilities)).tolist() == [0, 0, 1, 1, 1]


def test_a_class_that_is_predicted_nowhere_has_no_items() -> None:
    """Class 2 has more probability than class 1 in the first item alone, and is never first."""
    features = np.array([[9, 0], [0, 9]], np.float32)
    probabilities = np.array([[0.5, 0.1, 0.4], [0.1, 0.7, 0.2]], np.float32)
    assert pseudo_labels(features, probabilities).tolist() == [0, 1]
    alone = np.array([[0.5, 0.1, 0.4], [0.6, 0.3, 0.1]], np.float32)
    assert pseudo_labels(features, alone).tolist() == [0, 0]


def test_pseudo_labels_by_an_independent_writing() -> None:
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(4, 6), scale=1.5)
    features = (centres[rng.integers(0, 4, 200)] + rng.normal(size=(200, 6))).astype(np.float32)
    p = np.exp(log_softmax(features @ centres.T + rng.normal(size=(200, 4), scale=4)))
    f = np.concatenate([features, np.ones((200, 1))], 1)
    f /= np.linalg.norm(f, axis=1, keepdims=True)
    labels = cdist(f, (p.T @ f) / p.sum(0)[:, None], "cosine").argmin(1)
    assert len(set(labels)) == 4
    means = np.stack([f[labels == k].mean(0) for k in range(4)])
    expected = cdist(f, means, "cosine").argmin(1)
    assert (expected != p.argmax(1)).any()
    got = pseudo_labels(features, p.astype(np.float32))
    assert got.dtype == np.int32
    assert np.array_equal(got, expected)


def test_the_phase_labels_with_the_networks_own_head() -> None:
    here = scene("shot")
    features = here.network.features(here.x).numpy()
    p = np.exp(log_softmax(here.network.head(features).numpy())).astype(np.float32)
    assert here.phase.relabel is not None
    assert np.array_equal(here.phase.relabel(features), pseudo_labels(features, p))
