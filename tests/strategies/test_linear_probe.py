import numpy as np
import pytest
import tensorflow as tf

from tests.strategies.losses import Scene, cross_entropy, reached, scene
from worker.strategies.recipe import FEATURES, Batch


def loss(here: Scene) -> tf.Tensor:
    features = here.network.features(here.x)
    batch = Batch({FEATURES: features}, here.y, np.ones(len(here.y), bool))
    return here.phase.loss({"target": batch}, tf.constant(0.0))[0]


def test_the_loss_by_hand() -> None:
    plain, pulled = scene("linear_probe"), scene("linear_probe", l2=0.3)
    for here in (plain, pulled):
        kernel, bias = here.network.head.trainable_variables
        kernel.assign(np.linspace(-1, 1, kernel.shape[0] * kernel.shape[1]).reshape(kernel.shape))
        bias.assign(np.full(bias.shape, 5.0))  # is not pulled
    supervised = cross_entropy(plain.network.outputs(plain.x).numpy(), plain.y)
    size = float((pulled.network.head.trainable_variables[0].numpy() ** 2).sum())
    assert float(loss(plain)) == pytest.approx(supervised, rel=1e-5)
    assert float(loss(pulled)) == pytest.approx(supervised + 0.3 / 2 * size, rel=1e-5)


def test_it_reaches_the_head_alone() -> None:
    here = scene("linear_probe", l2=0.1)
    features = tf.constant(here.network.features(here.x).numpy())  # computed before the phase
    batch = Batch({FEATURES: features}, here.y, np.ones(len(here.y), bool))
    found = reached(here, lambda: here.phase.loss({"target": batch}, tf.constant(0.0))[0])
    assert found == {"logits/kernel", "logits/bias"}
