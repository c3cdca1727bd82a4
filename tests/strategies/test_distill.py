import numpy as np
import pytest
import tensorflow as tf

from tests.strategies.losses import cross_entropy, log_softmax, scene
from worker.strategies.distill import distance


def test_the_distance_by_hand() -> None:
    """Teacher (2/3, 1/3), student (1/2, 1/2) at T = 1: 2/3 ln 4/3 + 1/3 ln 2/3 = .056633."""
    teacher, student = tf.math.log([[2.0, 1.0]]), tf.zeros((1, 2))
    assert float(distance(teacher, student, 1.0)) == pytest.approx(0.056633, rel=1e-4)
    squared = tf.math.log([[4.0, 1.0]])  # divided by 2 it is the teacher from above
    assert float(distance(squared, student, 2.0)) == pytest.approx(4 * 0.056633, rel=1e-4)


def test_equal_networks_are_at_no_distance() -> None:
    z = tf.constant(np.random.default_rng(0).normal(size=(5, 3)).astype("float32"))
    assert float(distance(z, z, 3.0)) == pytest.approx(0, abs=1e-6)


def test_the_loss_by_hand() -> None:
    here = scene("distill", alpha=0.3, temperature=2.0)
    backbone, head = here.phase.companions
    features = here.network.features(here.x).numpy()
    t, z = head(features).numpy() / 2, here.network.head(features).numpy()
    t, s = log_softmax(t), log_softmax(z / 2)
    expected = 0.3 * cross_entropy(z, here.y) + 0.7 * 4 * (np.exp(t) * (t - s)).sum(1).mean()
    assert here.loss() == pytest.approx(expected, rel=1e-5)
    for mine, source in zip(backbone.variables, here.network.backbone.variables, strict=True):
        assert np.array_equal(mine.numpy(), source.numpy())


def test_the_teacher_is_not_trained() -> None:
    here = scene("distill")
    trained = {id(v) for group in here.phase.groups for v in group.variables}
    teachers = [v for model in here.phase.companions for v in model.variables]
    assert not {id(v) for v in teachers} & trained
