import numpy as np
import pytest
import tensorflow as tf

from tests.strategies.losses import cross_entropy, log_softmax, reached, scene
from worker.strategies.mcc import confusion

BACKBONE = {"hidden_0/kernel", "hidden_0/bias"}
HEAD = {"logits/kernel", "logits/bias"}


def confusion_by_loops(z: np.ndarray, temperature: float) -> float:
    p = np.exp(log_softmax(z / temperature))
    items, classes = p.shape
    w = np.array([1 + np.exp((row * np.log(row)).sum()) for row in p])
    w = items * w / w.sum()
    loss = 0.0
    for j in range(classes):
        row = np.array(
            [sum(w[i] * p[i, j] * p[i, k] for i in range(items)) for k in range(classes)]
        )
        loss += (row.sum() - row[j]) / row.sum()
    return loss / classes


def test_the_confusion_by_hand() -> None:
    """p = (3/4, 1/4) twice: the weights are 1 and C's rows (9, 3) and (3, 1), over 16. So the rows
    give 3/12 and 3/4, together 1, and over two classes 1/2."""
    z = tf.math.log([[3.0, 1.0], [3.0, 1.0]])
    assert float(confusion(z, 1.0)) == pytest.approx(0.5)
    assert float(confusion(2.5 * z, 2.5)) == pytest.approx(0.5)


def test_it_is_zero_where_all_are_certain() -> None:
    z = tf.constant([[1e3, 0.0, 0.0], [0.0, 1e3, 0.0], [0.0, 0.0, 1e3]])
    assert float(confusion(z, 2.5)) == 0
    assert float(confusion(z[:1], 2.5)) == 0  # two classes without any row


def test_the_confusion_by_an_independent_writing() -> None:
    z = np.random.default_rng(0).normal(size=(7, 4), scale=3).astype(np.float32)
    assert float(confusion(tf.constant(z), 2.5)) == pytest.approx(confusion_by_loops(z, 2.5), 1e-5)


def test_the_weights_are_held_constant() -> None:
    """By finite differences of a writing in which they stay."""
    z = np.random.default_rng(1).normal(size=(5, 3))

    def with_weights_of(at: np.ndarray, z: np.ndarray) -> float:
        p, known = np.exp(log_softmax(z)), np.exp(log_softmax(at))
        w = 1 + np.exp((known * np.log(known)).sum(1))
        c = (w[:, None] * p).T @ p
        c /= c.sum(1, keepdims=True)
        return float((c.sum() - np.trace(c)) / 3)

    variable = tf.constant(z, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(variable)
        loss = confusion(variable, 1.0)
    gradient = tape.gradient(loss, variable).numpy()
    for place in np.ndindex(5, 3):
        moved = np.zeros((5, 3))
        moved[place] = 1e-5
        slope = (with_weights_of(z, z + moved) - with_weights_of(z, z - moved)) / 2e-5
        assert gradient[place] == pytest.approx(slope, abs=1e-5)


def test_the_loss_is_the_sources_and_the_targets() -> None:
    here = scene("mcc", weight=0.7, temperature=1.5)
    z_s = here.network.outputs(here.x_source).numpy()
    z_t = here.network.outputs(here.x).numpy()
    expected = cross_entropy(z_s, here.y_source) + 0.7 * confusion_by_loops(z_t, 1.5)
    assert here.loss() == pytest.approx(expected, rel=1e-5)


def test_both_parts_reach_backbone_and_head() -> None:
    here = scene("mcc")
    assert here.reached() == BACKBONE | HEAD
    assert reached(here, lambda: confusion(here.network.outputs(here.x), 2.5)) == BACKBONE | HEAD


def test_it_starts_from_the_sources_head_and_returns_the_sources_logits() -> None:
    here = scene("mcc")
    assert here.phase.source_head is here.network.head
    assert here.phase.streams == ("source", "target")
    _, logits = here.phase.loss(here.batch, tf.constant(0.0))
    np.testing.assert_allclose(logits, here.network.outputs(here.x_source), rtol=1e-5)
