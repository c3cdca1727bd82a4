import numpy as np
import pytest
import tensorflow as tf

from tests.strategies.losses import cross_entropy, reached, scene
from worker.strategies.coral import covariance, distance

BACKBONE = {"hidden_0/kernel", "hidden_0/bias"}
HEAD = {"logits/kernel", "logits/bias"}


def test_the_distance_by_hand() -> None:
    """C_s = [[2, 2], [2, 2]], C_t = 0: 16 / (4 * 2^2) = 1."""
    f_s, f_t = tf.constant([[0.0, 0.0], [2.0, 2.0]]), tf.constant([[1.0, 5.0], [1.0, 5.0]])
    assert float(distance(f_s, f_t)) == pytest.approx(1.0)


def test_it_is_zero_where_the_covariances_are_equal() -> None:
    f = tf.constant(np.random.default_rng(0).normal(size=(7, 3)).astype(np.float32))
    assert float(distance(f, f)) == 0
    assert float(distance(f, 10 - f)) == pytest.approx(0, abs=1e-9)  # moved and mirrored


def test_the_covariance_is_numpys_and_zero_for_one_item() -> None:
    f = np.random.default_rng(1).normal(size=(9, 4)).astype(np.float32)
    np.testing.assert_allclose(covariance(f), np.cov(f.T), rtol=1e-5, atol=1e-7)
    assert np.array_equal(covariance(f[:1]), np.zeros((4, 4)))


def test_the_loss_by_an_independent_writing() -> None:
    here = scene("coral", weight=0.7)
    f_s = here.network.features(here.x_source).numpy()
    f_t = here.network.features(here.x).numpy()
    apart = ((np.cov(f_s.T) - np.cov(f_t.T)) ** 2).sum() / (4 * 6**2)
    supervised = cross_entropy(here.network.head(f_s).numpy(), here.y_source)
    assert here.loss() == pytest.approx(supervised + 0.7 * apart, rel=1e-4)


def test_the_distance_reaches_the_backbone_and_not_the_head() -> None:
    here = scene("coral")
    features = here.network.features
    assert reached(here, lambda: distance(features(here.x_source), features(here.x))) == BACKBONE
    assert here.reached() == BACKBONE | HEAD


def test_it_starts_from_the_sources_head_and_returns_the_sources_logits() -> None:
    here = scene("coral")
    assert here.phase.source_head is here.network.head
    assert here.phase.streams == ("source", "target")
    _, logits = here.phase.loss(here.batch, tf.constant(0.0))
    np.testing.assert_allclose(logits, here.network.outputs(here.x_source), rtol=1e-5)
